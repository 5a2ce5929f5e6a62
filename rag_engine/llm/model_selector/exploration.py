"""The share of questions at which another model than the best is tried."""

from __future__ import annotations

from rag_engine.types.routing import QualityEstimate


def explores(draw: float, *, share: float, best: QualityEstimate, other: QualityEstimate) -> bool:
    """Whether ``other`` is to be tried in the place of ``best``: at a ``share`` in [0, 1] of the questions, and only
    where it could be the better one by what is known. ``draw`` is uniform in [0, 1)."""
    return draw < share and other.high > best.mean
