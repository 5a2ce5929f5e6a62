"""Fits the weights of estimates to counts of real tokenizers, and how much is added for a bound.

The weights are what least squares of the relative error give, none below zero; every source weighs about the same. The
bound is what undercounts at most ``UNDERCOUNTED`` of the stretches of sources that the weights were not fitted on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from rag_engine.token_counter.estimate import Estimate
from rag_engine.token_counter.text_features import FEATURES, SCRIPTS, text_features, utf8

UNDERCOUNTED = 0.01
Array = NDArray[np.float64]
# Where there is no text in a script, a character of it is taken for one token.
_PRIOR = np.array([1.0 if name in SCRIPTS else 0.0 for name in FEATURES])
_TRUST_IN_PRIOR = np.array([0.02 if name in SCRIPTS else 0.0005 for name in FEATURES])


@dataclass(frozen=True)
class Samples:
    """Stretches: the source of each, its features and its bytes."""

    sources: NDArray[np.str_]
    features: Array
    sizes: Array

    @classmethod
    def of(cls, stretches: dict[str, list[str]]) -> Samples:
        """Those of texts by source."""
        data = [(source, utf8(text)) for source, texts in stretches.items() for text in texts]
        return cls(
            np.array([source for source, _ in data]),
            np.array([text_features(one) for _, one in data], dtype=float),
            np.array([len(one) for _, one in data], dtype=float),
        )

    @property
    def shares(self) -> Array:
        """The weight of each stretch: sources count alike, but for very small ones."""
        names, counts = np.unique(self.sources, return_counts=True)
        size = dict(zip(names, counts, strict=True))
        return np.array([1 / max(size[source], 8) for source in self.sources])


def weights(features: Array, counts: Sequence[Array], shares: Array) -> Array:
    """The weights that fit the counts of all of these tokenizers best."""
    rows, wanted = [], []
    for one in counts:
        true = np.maximum(1, one)
        relative = features / true[:, None]
        pull = np.sqrt(_TRUST_IN_PRIOR) * (np.sqrt((relative**2).mean(axis=0)) + 0.003)
        rows += [relative * np.sqrt(shares)[:, None], np.diag(pull)]
        wanted += [np.sqrt(shares), pull * _PRIOR]
    found: Array = nnls(np.vstack(rows), np.concatenate(wanted))[0]
    return found


def held_out(samples: Samples, fitted_to: Sequence[Array]) -> Array:
    """For every stretch what weights say that were fitted without its source."""
    estimated = np.zeros(len(samples.sources))
    for source in np.unique(samples.sources):
        of_source = samples.sources == source
        found = weights(
            samples.features[~of_source], [one[~of_source] for one in fitted_to], samples.shares[~of_source]
        )
        estimated[of_source] = samples.features[of_source] @ found
    return estimated


def bounds(samples: Samples, estimated: Array, ratio: float, *, safety: float = 1.0) -> Array:
    """The upper bounds of estimates."""
    estimate = Estimate(name="", weights=dict.fromkeys(FEATURES, 0.0), ratio=ratio, safety=safety)
    return np.array(
        [
            estimate.bound(central, row, int(size))
            for central, row, size in zip(estimated, samples.features, samples.sizes, strict=True)
        ]
    )


def smallest_ratio(samples: Samples, cases: Sequence[tuple[Array, Array]]) -> float:
    """Of (estimated, true) counts: what estimates must be multiplied by so that, of each pair, at most ``UNDERCOUNTED``
    of the stretches, and where each source counts alike at most four times that (many have few stretches), have more
    tokens than the bound."""
    shares = samples.shares / samples.shares.sum()
    for hundredths in range(100, 300):
        ratio = hundredths / 100
        missed = [true > bounds(samples, estimated, ratio) for estimated, true in cases]
        if all(one.mean() <= UNDERCOUNTED and (one * shares).sum() <= 4 * UNDERCOUNTED for one in missed):
            return ratio
    raise ValueError("no ratio below 3 keeps the bound")
