"""How faithful a compiled model is to the original in single precision, and when it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rag_engine.protocols import Vectors

NEIGHBOURS = 10
# On six gold sets int8 of this fidelity moves nDCG@10 by less than .005: see benchmarks, quality/*-dense.
LEAST_MEAN_COSINE = 0.98
LEAST_COSINE = 0.90
LEAST_AGREEMENT = 0.85


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Cosines to the original's vectors, and the share of each text's ten nearest texts that are the same."""

    mean_cosine: float
    least_cosine: float
    neighbour_agreement: float

    @property
    def refusal(self) -> str | None:
        """Why a model of this fidelity is not used; None where it is faithful enough."""
        for name, value, least in (
            ("mean cosine", self.mean_cosine, LEAST_MEAN_COSINE),
            ("least cosine", self.least_cosine, LEAST_COSINE),
            ("neighbour agreement", self.neighbour_agreement, LEAST_AGREEMENT),
        ):
            if not value >= least:  # also where it is no number
                return f"{name} to single precision {value:.3f}, below {least}"
        return None


def measure_fidelity(vectors: Vectors, original: Vectors) -> Fidelity:
    """Compares unit rows, shape (texts, dimension), text by text and neighbourhood by neighbourhood."""
    cosines = (vectors * original).sum(axis=1)
    agreement = np.mean(
        [
            len(np.intersect1d(mine, theirs)) / len(theirs)
            for mine, theirs in zip(_nearest(vectors), _nearest(original), strict=True)
        ]
    )
    return Fidelity(float(cosines.mean()), float(cosines.min()), float(agreement))


def _nearest(vectors: Vectors) -> list[list[int]]:
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -np.inf)
    depth = min(NEIGHBOURS, len(vectors) - 1)
    return [[int(i) for i in row] for row in np.argsort(-similarity, axis=1, kind="stable")[:, :depth]]
