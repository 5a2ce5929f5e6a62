"""Cross-encoders: real ones of two layers, made here, and what becomes of a ranking by their scores."""

from __future__ import annotations

import itertools
import json
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.context_retrieval.rerank import CrossEncoderReranker, reranked
from rag_engine.errors import RerankingError
from rag_engine.types.retrieval import Passage
from tests.cross_encoders import save_cross_encoder

Scores = Callable[[str], float]


class Scripted:
    """Scores that the test gives."""

    def __init__(self, scores: Sequence[float]) -> None:
        self._scores = scores
        self.seen: list[str] = []

    def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        self.seen = list(texts)
        return self._scores[: len(texts)]


def passages(*scores: float) -> list[Passage]:
    return [
        Passage(rank, score, f"document-{rank}", "", rank, 0, 6, f"text {rank}", scores={"dense": 0.5})
        for rank, score in enumerate(scores, start=1)
    ]


def order(found: Sequence[Passage]) -> list[str]:
    return [passage.text for passage in found]


def test_the_rerankers_share_of_the_score_decides() -> None:
    reranker = Scripted([-3.0, 5.0, 1.0])
    found = reranked(reranker, "q", passages(1.0, 0.9, 0.2), depth=3, weight=0.7)
    assert order(found) == ["text 2", "text 3", "text 1"]
    assert [passage.rank for passage in found] == [1, 2, 3]
    assert [round(passage.score, 3) for passage in found] == [0.97, 0.41, 0.3]
    assert found[0].scores == {"dense": 0.5, "rerank": 5.0}


def test_without_weight_or_with_equal_scores_the_order_stays() -> None:
    before = passages(1.0, 0.9, 0.2)
    assert order(reranked(Scripted([1, 2, 3]), "q", before, depth=3, weight=0.0)) == order(before)
    assert order(reranked(Scripted([2, 2, 2]), "q", before, depth=3, weight=1.0)) == order(before)


def test_what_is_below_the_depth_is_not_read_and_stays_below() -> None:
    reranker = Scripted([0.0, 1.0])
    found = reranked(reranker, "q", passages(0.9, 0.8, 0.7, 0.6), depth=2, weight=1.0)
    assert reranker.seen == ["text 1", "text 2"]
    assert order(found) == ["text 2", "text 1", "text 3", "text 4"]
    assert "rerank" not in found[2].scores


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(-10, 10)), max_size=12), st.integers(1, 15), st.floats(0, 1))
def test_scores_fall_and_every_passage_comes_once(pairs: list[tuple[float, float]], depth: int, weight: float) -> None:
    before = passages(*sorted((first for first, _ in pairs), reverse=True))
    found = reranked(Scripted([second for _, second in pairs]), "q", before, depth=depth, weight=weight)
    assert sorted(order(found)) == sorted(order(before))
    assert all(one.score >= other.score for one, other in itertools.pairwise(found))
    assert order(found)[depth:] == order(before)[depth:]


# Real models -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_cross_encoder(tmp_path_factory.mktemp("random"), likes=None)


@pytest.fixture(scope="module")
def refund_lover(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_cross_encoder(tmp_path_factory.mktemp("refund"), likes="refund")


def test_a_cross_encoder_gives_the_same_finite_score_for_the_same_pair_alone_or_among_others(
    random_model: Path,
) -> None:
    reranker = CrossEncoderReranker(name="random", folder=random_model, batch_size=2)
    texts = ["the refund is paid", "the parcel is lost", "a", "the refund is paid", "word " * 500]
    found = reranker.scores("is it paid", texts)
    assert len(found) == len(texts)
    assert found[0] == pytest.approx(found[3], abs=1e-5)
    assert found[1] == pytest.approx(reranker.scores("is it paid", texts[1:2])[0], abs=1e-5)
    assert len({round(score, 5) for score in found}) > 2
    assert reranker.scores("is it paid", []) == []


def test_a_cross_encoder_that_likes_a_word_brings_up_the_passage_that_has_it(refund_lover: Path) -> None:
    reranker = CrossEncoderReranker(name="refund", folder=refund_lover)
    before = [
        Passage(rank, 1 / rank, f"document-{rank}", "", rank, 0, len(text), text)
        for rank, text in enumerate(["the parcel is lost", "the lost parcel", "the refund is paid"], start=1)
    ]
    found = reranked(reranker, "paid", before, depth=3, weight=0.9)
    assert found[0].text == "the refund is paid"
    assert found[0].scores["rerank"] > max(found[1].scores["rerank"], found[2].scores["rerank"])


def test_a_model_that_was_not_trained_to_judge_pairs_is_refused_before_its_weights_are_read(
    random_model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "embedder"
    shutil.copytree(random_model, folder)
    configuration = json.loads((folder / "config.json").read_text())
    configuration["architectures"] = ["BertModel"]
    (folder / "config.json").write_text(json.dumps(configuration))
    with pytest.raises(RerankingError, match=r"no cross-encoder: it is BertModel"):
        CrossEncoderReranker(name="embedder", folder=folder)


def test_a_model_with_several_classes_is_refused(tmp_path: Path) -> None:
    folder = save_cross_encoder(tmp_path, likes=None, labels=3)
    with pytest.raises(RerankingError, match="3 classes"):
        CrossEncoderReranker(name="nli", folder=folder)


def test_a_folder_without_configuration_is_refused_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(RerankingError, match=r"no readable config\.json") as raised:
        CrossEncoderReranker(name="nothing", folder=tmp_path)
    assert "retrieval.reranker" in raised.value.hint


def test_damaged_weights_are_an_error_of_the_reranker(random_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(random_model, folder)
    (folder / "model.safetensors").write_bytes(b"no weights")
    started = time.perf_counter()
    with pytest.raises(RerankingError, match="cannot be loaded"):
        CrossEncoderReranker(name="damaged", folder=folder).scores("q", ["a"])
    assert time.perf_counter() - started < 30
