"""What each threshold of abstention would do to the answers of a gold set: the figures behind the default.

python -m benchmarks.quality.thresholds GOLD [--questions N] [--index FOLDER]
"""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import dataclass
from pathlib import Path

from rag_engine import Engine, load_settings
from rag_engine.evaluation import GoldQuestion, read_gold_set

INDEXES = Path(__file__).parents[1] / "results" / "indexes"
THRESHOLDS = (0.20, 0.25, 0.30, 0.32, 0.35, 0.40, 0.45, 0.50, 0.55)
SEED = 1


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was answered whatever its confidence."""

    answerable: bool
    confidence: float
    cites_gold: bool


def main() -> None:
    """Prints one JSON object: a row for each threshold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gold", type=Path)
    parser.add_argument("--questions", type=int, default=10_000, help="a random sample of so many (seeded)")
    parser.add_argument("--index", type=Path, help="index of the documents; one of the gold set's own by default")
    arguments = parser.parse_args()
    gold = read_gold_set(arguments.gold)
    questions = list(gold.questions)
    random.Random(SEED).shuffle(questions)
    settings = load_settings(overrides={"answering": {"abstain_below": 0.0}})
    with Engine.open(arguments.index or INDEXES / f"gold-{gold.name}", settings=settings) as engine:
        if gold.corpus is not None:
            engine.ingest(gold.corpus)
        asked = [_ask(engine, question) for question in questions[: arguments.questions]]
    print(json.dumps({"gold": gold.name, "questions": len(asked), "rows": [_row(asked, at) for at in THRESHOLDS]}))


def _ask(engine: Engine, question: GoldQuestion) -> Asked:
    answer = engine.ask(question.text)
    return Asked(
        answerable=bool(question.answerable),
        confidence=answer.confidence,
        cites_gold=any(
            citation.document == span.document and citation.start <= span.start and span.end <= citation.end
            for citation in answer.citations
            for span in question.spans
        ),
    )


def _row(asked: list[Asked], threshold: float) -> dict[str, float]:
    refused = [one for one in asked if one.confidence < threshold]
    answerable = [one for one in asked if one.answerable]
    rightly = sum(not one.answerable for one in refused)
    return {
        "threshold": threshold,
        "refusal_precision": _share(rightly, len(refused)),
        "refusal_recall": _share(rightly, len(asked) - len(answerable)),
        "wrongly_refused": _share(len(refused) - rightly, len(answerable)),
        "answer_in_citation": _share(
            sum(one.cites_gold and one.confidence >= threshold for one in answerable), len(answerable)
        ),
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 3) if whole else 0.0


if __name__ == "__main__":
    main()
