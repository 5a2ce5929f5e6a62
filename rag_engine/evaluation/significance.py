"""Whether one run is better than another: paired tests over queries (Smucker, Allan and Carterette, 2007)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag_engine.errors import GoldSetError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Differences = NDArray[np.float64]

RESAMPLES = 10_000
_EXACT_UP_TO = 12
_SEED = 20_170_611
_CELLS_AT_ONCE = 4_000_000
_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """A candidate against a baseline in one measure, over the same queries.

    ``mean_difference`` is candidate less baseline, ``interval`` its 95 % bootstrap interval; ``worse`` and
    ``better`` count the queries on which the candidate is so.
    """

    measure: str
    mean_difference: float
    p_value: float
    interval: tuple[float, float]
    worse: int
    better: int
    queries: int

    @property
    def significantly_worse(self) -> bool:
        """Whether the candidate is worse and chance alone would rarely (p < 0.05) make it so."""
        return self.mean_difference < 0 and self.p_value < _LEVEL


def compare(baseline: Mapping[str, float], candidate: Mapping[str, float], *, measure: str) -> PairedComparison:
    """Compares the values of one measure, by query. The same input always gives the same figures.

    Raises:
        GoldSetError: the two are not about the same queries, or there are none.
    """
    if baseline.keys() != candidate.keys():
        alone = sorted(baseline.keys() ^ candidate.keys())
        raise GoldSetError(
            f"baseline and candidate are not about the same queries; only one has {', '.join(alone[:5])}",
            hint="compare runs of the same gold set",
        )
    if not baseline:
        raise GoldSetError("there is no query to compare on")
    import numpy as np

    differences = np.array([candidate[query] - baseline[query] for query in sorted(baseline)], dtype=np.float64)
    return PairedComparison(
        measure=measure,
        mean_difference=float(differences.mean()),
        p_value=randomisation_p_value(differences),
        interval=bootstrap_interval(differences),
        worse=int((differences < 0).sum()),
        better=int((differences > 0).sum()),
        queries=len(differences),
    )


def randomisation_p_value(differences: Differences) -> float:
    """Two-sided p-value of the paired sign-flip test for differences of shape (queries,).

    Exact where at most 12 differences are not zero, else from 10,000 seeded resamples, with the observed
    assignment counted among them so that p is never 0.
    """
    import numpy as np

    nonzero = differences[differences != 0]
    observed = abs(float(nonzero.sum()))
    # Sums of the same numbers in another order differ by rounding; those count as equal.
    threshold = observed - 1e-9 * float(np.abs(nonzero).sum())
    if len(nonzero) <= _EXACT_UP_TO:
        assignments = np.arange(2 ** len(nonzero))[:, None] >> np.arange(len(nonzero)) & 1
        return float((np.abs(_flipped_sums(assignments, nonzero)) >= threshold).mean())
    generator = np.random.default_rng(_SEED)
    as_extreme = 1
    for size in _block_sizes(len(nonzero)):
        assignments = generator.integers(0, 2, size=(size, len(nonzero)), dtype=np.int8)
        as_extreme += int((np.abs(_flipped_sums(assignments, nonzero)) >= threshold).sum())
    return as_extreme / (RESAMPLES + 1)


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


def _flipped_sums(assignments: NDArray[np.integer], differences: Differences) -> Differences:
    """Sums of the differences after flipping the signs of those assigned 1; shape (assignments,)."""
    flipped: Differences = differences.sum() - 2 * (assignments @ differences)
    return flipped


def _block_sizes(columns: int) -> list[int]:
    """Resamples to draw at once, so that memory stays bounded whatever the number of queries."""
    rows = max(1, _CELLS_AT_ONCE // columns)
    return [min(rows, RESAMPLES - start) for start in range(0, RESAMPLES, rows)]
