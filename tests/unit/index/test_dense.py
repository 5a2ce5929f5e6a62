"""The file of the dense index."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rag_engine.errors import CacheDamagedError, StorageError
from rag_engine.index.dense import FaissIndex


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    index = FaissIndex(8)
    vectors = np.random.default_rng(1).standard_normal((100, 8)).astype(np.float32)
    index.add(np.arange(100, dtype=np.int64) * 3, vectors)
    index.save(tmp_path / "dense.faiss", commit=7, index_id="mine")
    return tmp_path / "dense.faiss"


def load(path: Path, *, dimension: int = 8, index_id: str = "mine") -> tuple[FaissIndex, int]:
    return FaissIndex.load(path, dimension=dimension, index_id=index_id)


def test_a_saved_index_comes_back_with_its_commit(saved: Path) -> None:
    index, commit = load(saved)
    assert commit == 7
    assert index.numbers().tolist() == [number * 3 for number in range(100)]
    assert index.dimension == 8
    assert list(saved.parent.iterdir()) == [saved]


def test_a_loaded_index_takes_more_and_gives_up_some(saved: Path) -> None:
    index, _ = load(saved)
    index.add(np.array([1000]), np.full((1, 8), 9, dtype=np.float32))
    index.remove(np.array([0, 3, 77777]))
    assert len(index) == 99
    assert index.search(np.ones(8, dtype=np.float32), 1)[0].chunk == 1000


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"x",
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: bytes(len(data)),
        lambda data: data[:200] + b"\xff" + data[201:],
        lambda data: b"IxF2" + data[4:],
        lambda data: data + b"more",
        lambda data: data.replace(b'"count": 100', b'"count": 101'),
        lambda data: data.replace(b'"commit"', b'"commot"'),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(saved: Path, damage: Callable[[bytes], bytes]) -> None:
    saved.write_bytes(damage(saved.read_bytes()))
    with pytest.raises(CacheDamagedError):
        load(saved)


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CacheDamagedError):
        load(tmp_path / "dense.faiss")


def test_the_file_of_another_index_is_refused(saved: Path) -> None:
    with pytest.raises(CacheDamagedError, match="another index"):
        load(saved, index_id="theirs")


def test_vectors_of_another_dimension_are_refused(saved: Path) -> None:
    with pytest.raises(CacheDamagedError, match="dimension 8"):
        load(saved, dimension=9)


def test_a_file_that_cannot_be_written_leaves_the_old_one(saved: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(StorageError):
        FaissIndex(8).save(saved.parent / "none" / "dense.faiss", commit=8, index_id="mine")
    assert saved.read_bytes() == before
