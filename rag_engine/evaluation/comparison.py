"""An evaluation against a baseline: a family of measures fixed beforehand, each tested over the same questions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TypeAlias

from rag_engine.errors import GoldSetError
from rag_engine.evaluation.curves import Curve
from rag_engine.evaluation.gold_set import GoldQuestion
from rag_engine.evaluation.losses import Loss
from rag_engine.evaluation.significance import (
    LEVEL,
    bootstrap_interval,
    fewest_queries,
    holm,
    randomisation_p_values,
    smallest_effect,
)
from rag_engine.types.document import JsonValue

RETRIEVAL_FAMILY = ("nDCG@10", "R@100", "RR@10")
ANSWER_FAMILY = ("f1", "answer_in_text", "answer_in_citation", "refusal_recall")

# Measure to question to value; in every measure here more is better.
Values: TypeAlias = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class MeasureComparison:
    """A candidate against a baseline in one measure.

    ``difference`` is candidate less baseline, ``interval`` its 95 % bootstrap interval, ``p_value`` that of the
    two-sided paired randomisation test, ``p_holm`` the same after Holm's correction over all measures compared.
    ``smallest_effect`` is the smallest true loss that this comparison would find with 80 % power; where it is None,
    ``note`` says why. ``queries`` is on how many questions the measure is defined.
    """

    metric: str
    baseline: float
    value: float
    difference: float
    interval: tuple[float, float]
    p_value: float
    p_holm: float
    smallest_effect: float | None
    note: str
    queries: int
    queries_worse: int
    queries_better: int

    @property
    def worse(self) -> bool:
        """Whether the candidate is worse by more than chance explains, all measures compared being considered."""
        return self.difference < 0 and self.p_holm < LEVEL

    @property
    def better(self) -> bool:
        """The same for better."""
        return self.difference > 0 and self.p_holm < LEVEL

    def to_json(self) -> dict[str, JsonValue]:
        """The fields and the two verdicts."""
        return asdict(self) | {"interval": list(self.interval), "worse": self.worse, "better": self.better}


@dataclass(frozen=True, slots=True)
class BaselineComparison:
    """What became of every measure since the baseline, and of the questions that lost most.

    ``baseline`` is the name of its file; ``differences`` are by measure and question; ``precision_recall`` and
    ``risk_coverage`` are the baseline's curves, empty where it does not tell them.
    """

    baseline: str
    metrics: tuple[MeasureComparison, ...]
    losses: tuple[Loss, ...] = ()
    differences: Values = field(default_factory=dict)
    precision_recall: Curve = ()
    risk_coverage: Curve = ()

    @property
    def worse(self) -> tuple[str, ...]:
        """Names of the measures that are significantly worse: the gate fails where there are any."""
        return tuple(compared.metric for compared in self.metrics if compared.worse)

    @property
    def better(self) -> tuple[str, ...]:
        """Names of those that are significantly better."""
        return tuple(compared.metric for compared in self.metrics if compared.better)

    def to_json(self) -> dict[str, JsonValue]:
        """The comparison without its curves and its differences by question."""
        return {
            "baseline": self.baseline,
            "level": LEVEL,
            "metrics": [compared.to_json() for compared in self.metrics],
            "worse": list(self.worse),
            "better": list(self.better),
            "losses": [loss.to_json() for loss in self.losses],
        }


def family_values(questions: Iterable[GoldQuestion], per_query: Mapping[str, Mapping[str, float]]) -> Values:
    """The values of the family's measures by question; a measure that no question has is left out."""
    found: dict[str, dict[str, float]] = {name: {} for name in (*RETRIEVAL_FAMILY, *ANSWER_FAMILY)}
    for question in questions:
        scores = per_query.get(question.id, {})
        for name in found:
            if name in scores:
                found[name][question.id] = scores[name]
        if question.answerable is False and "abstained" in scores:
            found["refusal_recall"][question.id] = scores["abstained"]
    return {name: values for name, values in found.items() if values}


def compare(baseline: Values, candidate: Values) -> tuple[MeasureComparison, ...]:
    """Compares the measures that both have, question by question. The same input always gives the same figures.

    Raises:
        GoldSetError: the two have no measure in common, or one was measured on other questions.
    """
    import numpy as np

    names = [name for name in candidate if name in baseline]
    if not names:
        raise GoldSetError(
            "the baseline has no measure that this evaluation has",
            hint="compare retrieval with a run file, answers with what rag eval --json printed",
        )
    for name in names:
        if baseline[name].keys() != candidate[name].keys():
            alone = sorted(baseline[name].keys() ^ candidate[name].keys())
            raise GoldSetError(
                f"{name} is not about the same questions in the baseline; only one has {', '.join(alone[:5])}",
                hint="compare runs of the same gold set",
            )
    questions = sorted({question for name in names for question in candidate[name]})
    # A question that a measure does not score is a difference of 0 there, which the test passes over.
    matrix = np.array(
        [
            [
                candidate[name][question] - baseline[name][question] if question in candidate[name] else 0.0
                for name in names
            ]
            for question in questions
        ]
    )
    p_values = [float(p_value) for p_value in randomisation_p_values(matrix)]
    compared = []
    for column, (name, p_value, p_holm) in enumerate(zip(names, p_values, holm(p_values), strict=True)):
        scored = np.array([question in candidate[name] for question in questions])
        differences = matrix[scored, column]
        effect = smallest_effect(differences, measures=len(names))
        compared.append(
            MeasureComparison(
                metric=name,
                baseline=sum(baseline[name].values()) / len(differences),
                value=sum(candidate[name].values()) / len(differences),
                difference=float(differences.mean()),
                interval=bootstrap_interval(differences),
                p_value=p_value,
                p_holm=p_holm,
                smallest_effect=effect,
                note="" if effect is not None else _nothing_to_show(len(differences), len(names), differences.any()),
                queries=len(differences),
                queries_worse=int((differences < 0).sum()),
                queries_better=int((differences > 0).sum()),
            )
        )
    return tuple(compared)


def _nothing_to_show(queries: int, measures: int, differ: bool) -> str:
    fewest = fewest_queries(measures)
    if queries < fewest:
        count = "one question" if queries == 1 else f"{queries} questions"
        return (
            f"{count} can show nothing: {measures} measures need {fewest} at least"
            if measures > 1
            else (f"{count} can show nothing: a measure needs {fewest} at least")
        )
    if not differ:
        return "no question differs, so nothing tells how much measures vary"
    return f"{queries} questions that vary as much as these could not even show a loss of 1"
