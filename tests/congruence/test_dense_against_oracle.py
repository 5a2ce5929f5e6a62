"""FAISS against the NumPy oracle, and caches that caught up against ones made anew."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from benchmarks.faults.hashing_embedder import HashingEmbedder
from benchmarks.faults.victim import ingest_job
from rag_engine.index import Index
from rag_engine.index.dense import Compression, FaissIndex
from rag_engine.index.exact import ExactIndex
from rag_engine.types.document import Document
from rag_engine.types.retrieval import ScoredChunk

STATEFUL = settings(deadline=None, suppress_health_check=list(HealthCheck))


def assert_same_hits(fast: list[ScoredChunk], exact: list[ScoredChunk], scores: dict[int, float]) -> None:
    """Equal up to rounding: the same scores in the same order, and every chunk with its own score."""
    assert len(fast) == len(exact)
    np.testing.assert_allclose([hit.score for hit in fast], [hit.score for hit in exact], atol=2e-6)
    assert len({hit.chunk for hit in fast}) == len(fast)
    for hit in fast:
        assert hit.score == pytest.approx(scores[hit.chunk], abs=2e-6)


class DenseMachine(RuleBasedStateMachine):
    """Adds, removes and searches in both indexes; rows are random, clustered or equal, as chunks' are.

    The compressed index has more candidates than there are rows, so that nothing may be missed. One with a folder is
    saved now and then, and opened anew.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="rag-dense-"))

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @initialize(
        seed=st.integers(0, 2**32 - 1),
        dimension=st.sampled_from([1, 3, 64, 384]),
        exact_up_to=st.sampled_from([0, 50, 10_000]),
        kept=st.booleans(),
    )
    def start(self, seed: int, dimension: int, exact_up_to: int, kept: bool) -> None:
        self.generator = np.random.default_rng(seed)
        self.dimension, self.exact_up_to, self.kept = dimension, exact_up_to, kept
        self.fast = FaissIndex(
            dimension, folder=self.folder if kept else None, index_id="mine", compression=self.compression()
        )
        self.exact = ExactIndex(dimension)
        self.next_number = 1
        self.centre = self.unit(1)[0]
        self.held: set[int] = set()

    def compression(self) -> Compression:
        return Compression(exact_up_to=self.exact_up_to, ladder=(1500,))

    @rule(opened_anew=st.booleans())
    def save(self, opened_anew: bool) -> None:
        if not self.kept:
            return
        commit = self.fast.commit + 1
        self.fast.save(commit=commit)
        if opened_anew:
            self.fast = FaissIndex.open(self.folder, index_id="mine", compression=self.compression())
            assert self.fast.commit == commit
            assert not self.fast.wants_saving

    def unit(self, count: int) -> np.ndarray:
        rows = self.generator.standard_normal((count, self.dimension)).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    @rule(count=st.integers(1, 40), kind=st.sampled_from(["random", "clustered", "equal"]))
    def add(self, count: int, kind: str) -> None:
        rows = self.unit(count)
        if kind == "clustered":
            rows = self.centre + 0.1 * rows
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        elif kind == "equal":
            rows = np.repeat(rows[:1], count, axis=0)
        numbers = np.arange(self.next_number, self.next_number + count, dtype=np.int64)
        self.next_number += count
        self.generator.shuffle(numbers)
        for index in (self.fast, self.exact):
            index.add(numbers, rows.astype(np.float32))
        self.held.update(numbers.tolist())

    @rule(share=st.floats(0, 1))
    def remove(self, share: float) -> None:
        gone = [n for n in range(1, self.next_number) if self.generator.random() < share]
        for index in (self.fast, self.exact):
            index.remove(np.array(gone, dtype=np.int64))
        self.held.difference_update(gone)

    @rule(depth=st.integers(1, 60), filtered=st.booleans(), near=st.booleans())
    def search(self, depth: int, filtered: bool, near: bool) -> None:
        vector = self.centre if near else self.unit(1)[0]
        among = None
        if filtered:
            among = np.array([n for n in range(self.next_number + 3) if self.generator.random() < 0.4], dtype=np.int64)
        scores = {hit.chunk: hit.score for hit in self.exact.search(vector, self.next_number, among=among)}
        assert_same_hits(
            self.fast.search(vector, depth, among=among), self.exact.search(vector, depth, among=among), scores
        )

    @invariant()
    def both_hold_the_same(self) -> None:
        if hasattr(self, "held"):
            assert len(self.fast) == len(self.exact) == len(self.held)
            assert set(self.fast.numbers().tolist()) == self.held


TestDenseMachine = DenseMachine.TestCase
TestDenseMachine.settings = settings(STATEFUL, max_examples=40, stateful_step_count=25)


def topics(count: int, dimension: int, *, seed: int) -> np.ndarray:
    """Unit rows around a few hundred centres that overlap, as texts about a few hundred things do."""
    generator = np.random.default_rng(seed)
    centres = generator.standard_normal((300, dimension))
    rows = centres[generator.integers(0, 300, count)] + 1.2 * generator.standard_normal((count, dimension))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("share", [1.0, 0.5, 0.1], ids=lambda share: f"filter admits {share:.0%}")
@pytest.mark.parametrize("removed", [0.0, 0.2], ids=lambda removed: f"{removed:.0%} removed")
def test_the_compressed_search_reaches_its_recall_target_and_never_breaks_a_filter(
    share: float, removed: float
) -> None:
    count, dimension = 12_000, 96
    rows, numbers = topics(count, dimension, seed=3), np.arange(count, dtype=np.int64) * 2
    fast, exact = FaissIndex(dimension, compression=Compression(exact_up_to=1000)), ExactIndex(dimension)
    generator = np.random.default_rng(4)
    gone = numbers[generator.random(count) < removed]
    among = None if share == 1 else numbers[generator.random(count) < share]
    for index in (fast, exact):
        index.add(numbers, rows)
        index.remove(gone)
    found = wanted = 0
    for question in topics(40, dimension, seed=5):
        scores = {hit.chunk: hit.score for hit in exact.search(question, count, among=among)}
        best, hits = list(scores)[:10], fast.search(question, 10, among=among)
        assert len(hits) == 10
        for hit in hits:  # none that is removed or not admitted, each with its own score
            assert hit.score == pytest.approx(scores[hit.chunk], abs=2e-6)
        found += len({hit.chunk for hit in hits} & set(best))
        wanted += 10
    state = fast.state()
    assert state.kind == "compressed"
    assert state.recall >= state.target == 0.99
    assert found / wanted >= 0.97  # of these questions; the target is a mean over others


class CachesMachine(RuleBasedStateMachine):
    """Documents come, change and go; an index that stays open, and caught up, equals one made anew."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="rag-caches-"))
        self.index = Index.open(self.folder / "index", create=True)
        self.embedder = HashingEmbedder()

    def teardown(self) -> None:
        self.index.close()
        shutil.rmtree(self.folder)

    @rule(
        names=st.lists(st.sampled_from("abcdef"), min_size=1, max_size=3, unique=True),
        paragraphs=st.lists(
            st.sampled_from(["common one", "common two", "common three " * 30]), min_size=1, max_size=3
        ),
        title=st.sampled_from(["", "Title", "Other"]),
    )
    def put(self, names: list[str], paragraphs: list[str], title: str) -> None:
        text = "\n\n".join(f"# Heading\n\n{paragraph}" for paragraph in paragraphs)
        ingest_job(self.index, self.embedder).ingest_documents([Document(name, text, title=title) for name in names])

    @rule(name=st.sampled_from("abcdef"))
    def delete(self, name: str) -> None:
        with self.index.catalog.change() as change:
            change.delete_documents([name])

    @rule(dimension=st.sampled_from([8, 64]))
    def embed_anew(self, dimension: int) -> None:
        self.embedder = HashingEmbedder(dimension=dimension)
        ingest_job(self.index, self.embedder).re_embed()

    @rule()
    def search(self) -> None:
        with self.index.view(dense=True, lexical=True):
            pass

    @rule()
    def open_anew(self) -> None:
        self.index.close()
        self.index = Index.open(self.folder / "index")

    @invariant()
    def caught_up_equals_made_anew(self) -> None:
        numbers = self.index.catalog.chunk_numbers().tolist()
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for file in (self.folder / "index").glob("catalog.sqlite*"):
            shutil.copy(file, copy)
        anew = Index.open(copy)
        try:
            assert self.legs(self.index) == self.legs(anew)
            assert self.legs(self.index)["dense"] == numbers
        finally:
            anew.close()

    def legs(self, index: Index) -> dict[str, object]:
        with index.view(dense=True, lexical=True) as view:
            dense = view.dense
            assert isinstance(dense, FaissIndex)
            return {
                "dense": dense.numbers().tolist(),
                "count": (len(view.lexical), len(view.stretches)),
                **{
                    word: [
                        sorted(hit.chunk for hit in leg.search(word, 1000)) for leg in (view.lexical, view.stretches)
                    ]
                    for word in ("common", "one", "three", "title", "other", "heading")
                },
            }


TestCachesMachine = CachesMachine.TestCase
TestCachesMachine.settings = settings(STATEFUL, max_examples=6, stateful_step_count=10)
