"""What every Reranker must do; a new one is added to ``rerankers``."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from rag_engine.context_retrieval import CrossEncoderReranker
from rag_engine.protocols import Reranker
from tests.cross_encoders import save_cross_encoder

TEXTS = ["the refund is paid", "the parcel is lost", "", "paid " * 1000, "Lift ↑ 電梯"]


def cross_encoder(folder: Path) -> Reranker:
    return CrossEncoderReranker(name="random", folder=save_cross_encoder(folder, likes=None))


@pytest.fixture(scope="module", params=[cross_encoder], ids=lambda make: make.__name__)
def reranker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Reranker:
    make: Callable[[Path], Reranker] = request.param
    return make(tmp_path_factory.mktemp("reranker"))


def test_every_text_has_a_finite_score_whatever_it_holds(reranker: Reranker) -> None:
    found = reranker.scores("when is it paid?", TEXTS)
    assert len(found) == len(TEXTS)
    assert all(math.isfinite(score) for score in found)


def test_the_same_call_gives_the_same_scores_and_a_texts_place_changes_none(reranker: Reranker) -> None:
    found = reranker.scores("when is it paid?", TEXTS)
    assert list(reranker.scores("when is it paid?", TEXTS)) == pytest.approx(list(found), abs=1e-6)
    assert list(reranker.scores("when is it paid?", TEXTS[::-1])) == pytest.approx(list(found)[::-1], abs=1e-4)


def test_no_text_has_no_score(reranker: Reranker) -> None:
    assert list(reranker.scores("when is it paid?", [])) == []
