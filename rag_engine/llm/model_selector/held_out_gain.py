"""Whether choosing by question does better than the one model that is best on average, at no higher price."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag_engine.llm.model_selector.outcome_table import OutcomeTable

    Numbers = NDArray[np.int64]
    Matrix = NDArray[np.float64]

# Where so few answers of either side are known, nothing can be told.
FEWEST_ANSWERS = 20
_ONE_SIDED = 1.6449  # standard deviations that 95 % lie above
_HALVINGS = 40


class Gain(NamedTuple):
    """The gain in quality a question, and the bound that it is above with a probability of 95 %."""

    mean: float
    low: float


def held_out_gain(table: OutcomeTable, estimates: Matrix, best: int) -> Gain | None:
    """The gain of the models that held-out ``estimates``, shape (questions, models), name over the model ``best``;
    None where too few answers are known.

    Where every model answered every question it is the plain difference. Where answers are missing, what is known of
    the named models and of the best one stands for the rest, corrected by how far the estimates of each are off where
    they can be checked (Robins and Rotnitzky, 1995): that estimates were chosen because they are high does not count.
    """
    import numpy as np

    named = named_within_price(estimates, table.costs, best)
    apart = named != best
    questions = np.arange(len(named))
    seen = np.zeros((2, len(named)))
    off = np.zeros((2, len(named)))
    for side, model in enumerate((named, np.full_like(named, best))):
        known = table.model == model[table.question]
        seen[side] = np.bincount(table.question[known], minlength=len(named))
        sums = np.bincount(table.question[known], table.quality[known], minlength=len(named))
        off[side] = np.where(seen[side] > 0, sums / np.maximum(seen[side], 1) - estimates[questions, model], 0.0)
    checked = ((seen > 0) & apart).sum(axis=1)
    if checked.min() < FEWEST_ANSWERS:
        return None
    gains = estimates[questions, named] - estimates[questions, best]
    gains = gains + off[0] * apart.sum() / checked[0] - off[1] * apart.sum() / checked[1]
    gains = np.where(apart, gains, 0.0)
    mean = float(gains.mean())
    return Gain(mean, mean - _ONE_SIDED * float(gains.std(ddof=1)) / len(gains) ** 0.5)


def named_within_price(estimates: Matrix, costs: Matrix, best: int) -> Numbers:
    """The model of the highest estimate for each question, a dollar being worth so much quality that on average they
    cost no more than ``best``; those of unknown price are not named unless no price is known."""
    import numpy as np

    if np.isnan(costs[best]):
        return _highest(estimates)
    known = np.where(np.isnan(costs), np.inf, costs)

    def named(worth: float) -> Numbers:
        if worth == 0:
            return _highest(np.where(np.isinf(known), -np.inf, estimates))
        return _highest(estimates - worth * known)

    def affordable(worth: float) -> bool:
        return bool(known[named(worth)].mean() <= known[best] * (1 + 1e-9))

    if affordable(0.0):
        return named(0.0)
    low, high = 0.0, 1.0 / max(known[best], 1e-12)
    while not affordable(high):
        high *= 2
        if high > 1e18:
            return np.full(len(estimates), best)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if affordable(middle) else (middle, high)
    return named(high)


def _highest(values: Matrix) -> Numbers:
    highest: Numbers = values.argmax(axis=1)
    return highest
