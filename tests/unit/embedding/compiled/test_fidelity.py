"""When a compiled model is refused."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rag_engine.embedding.compiled.fidelity import measure_fidelity


@pytest.fixture
def original() -> NDArray[np.float32]:
    """Unit rows in twelve clusters, as texts on twelve subjects have them."""
    random = np.random.default_rng(5)
    centres = random.normal(size=(12, 64))
    return _unit(np.repeat(centres, 8, axis=0) + 0.8 * random.normal(size=(96, 64)))


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_the_same_vectors_are_perfectly_faithful(original: NDArray[np.float32]) -> None:
    fidelity = measure_fidelity(original, original)
    assert fidelity.mean_cosine == pytest.approx(1.0)
    assert fidelity.neighbour_agreement == 1.0
    assert fidelity.refusal is None


def test_rounding_is_forgiven(original: NDArray[np.float32]) -> None:
    assert measure_fidelity(_unit(np.round(original * 300) / 300), original).refusal is None


def test_vectors_that_point_elsewhere_are_refused(original: NDArray[np.float32]) -> None:
    noise = np.random.default_rng(6).normal(scale=0.06, size=original.shape)
    assert "mean cosine" in str(measure_fidelity(_unit(original + noise), original).refusal)


def test_a_single_text_gone_wrong_is_refused(original: NDArray[np.float32]) -> None:
    spoilt = original.copy()
    spoilt[3] = spoilt[90]
    assert "least cosine" in str(measure_fidelity(spoilt, original).refusal)


def test_neighbourhoods_that_differ_are_refused_though_the_cosines_are_high() -> None:
    # As models do whose vectors all lie close together: their cosines say little.
    random = np.random.default_rng(7)
    original = _unit(10 + 0.3 * random.normal(size=(96, 64)))
    other = _unit(10 + 0.3 * random.normal(size=(96, 64)))
    assert "neighbour agreement" in str(measure_fidelity(other, original).refusal)


def test_values_that_are_no_numbers_are_refused(original: NDArray[np.float32]) -> None:
    spoilt = original.copy()
    spoilt[0] = np.nan
    assert measure_fidelity(spoilt, original).refusal is not None
