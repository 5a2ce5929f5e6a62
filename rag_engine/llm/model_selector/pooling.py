"""From questions that are like a new one to what each model will make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag_engine.llm.model_selector.forest import Likeness
    from rag_engine.llm.model_selector.outcome_table import OutcomeTable

    Matrix = NDArray[np.float64]

_NINETY = 1.6449  # standard deviations on each side that hold 90 %


class Pooled(NamedTuple):
    """What earlier answers say, by row and model: their weighted mean ``quality``, how many equally weighted ones they
    are worth (``worth``; 0 where there are none), and how many there are."""

    quality: Matrix
    worth: Matrix
    observations: Matrix


def pool(table: OutcomeTable, likeness: Likeness, rows: int) -> Pooled:
    """The answers to the questions that are like each of so many rows; shape (rows, models)."""
    import numpy as np

    counts = table.starts[likeness.question + 1] - table.starts[likeness.question]
    ends = np.cumsum(counts)
    answer = np.arange(ends[-1] if len(ends) else 0)
    answer += np.repeat(table.starts[likeness.question] - ends + counts, counts)
    weight = np.repeat(likeness.weight, counts)
    models = len(table.models)
    cell = np.repeat(likeness.row * models, counts) + table.model[answer]

    def summed(values: Matrix | None) -> Matrix:
        sums: Matrix = np.bincount(cell, values, minlength=rows * models).reshape(rows, models).astype(np.float64)
        return sums

    weights = summed(weight)
    heard = weights > 0
    quality = np.divide(summed(weight * table.quality[answer]), weights, out=np.zeros_like(weights), where=heard)
    worth = np.divide(weights**2, summed(weight**2), out=np.zeros_like(weights), where=heard)
    return Pooled(quality, worth, summed(None))


def shrunk(pooled: Pooled, means: Matrix, prior: float) -> Matrix:
    """Qualities to be expected: what the answers say, and the model's mean as if it were so many answers more."""
    estimates: Matrix = (pooled.quality * pooled.worth + prior * means) / (pooled.worth + prior)
    return estimates


def interval(quality: Matrix, worth: Matrix) -> tuple[Matrix, Matrix]:
    """The bounds that hold the quality to be expected with a probability of 90 %, where so many answers speak for it
    (Wilson, 1927)."""
    import numpy as np

    square = _NINETY**2
    middle = (quality * worth + square / 2) / (worth + square)
    reach = _NINETY / (worth + square) * np.sqrt(quality * (1 - quality) * worth + square / 4)
    return np.clip(np.minimum(middle - reach, quality), 0, 1), np.clip(np.maximum(middle + reach, quality), 0, 1)
