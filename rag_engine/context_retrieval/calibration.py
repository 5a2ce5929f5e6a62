"""From a model's raw confidence to the probability that the evidence is there, and to a threshold that keeps a risk.

The map is Platt's (1999) on the logit of the confidence: ``sigmoid(offset + slope * logit(raw))``. It has two
parameters, never turns an order round, and is drawn towards the map that changes nothing, so that few questions change
little.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag_engine.errors import CalibrationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Column = NDArray[np.float64]

LEAST_SLOPE = 0.1
# Raw confidences nearer to 0 or 1 count as these: their logits would outweigh all others.
_NEAREST = 1e-4
# The bound on a risk holds with this probability, over the draw of the questions.
CERTAINTY = 0.9
# Thresholds that are looked at: every so many-th part of the questions more is answered.
_STEPS = 20
# The strictest threshold answers so many times what could prove the risk without any wrong answer: with fewer, one
# wrong answer would end the search where it begins.
_SLACK = 3


@dataclass(frozen=True, slots=True)
class Calibration:
    """A map from raw confidence to probability; both in [0, 1]. ``slope`` is positive, so it keeps every order.

    Below ``threshold``, a probability, nothing is answered.
    """

    offset: float
    slope: float
    threshold: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.offset) and math.isfinite(self.slope) and self.slope > 0):
            raise CalibrationError(f"offset {self.offset} and slope {self.slope} make no map that keeps an order")
        if not 0 <= self.threshold <= 1:
            raise CalibrationError(f"no probability is below a threshold of {self.threshold}")

    def probability(self, raw: float) -> float:
        """The probability that a question answered with this raw confidence has its evidence in the documents."""
        return _sigmoid(self.offset + self.slope * _logit(raw))


@dataclass(frozen=True, slots=True)
class KeptRisk:
    """The lowest raw confidence from which answers keep a risk.

    Of ``answered`` questions at or above ``raw``, ``wrong`` were answered wrongly; ``bound`` is what the share of wrong
    answers stays below with a probability of ``CERTAINTY``.
    """

    raw: float
    answered: int
    wrong: int
    bound: float


def fit_map(raw: Sequence[float], answerable: Sequence[bool], *, prior_questions: float) -> tuple[float, float]:
    """Offset and slope by Newton's method; the prior, the map that changes nothing, counts as so many questions.

    The two classes weigh the same whatever their numbers: a probability means the same before and after, were half of
    all questions answerable. With one class only, or none, the prior is returned.
    """
    import numpy as np

    outcomes = np.array(answerable, dtype=float)
    if outcomes.size == 0 or outcomes.min() == outcomes.max():
        return 0.0, 1.0
    share = outcomes.mean()
    weights = np.where(outcomes == 1, 0.5 / share, 0.5 / (1 - share))
    design = np.column_stack([np.ones(len(outcomes)), [_logit(value) for value in raw]])
    prior = solution = np.array([0.0, 1.0])
    # A logistic regression learns about a quarter of a unit of information from each question.
    strength = prior_questions / 4
    for _ in range(100):
        likely = 1 / (1 + np.exp(-np.clip(design @ solution, -30, 30)))
        gradient = design.T @ (weights * (likely - outcomes)) + strength * (solution - prior)
        curvature = (design * (weights * likely * (1 - likely))[:, None]).T @ design + (strength + 1e-9) * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        solution = solution - step / max(1.0, float(np.abs(step).max()))
        if float(np.abs(step).max()) < 1e-9:
            break
    return float(solution[0]), max(float(solution[1]), LEAST_SLOPE)


def keep_risk(raw: Sequence[float], right: Sequence[bool], *, risk: float) -> KeptRisk:
    """The lowest threshold whose share of wrong answers stays below ``risk`` with a probability of ``CERTAINTY``.

    Thresholds are tested from the strictest down, and the first that fails ends it: then all that passed hold at once
    (fixed-sequence testing, Angelopoulos and others 2021, as in Geifman and El-Yaniv's selective guarantee, 2017). Each
    test is Clopper and Pearson's exact bound (1934). The strictest threshold answers ``least_answers`` questions, or a
    tenth of all where that is more.

    Raises:
        CalibrationError: ``risk`` is not between 0 and 1, there are too few questions to prove it, or no threshold
            keeps it.
    """
    first = max(least_answers(risk), len(raw) // 10)
    if len(raw) < first:
        raise CalibrationError(
            f"{len(raw)} questions cannot prove a risk of {risk:g}: {first} are needed at least",
            hint="ask for more questions with --questions, or accept a higher --risk",
        )
    order = sorted(range(len(raw)), key=lambda position: -raw[position])
    step = max(1, (len(raw) - first) // _STEPS)
    kept: KeptRisk | None = None
    best = 1.0  # the first bound, where nothing is kept
    wrong = counted = 0
    for answered in [*range(first, len(raw), step), len(raw)]:
        # Questions of one confidence are answered together or not at all.
        while answered < len(raw) and raw[order[answered]] == raw[order[answered - 1]]:
            answered += 1  # noqa: PLW2901 - the rest of a tie
        wrong += sum(not right[position] for position in order[counted:answered])
        counted = max(counted, answered)
        bound = upper_bound(wrong, counted)
        if bound > risk:
            best = bound
            break
        kept = KeptRisk(raw[order[counted - 1]], counted, wrong, bound)
    if kept is None:
        raise CalibrationError(
            f"no threshold keeps a risk of {risk:g}: of the {first} surest answers up to {best:.0%} may be wrong",
            hint="accept a higher --risk, or ask for more questions with --questions",
        )
    return kept


def least_answers(risk: float) -> int:
    """How many answers are looked at first: three times as many as prove, all right, that at most ``risk`` is wrong.

    Raises:
        CalibrationError: ``risk`` is not between 0 and 1.
    """
    if not 0 < risk < 1:
        raise CalibrationError(f"a risk of {risk:g} can be neither kept nor missed", hint="give a --risk such as 0.1")
    return _SLACK * math.ceil(math.log(1 - CERTAINTY) / math.log(1 - risk))


def upper_bound(wrong: int, answered: int) -> float:
    """Clopper and Pearson's upper bound on a share of which ``wrong`` of ``answered`` were seen."""
    if wrong >= answered:
        return 1.0
    low, high = wrong / answered, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        if _at_most(wrong, answered, middle) > 1 - CERTAINTY:
            low = middle
        else:
            high = middle
    return high


def _at_most(wrong: int, answered: int, share: float) -> float:
    """Binomial probability of at most ``wrong`` of ``answered``."""
    if share >= 1:
        return 0.0
    logs = (
        math.lgamma(answered + 1)
        - math.lgamma(count + 1)
        - math.lgamma(answered - count + 1)
        + (count * math.log(share) if count else 0.0)
        + (answered - count) * math.log1p(-share)
        for count in range(wrong + 1)
    )
    return math.fsum(math.exp(log) for log in logs)


def _logit(raw: float) -> float:
    inside = min(max(raw, _NEAREST), 1 - _NEAREST)
    return math.log(inside / (1 - inside))


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-min(max(logit, -60.0), 60.0)))
