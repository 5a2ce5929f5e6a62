"""Gold sets and reports that several tests of comparisons are about."""

from __future__ import annotations

from collections.abc import Mapping

from rag_engine.evaluation import (
    BaselineComparison,
    EvaluationReport,
    GoldForm,
    GoldQuestion,
    GoldSet,
    Loss,
    compare,
)
from rag_engine.evaluation.losses import FallenDocument, MeasureChange
from rag_engine.types.retrieval import SearchMode

# Markup, a terminal's escape, what XML cannot hold, half a character, and quotes.
HOSTILE = "<script>alert('x')</script> & \"q\" \x1b[31m\x00\x0b\ufffe\ud800 ]]> \u0085 <b>"


def question(identifier: str, *, relevant: Mapping[str, int] | None = None, **fields) -> GoldQuestion:
    values = {"text": f"What is {identifier}?", "spans": (), "answers": (), "answerable": None} | fields
    return GoldQuestion(id=identifier, relevant=relevant or {}, **values)


def gold_set(*questions: GoldQuestion, name: str = "small") -> GoldSet:
    return GoldSet(name, GoldForm.BEIR, None, questions)


def judged_set(count: int = 3, name: str = "small") -> GoldSet:
    """Questions q0, q1, ... with one relevant document each, d0, d1, ..."""
    return gold_set(*(question(f"q{number}", relevant={f"d{number}": 1}) for number in range(count)), name=name)


def values(*numbers: float) -> dict[str, float]:
    return {f"q{number}": float(value) for number, value in enumerate(numbers)}


def loss(text: str = "What?", **fields) -> Loss:
    defaults = {
        "query": "q0",
        "question": text,
        "measures": (MeasureChange("nDCG@10", 1.0, 0.5),),
        "documents": (FallenDocument("d0", 1, 3, ("x", "y")),),
        "reasons": ("gold document d0 fell from 1 to 3; above it now: x, y",),
    }
    return Loss(**(defaults | fields))


def comparison(before: Mapping[str, float], now: Mapping[str, float], *losses: Loss, name: str = "before.run"):
    differences = {query: now[query] - before[query] for query in now}
    return BaselineComparison(
        baseline=name,
        metrics=compare({"nDCG@10": before}, {"nDCG@10": now}),
        losses=losses,
        differences={"nDCG@10": differences},
        precision_recall=((0.0, 0.9), (1.0, 0.3)),
    )


def report(significance: BaselineComparison | None = None, **fields) -> EvaluationReport:
    defaults = {
        "gold": "small",
        "form": GoldForm.BEIR,
        "mode": SearchMode.HYBRID,
        "metrics": {"nDCG@10": 0.73, "f1": None},
        "per_query": {"q1": {"nDCG@10": 0.73}},
        "queries": 1,
        "seconds": 1.5,
    }
    return EvaluationReport(**(defaults | fields), significance=significance)


WORSE = ([0.9] * 40, [0.9 - 0.01 * number for number in range(40)])
