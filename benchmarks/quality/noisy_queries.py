"""What noise in questions costs, and what repairing them with the corpus's own words brings back.

    python -m benchmarks.quality.noisy_queries GOLD... [--questions N] [--indexes FOLDER] [--seed N]

GOLD are folders of gold sets. Each is searched with its questions as they are, with noise of each kind (see
``noise.py``), and with the same noise repaired; what is printed is nDCG@10 of the hybrid search, one JSON object.
``kept`` is the share of the clean score that is left with noise, ``kept_repaired`` that with the repair, ``harmed`` the
share of clean questions whose repair loses more than .05, ``repair_ms`` the median processor time of planning it.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.quality.noise import KINDS, noisy
from rag_engine import Engine, load_settings
from rag_engine.assembly import Assembly
from rag_engine.evaluation import GoldQuestion, best_chunk_per_document, read_gold_set, score_run
from rag_engine.types.optimization import StrategyName
from rag_engine.types.retrieval import Query

INDEXES = Path(__file__).parents[1] / "results" / "indexes"
MEASURE = "nDCG@10"
CHUNKS = 100
HARMED = 0.05
# Repair, and what the plain search does too: let the first results speak for others.
REPAIRING = frozenset({StrategyName.CLARIFICATION, StrategyName.EXPANSION})
SEED = 1
_DEFINED = re.compile(r"((?:[^\W_]+[ -]){1,7}[^\W_]+) \(([A-Z][A-Za-z]{1,9})\)")


class _Searching:
    """One gold set's index, searched with any wording of its questions."""

    def __init__(self, assembly: Assembly, questions: Sequence[GoldQuestion], qrels: Any) -> None:
        self._assembly = assembly
        self._questions = questions
        self._qrels = {question.id: qrels[question.id] for question in questions}
        self.milliseconds: list[float] = []
        self.changed = 0

    def scores(self, wording: Callable[[str], str], *, repairing: bool) -> dict[str, float]:
        """nDCG@10 of each question in this wording, searched for as it stands or with clarification alone."""
        texts = {question.id: wording(question.text) for question in self._questions}
        self._assembly.index_embedder.embed_queries(list(texts.values()))
        if repairing:
            self._time_repairs(texts.values())
        run = {identifier: self._ranked(text, repairing=repairing) for identifier, text in texts.items()}
        return {key: values[MEASURE] for key, values in score_run(self._qrels, run, [MEASURE]).per_query.items()}

    def _ranked(self, text: str, *, repairing: bool) -> list[tuple[str, float]]:
        query = Query(text, k=CHUNKS)
        if repairing:
            return list(best_chunk_per_document(self._assembly.retriever.search(query, only=REPAIRING).passages))
        return list(best_chunk_per_document(self._assembly.hybrid_retriever.retrieve(query)))

    def _time_repairs(self, texts: Iterable[str]) -> None:
        self.milliseconds, self.changed = [], 0
        optimizer = self._assembly.optimizer
        assert optimizer is not None, "the settings switch the optimiser off"
        for text in texts:
            started = time.process_time()
            plan = optimizer.plan(text, only=REPAIRING)
            self.milliseconds.append(1000 * (time.process_time() - started))
            self.changed += plan.text != text

    def short_forms(self) -> dict[str, str]:
        """Short forms that the documents define, by long form: told by initials alone, unlike the engine's own way."""
        found: dict[str, str] = {}
        for document, _ in self._assembly.index.catalog.documents():
            for before, short in _DEFINED.findall(document.text):
                words = re.split(r"[ -]", before)[-len(short) :]
                if [word[0].lower() for word in words] == list(short.lower()):
                    found.setdefault(" ".join(words).lower(), short)
        return found


def measure(folder: Path, *, index: Path | None, questions: int, seed: int) -> dict[str, Any]:
    """The figures of one gold set."""
    gold = read_gold_set(folder)
    judged = [question for question in gold.questions if question.id in gold.qrels]
    random.Random(SEED).shuffle(judged)
    assembly = Assembly(index or INDEXES / f"gold-{gold.name}", settings=load_settings(), create=True)
    with Engine(assembly) as engine:
        if gold.corpus is not None:
            engine.ingest(gold.corpus)
        searching = _Searching(assembly, judged[:questions], gold.qrels)
        short_forms = searching.short_forms()
        clean = searching.scores(lambda text: text, repairing=False)
        repaired = searching.scores(lambda text: text, repairing=True)
        harmed = sum(repaired[key] < clean[key] - HARMED for key in clean)
        figures: dict[str, Any] = {
            "questions": len(clean),
            "clean": _mean(clean),
            "clean_repaired": _mean(repaired),
            "clean_changed": round(searching.changed / len(clean), 4),
            "harmed": round(harmed / len(clean), 4),
            "repair_ms": round(statistics.median(searching.milliseconds), 2),
        }
        for kind in KINDS:

            def wording(text: str, kind: str = kind) -> str:
                return noisy(text, kind=kind, seed=seed, short_forms=short_forms)

            raw = searching.scores(wording, repairing=False)
            mended = searching.scores(wording, repairing=True)
            figures[kind] = {
                "spoilt": round(sum(wording(question.text) != question.text for question in judged) / len(judged), 3),
                "noisy": _mean(raw),
                "repaired": _mean(mended),
                "kept": round(_mean(raw) / _mean(clean), 3),
                "kept_repaired": round(_mean(mended) / _mean(clean), 3),
                "repair_ms": round(statistics.median(searching.milliseconds), 2),
            }
    return figures


def _mean(scores: Mapping[str, float]) -> float:
    return round(statistics.fmean(scores.values()), 4)


def main() -> None:
    """Prints one JSON object: figures by gold set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", type=Path, nargs="+")
    parser.add_argument("--questions", type=int, default=100_000, help="a random sample of so many (seeded)")
    parser.add_argument("--index", type=Path, help="folder of the index, where there is one gold set")
    parser.add_argument("--indexes", type=Path, help="folder with an index gold-NAME for each gold set")
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    figures = {}
    for folder in arguments.gold:
        index = arguments.index or (arguments.indexes / f"gold-{folder.name}" if arguments.indexes else None)
        figures[folder.name] = measure(folder, index=index, questions=arguments.questions, seed=arguments.seed)
    worst = {kind: min(one[kind]["kept_repaired"] for one in figures.values()) for kind in KINDS}
    print(json.dumps({"sets": figures, "least_kept_repaired": worst}))


if __name__ == "__main__":
    main()
