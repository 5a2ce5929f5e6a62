"""How well confidence tells right answers from wrong ones, and whether it means what it says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

CALIBRATION_BINS = 15


def selective_risks(answers: Iterable[tuple[Any, float]]) -> list[float]:
    """Mean risk among the k most confident answers, for every k (Geifman and El-Yaniv, 2017).

    ``answers`` are pairs of confidence (anything that sorts) and risk. Answers of one confidence share their mean
    risk, so that their order does not matter.
    """
    by_confidence: dict[Any, list[float]] = {}
    for confidence, risk in answers:
        by_confidence.setdefault(confidence, []).append(risk)
    selective: list[float] = []
    total = 0.0
    for confidence in sorted(by_confidence, reverse=True):
        group = by_confidence[confidence]
        for _ in group:
            total += sum(group) / len(group)
            selective.append(total / (len(selective) + 1))
    return selective


def area_under_risk_coverage(answers: Iterable[tuple[Any, float]]) -> float | None:
    """Mean of ``selective_risks``; lower is better. None where there is no answer."""
    selective = selective_risks(answers)
    return sum(selective) / len(selective) if selective else None


def reactions(per_query: Iterable[Mapping[str, float]]) -> list[tuple[tuple[bool, float], float]]:
    """What every question of known outcome adds to the risk-coverage curve over all questions.

    An abstention comes after every answer, whatever its confidence: no threshold brings it back. Its risk is 1, as
    there is no right answer in it.
    """
    return [
        ((not scores["abstained"], scores["confidence"]), 1.0 - scores["right"])
        for scores in per_query
        if "right" in scores
    ]


def expected_calibration_error(judged: Iterable[tuple[float, float]], bins: int = CALIBRATION_BINS) -> float | None:
    """Mean distance between confidence and how often it comes true, over bins of equal mass; lower is better.

    ``judged`` are pairs of confidence and whether (1 or 0) what it speaks of was so. They are sorted and cut into
    ``bins`` parts of as equal a number as can be, as many as there are pairs at most, and the parts weigh by their
    number (Naeini, Cooper and Hauskrecht, 2015, with the bins of Nguyen and O'Connor, 2015). Pairs of one confidence
    share their mean, so that their order does not matter. None where there is no pair.
    """
    by_confidence: dict[float, list[float]] = {}
    for confidence, came_true in judged:
        by_confidence.setdefault(confidence, []).append(came_true)
    pairs = [
        (confidence, sum(group) / len(group)) for confidence, group in sorted(by_confidence.items()) for _ in group
    ]
    if not pairs:
        return None
    bins = min(bins, len(pairs))
    edges = [len(pairs) * number // bins for number in range(bins + 1)]
    return sum(
        abs(sum(confidence - came_true for confidence, came_true in pairs[start:end])) for start, end in pairwise(edges)
    ) / len(pairs)
