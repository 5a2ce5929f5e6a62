"""What a calibration does to the confidences of a gold set, on questions that no calibration saw.

    python -m benchmarks.quality.calibration GOLD [--index FOLDER] [--questions N] [--absent]

GOLD is a folder of a gold set with unanswerable questions. With ``--absent`` it needs none: each of its answerable
questions is asked with its documents and without them. Printed is one JSON object. Its ``rows`` are

- ``default``: the model's own confidence, as the engine comes;
- ``self_made``: after ``rag calibrate``, which never sees a question of the set;
- ``gold``: after ``rag calibrate --gold``, each half of the set, whole documents, by what the other half gave.

Each row has the expected calibration error over ten bins of as many questions each (``ece``), what that error would be
on so many questions if every probability were right (``ece_of_truth``), Brier score, AUROC, the area under the
risk-coverage curve, and refusal precision and recall at the default threshold and at one half. ``choices`` has the
calibration error for other ways to use the made questions: how many unanswerable ones are asked for one that counts,
and as how many questions the map that changes nothing counts. The two in ``rag_engine/jobs/calibrate.py`` were chosen
on squad2_dev_half, clapnq_dev, hotpotqa_200 and chroma (the last two with ``--absent``); xquad_de, xquad_zh and
legalbenchrag_contractnli were kept out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from rag_engine.assembly import Assembly
from rag_engine.config import load_settings
from rag_engine.context_retrieval.calibration import Calibration, fit_map
from rag_engine.engine import Engine
from rag_engine.evaluation import GoldSet, read_gold_set
from rag_engine.evaluation.calibration_measures import measure_probabilities
from rag_engine.evaluation.confidence_measures import area_under_risk_coverage, expected_calibration_error
from rag_engine.jobs.calibrate import HARDEST_OF, PRIOR_GOLD, PRIOR_SELF_MADE, QUESTIONS, Asked, CalibrateJob
from rag_engine.types.retrieval import Comparator, Comparison

INDEXES = Path(__file__).parents[1] / "results" / "indexes"
SEED = 1
HARDEST = (1, 2, 3)
PRIORS = (0, 100, 400)


def main() -> None:
    """Prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", type=Path)
    parser.add_argument("--index", type=Path, help="index of the documents; one of the gold set's own by default")
    parser.add_argument("--questions", type=int, default=1200, help="a random sample of so many (seeded)")
    parser.add_argument("--made", type=int, default=QUESTIONS, help="questions that are made of the documents")
    parser.add_argument("--absent", action="store_true", help="ask with and without each question's documents")
    arguments = parser.parse_args()
    gold = read_gold_set(arguments.gold)
    settings = load_settings()
    threshold = settings.answering.abstain_below
    with tempfile.TemporaryDirectory(prefix="rag-calibration-") as scratch:
        folder = arguments.index or INDEXES / f"gold-{gold.name}"
        assembly = Assembly(folder if folder.exists() else Path(scratch) / gold.name, settings=settings, create=True)
        with Engine(assembly) as engine:
            if gold.corpus is not None:
                engine.ingest(gold.corpus)
            job = assembly.calibrate_job(lambda _stage, _done, _total: None)
            if arguments.absent:
                asked = asyncio.run(_with_and_without(job, gold, arguments.questions))
            else:
                asked = asyncio.run(job.ask_gold(gold, arguments.questions, SEED))
            # All that is asked for so many that count, to be chosen from below.
            made = asyncio.run(job.ask_made(arguments.made * HARDEST_OF, SEED, hardest_of=1))
    own = _fitted(_hardest(made, HARDEST_OF), PRIOR_SELF_MADE)
    rows = {
        "default": _row([one.raw for one in asked], asked, threshold),
        "self_made": _row(_told(own, asked), asked, threshold) | {"offset": own[0], "slope": own[1]},
        "gold": _row(*_by_the_other_half(asked), threshold),
    }
    outcomes = [one.answerable for one in asked]
    choices = {
        f"hardest of {hardest}, prior {prior}": expected_calibration_error(
            zip(_told(_fitted(_hardest(made, hardest), prior), asked), outcomes, strict=True)
        )
        for hardest in HARDEST
        for prior in PRIORS
    }
    found = {"gold": gold.name, "absent": arguments.absent, "questions": len(asked), "made": len(made)}
    print(
        json.dumps(found | {"rows": {name: _rounded(row) for name, row in rows.items()}, "choices": _rounded(choices)})
    )


async def _with_and_without(job: CalibrateJob, gold: GoldSet, count: int) -> list[Asked]:
    known = [question for question in gold.questions if question.relevant and question.answerable is not False]
    random.Random(SEED).shuffle(known)
    asked = []
    for question in known[: count // 2]:
        documents = tuple(document for document, grade in question.relevant.items() if grade > 0)
        for condition in (None, Comparison("id", Comparator.NOT_IN, documents)):
            _, completion = await job.answer(question.text, condition=condition)
            there = condition is None
            asked.append(Asked(min(question.relevant), completion.confidence or 0.0, answerable=there, right=there))
    return asked


def _by_the_other_half(asked: Sequence[Asked]) -> tuple[list[float], list[Asked]]:
    groups = sorted({one.group for one in asked})
    random.Random(SEED).shuffle(groups)
    first = set(groups[::2])
    halves = [one for one in asked if one.group in first], [one for one in asked if one.group not in first]
    told = [*_told(_fitted(halves[1], PRIOR_GOLD), halves[0]), *_told(_fitted(halves[0], PRIOR_GOLD), halves[1])]
    return told, [*halves[0], *halves[1]]


def _hardest(made: Sequence[Asked], of: int) -> list[Asked]:
    """As ``ask_made`` chooses, of all that was asked."""
    withheld = [one for one in made if not one.answerable]
    kept = [max(withheld[at : at + of], key=lambda one: one.raw) for at in range(0, len(withheld) - of + 1, of)]
    return [one for one in made if one.answerable][: len(kept)] + kept


def _fitted(asked: Sequence[Asked], prior: float) -> tuple[float, float]:
    return fit_map([x.raw for x in asked], [x.answerable for x in asked], prior_questions=prior)


def _told(fitted: tuple[float, float], asked: Sequence[Asked]) -> list[float]:
    calibration = Calibration(*fitted, threshold=0.0)
    return [calibration.probability(one.raw) for one in asked]


def _row(told: Sequence[float], asked: Sequence[Asked], threshold: float) -> dict[str, float | None]:
    outcomes = [one.answerable for one in asked]
    measures = measure_probabilities(told, outcomes)
    figures: dict[str, float | None] = {
        "ece": measures.expected_calibration_error,
        "ece_of_truth": _error_of_truth(told),
        "brier": measures.brier,
        "auroc": measures.auroc,
        "aurc": area_under_risk_coverage(
            (probability, float(not one.right)) for probability, one in zip(told, asked, strict=True)
        ),
    }
    for name, at in (("default", threshold), ("half", 0.5)):
        refused = [answerable for probability, answerable in zip(told, outcomes, strict=True) if probability < at]
        rightly = len(refused) - sum(refused)
        figures[f"refusal_precision_{name}"] = rightly / max(1, len(refused))
        figures[f"refusal_recall_{name}"] = rightly / max(1, len(outcomes) - sum(outcomes))
    return figures


def _error_of_truth(told: Sequence[float]) -> float:
    drawn = random.Random(SEED)
    errors = [
        expected_calibration_error((probability, float(drawn.random() < probability)) for probability in told) or 0.0
        for _ in range(100)
    ]
    return sum(errors) / len(errors)


def _rounded(row: Mapping[str, float | None]) -> dict[str, float | None]:
    return {name: None if value is None else round(value, 4) for name, value in row.items()}


if __name__ == "__main__":
    main()
