"""How well probabilities were told: their calibration error, their order, and what answering less would spare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag_engine.evaluation.confidence_measures import expected_calibration_error

_COVERAGES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True, slots=True)
class ProbabilityMeasures:
    """Measures of probabilities against what was so; ``auroc`` is None where all outcomes are the same.

    ``expected_calibration_error`` and ``brier`` are better the lower, ``auroc`` the higher.
    """

    expected_calibration_error: float
    brier: float
    auroc: float | None


@dataclass(frozen=True, slots=True)
class CoveragePoint:
    """What happens when nothing below ``threshold`` is answered: which share is (``coverage``), and the share of wrong
    answers among these (``risk``)."""

    threshold: float
    coverage: float
    risk: float


def measure_probabilities(probabilities: Sequence[float], outcomes: Sequence[bool]) -> ProbabilityMeasures:
    """The three measures; both sequences are of one length, which is not 0."""
    pairs = [(probability, float(outcome)) for probability, outcome in zip(probabilities, outcomes, strict=True)]
    squares = [(probability - outcome) ** 2 for probability, outcome in zip(probabilities, outcomes, strict=True)]
    return ProbabilityMeasures(
        expected_calibration_error(pairs) or 0.0, sum(squares) / len(squares), auroc(probabilities, outcomes)
    )


def auroc(probabilities: Sequence[float], outcomes: Sequence[bool]) -> float | None:
    """How often a true outcome has the higher probability of a pair with a false one, an equal one counting half.

    The area under the ROC curve as Mann and Whitney's U (Hanley and McNeil, 1982).
    """
    ranked = sorted(zip(probabilities, outcomes, strict=True))
    true = sum(outcomes)
    false = len(ranked) - true
    if not true or not false:
        return None
    won = 0.0
    below = start = 0
    while start < len(ranked):
        end = start
        while end < len(ranked) and ranked[end][0] == ranked[start][0]:
            end += 1
        ups = sum(outcome for _, outcome in ranked[start:end])
        downs = end - start - ups
        won += ups * (below + downs / 2)
        below += downs
        start = end
    return won / (true * false)


def risk_coverage(probabilities: Sequence[float], right: Sequence[bool]) -> tuple[CoveragePoint, ...]:
    """Ten points of the risk-coverage curve (El-Yaniv and Wiener, 2010), from the strictest threshold on."""
    pairs = sorted(zip(probabilities, right, strict=True), reverse=True)
    points: dict[float, CoveragePoint] = {}
    for coverage in _COVERAGES:
        answered = max(1, round(coverage * len(pairs)))
        threshold = pairs[answered - 1][0]
        while answered < len(pairs) and pairs[answered][0] == threshold:
            answered += 1
        wrong = sum(not was_right for _, was_right in pairs[:answered])
        points[threshold] = CoveragePoint(threshold, answered / len(pairs), wrong / answered)
    return tuple(points.values())
