"""Whether one run is better than another: paired tests over queries, and what they could show at all.

Arrays in, numbers out: ``differences`` are candidate less baseline, of shape (queries,) for one measure or
(queries, measures) for several. The same input always gives the same figures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Differences = NDArray[np.float64]

LEVEL = 0.05
POWER = 0.8
RESAMPLES = 10_000
_EXACT_UP_TO = 12
_TELLING_CHANGES = 30
_SEED = 20_170_611
_CELLS_AT_ONCE = 4_000_000


def randomisation_p_value(differences: Differences) -> float:
    """Two-sided p-value of the paired sign-flip test (Smucker, Allan and Carterette, 2007) for one measure.

    Exact where at most 12 differences are not zero, else from 10,000 seeded resamples, with the observed
    assignment counted among them so that p is never 0.
    """
    return float(randomisation_p_values(differences[:, None])[0])


def randomisation_p_values(differences: Differences) -> Differences:
    """The p-values of several measures at once, from the same flipped queries; shape (measures,).

    A query that a measure does not score is a difference of 0 there, which changes nothing.
    """
    import numpy as np

    p_values = np.empty(differences.shape[1])
    few = np.count_nonzero(differences, axis=0) <= _EXACT_UP_TO
    for column in np.flatnonzero(few):
        p_values[column] = _exact_p_value(differences[:, column])
    if not few.all():
        p_values[~few] = _resampled_p_values(differences[:, ~few])
    return p_values


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values adjusted for being so many, in their order (Holm, 1979).

    Taking those below a level then calls any true null hypothesis false no more often than the level says,
    whatever the measures have to do with one another.
    """
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def bootstrap_interval(differences: Differences) -> tuple[float, float]:
    """95 % percentile interval of the mean of differences of shape (queries,), from 10,000 seeded resamples."""
    import numpy as np

    generator = np.random.default_rng(_SEED)
    count = len(differences)
    means = np.concatenate(
        [differences[generator.integers(0, count, size=(size, count))].mean(axis=1) for size in _block_sizes(count)]
    )
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def fewest_queries(measures: int) -> int:
    """How many queries must differ, all in one direction, before any of so many measures can be significant.

    Of n differences all of one sign, 2 of the 2^n assignments are as extreme, so p is 2^(1 - n) at least.
    """
    return 1 + math.ceil(math.log2(measures / LEVEL))


def smallest_effect(differences: Differences, *, measures: int) -> float | None:
    """The smallest true loss in the mean, in [0, 1], that the gate finds with 80 % power; None where it finds none.

    It is the effect at which the sample size formula for a paired comparison (Lachin, 1981; as minimum detectable
    effect Bloom, 1995; for test collections Sakai, 2014) asks for as many queries as there are:

        effect * sqrt(n) = t(1 - level / (2 * measures)) * spread(0) + t(power) * spread(effect)

    with Student's t of n - 1 degrees of freedom, at the level that Holm's first step asks of so many measures. A
    loss of the mean is no constant but some queries that lose, which adds to the spread; leaving that out promises a
    power that is not there. It is taken to come in steps of ``size``, the largest change seen, or 1 where fewer than
    30 queries differ and the largest there can be has hardly been seen: with the differences'
    standard deviation, the variance at a true effect is ``deviation² + effect * size - effect²``, and that of flipped
    signs has no last term. ``benchmarks.quality.gate`` measures the power that comes of it.

    None where no query differs, so that nothing tells the spread, and where there are fewer queries than could be
    significant if all of them lost, or than the formula asks for even at a loss of 1.
    """
    import numpy as np

    count = len(differences)
    magnitudes = np.abs(differences)
    if count < fewest_queries(measures) or not magnitudes.any():
        return None
    variance = float(differences.var(ddof=1))
    size = float(magnitudes.max()) if np.count_nonzero(magnitudes) >= _TELLING_CHANGES else 1.0
    level = _student_quantile(1 - LEVEL / (2 * measures), count - 1)
    power = _student_quantile(POWER, count - 1)

    def lacks(effect: float) -> bool:
        flipped = variance + effect * size
        needed = level * math.sqrt(flipped) + power * math.sqrt(max(0.0, flipped - effect**2))
        return effect * math.sqrt(count) < needed

    low, high = 0.0, 1.0
    if lacks(high):
        return None
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if lacks(middle) else (low, middle)
    return high


def _exact_p_value(differences: Differences) -> float:
    import numpy as np

    nonzero = differences[differences != 0]
    assignments = np.arange(2 ** len(nonzero))[:, None] >> np.arange(len(nonzero)) & 1
    sums = np.abs(nonzero.sum() - 2 * (assignments @ nonzero))
    return float((sums >= _thresholds(nonzero[:, None])[0]).mean())


def _resampled_p_values(differences: Differences) -> Differences:
    import numpy as np

    generator = np.random.default_rng(_SEED)
    queries, measures = differences.shape
    totals, thresholds = differences.sum(axis=0), _thresholds(differences)
    as_extreme = np.ones(measures)
    for size in _block_sizes(max(queries, measures)):
        bits = generator.integers(0, 256, size=(size, (queries + 7) // 8), dtype=np.uint8)
        flipped = np.unpackbits(bits, axis=1, count=queries).astype(np.float64)
        as_extreme += (np.abs(totals - 2 * (flipped @ differences)) >= thresholds).sum(axis=0)
    p_values: Differences = as_extreme / (RESAMPLES + 1)
    return p_values


def _thresholds(differences: Differences) -> Differences:
    """From which sums on an assignment is as extreme as the observed one, by measure."""
    import numpy as np

    # Sums of the same numbers in another order differ by rounding; those count as equal.
    thresholds: Differences = np.abs(differences.sum(axis=0)) - 1e-9 * np.abs(differences).sum(axis=0)
    return thresholds


def _block_sizes(columns: int) -> list[int]:
    """Resamples to draw at once, so that memory stays bounded whatever the number of queries."""
    rows = max(1, _CELLS_AT_ONCE // columns)
    return [min(rows, RESAMPLES - start) for start in range(0, RESAMPLES, rows)]


def _student_quantile(probability: float, freedom: int) -> float:
    """Quantile of Student's t by its expansion about the normal one (Abramowitz and Stegun, 1964, 26.7.5).

    Within .1 % of the true one from 5 degrees of freedom on; a gate with fewer has nothing to show.
    """
    z = NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
    return z + math.fsum(term / float(freedom) ** power for power, term in enumerate(terms, start=1))
