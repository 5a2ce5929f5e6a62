"""What each strategy of the query optimiser does alone: on a gold set, with it and without any.

    python -m benchmarks.quality.strategies GOLD [--index FOLDER] [--questions N] [--strategy NAME]

For each strategy, and for all that are on by default together (``default``): the mean difference in nDCG@10 with its
95 % bootstrap interval, on how many questions the strategy did something, how many were helped and harmed by more than
.05, the share of questions with every relevant document among the first ten, and the median time of a search.
``synonyms`` is the expansion by near words, which is off by default. Strategies that need a language model have no row.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rag_engine.assembly import Assembly
from rag_engine.config import load_settings
from rag_engine.context_retrieval import OptimizedRetriever
from rag_engine.embedding import default_cache
from rag_engine.embedding.near_words import NearWords
from rag_engine.engine import Engine
from rag_engine.evaluation import GoldQuestion, GoldSet, best_chunk_per_document, compare, read_gold_set, score_run
from rag_engine.query_optimizer import Gate, Learning, Optimizer, Synonyms
from rag_engine.types.optimization import SearchOutcome, StrategyName
from rag_engine.types.retrieval import Query

INDEXES = Path(__file__).parents[1] / "results" / "indexes"
MEASURE = "nDCG@10"
HARM = 0.05
SEED = 1
DEPTH = 100
ALONE: Mapping[str, frozenset[StrategyName]] = {
    "simplification": frozenset((StrategyName.SIMPLIFICATION,)),
    "constraints": frozenset((StrategyName.CONSTRAINTS,)),
    "decomposition": frozenset((StrategyName.DECOMPOSITION,)),
    "synonyms": frozenset((StrategyName.EXPANSION,)),
}


def main() -> None:
    """Prints one JSON object: a row for each strategy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", type=Path)
    parser.add_argument("--questions", type=int, default=10_000, help="a random sample of so many (seeded)")
    parser.add_argument("--index", type=Path, help="index of the documents; one of the gold set's own by default")
    parser.add_argument("--strategy", choices=[*ALONE, "default"], help="this one alone")
    arguments = parser.parse_args()
    gold = read_gold_set(arguments.gold)
    folder = arguments.index or INDEXES / f"gold-{gold.name}"
    questions = [question for question in gold.questions if question.id in gold.qrels]
    random.Random(SEED).shuffle(questions)
    questions = questions[: arguments.questions]
    assembly = Assembly(folder, settings=load_settings(), create=True)
    with Engine(assembly) as engine:
        if gold.corpus is not None:
            engine.ingest(gold.corpus)
        searching = _Searching(gold, questions, assembly)
        wanted = [arguments.strategy] if arguments.strategy else [*ALONE, "default"]
        rows = {name: searching.row(name) for name in wanted}
    print(json.dumps({"gold": gold.name, "questions": len(questions), "plain": searching.plain, "strategies": rows}))


class _Searching:
    """The questions of a gold set, searched for without the optimiser once, and with a strategy when asked."""

    def __init__(self, gold: GoldSet, questions: Sequence[GoldQuestion], assembly: Assembly) -> None:
        self._gold = gold
        self._questions = questions
        self._optimizers = {"synonyms": _expanding(assembly)}
        self._default = assembly.optimizer
        self._retriever = assembly.hybrid_retriever
        self._admits = assembly.index.catalog.facts.admits
        assembly.index_embedder.embed_queries([question.text for question in questions])
        self._run(None, None)  # warms caches
        self._before, self.plain, _ = self._run(None, None)

    def row(self, name: str) -> dict[str, Any]:
        """The figures of one strategy."""
        after, figures, touched = self._run(name, ALONE.get(name))
        compared = compare(self._before, after, measure=MEASURE)
        gains = [after[key] - self._before[key] for key in after]
        return figures | {
            "difference": round(compared.mean_difference, 4),
            "interval": [round(bound, 4) for bound in compared.interval],
            "p_value": round(compared.p_value, 4),
            "touched": touched,
            "helped": sum(gain > HARM for gain in gains),
            "harmed": sum(gain < -HARM for gain in gains),
        }

    def _run(
        self, name: str | None, only: frozenset[StrategyName] | None
    ) -> tuple[dict[str, float], dict[str, Any], int]:
        optimizer = self._optimizers.get(name, self._default) if name else None
        retriever = OptimizedRetriever(retriever=self._retriever, optimizer=optimizer, admits=self._admits)
        run: dict[str, list[tuple[str, float]]] = {}
        seconds: list[float] = []
        touched = 0
        for question in self._questions:
            query = Query(question.text, k=DEPTH)
            started = time.perf_counter()
            outcome = retriever.search(query, only=only)
            seconds.append(time.perf_counter() - started)
            touched += _did_something(outcome)
            run[question.id] = list(best_chunk_per_document(outcome.passages))[:DEPTH]
        qrels = {identifier: self._gold.qrels[identifier] for identifier in run}
        per_query = score_run(qrels, run, [MEASURE]).per_query
        scores = {identifier: per_query[identifier][MEASURE] for identifier in run}
        complete = [
            all(document in dict(run[identifier][:10]) for document, grade in grades.items() if grade > 0)
            for identifier, grades in qrels.items()
        ]
        figures = {
            MEASURE: round(statistics.fmean(scores.values()), 4),
            "all_in_10": round(statistics.fmean(complete), 4),
            "median_ms": round(1000 * statistics.median(seconds), 2),
        }
        return scores, figures, touched


def _expanding(assembly: Assembly) -> Optimizer:
    """An optimiser that does nothing but add near words."""
    return Optimizer(
        facts=assembly.index.catalog.facts,
        strategies=[Synonyms(NearWords(assembly.embedder, cache=default_cache()))],
        gate=Gate(Learning()),
        enabled=[StrategyName.EXPANSION],
    )


def _did_something(outcome: SearchOutcome) -> bool:
    return outcome.optimized is not None and any(step.applied for step in outcome.optimized.steps)


if __name__ == "__main__":
    main()
