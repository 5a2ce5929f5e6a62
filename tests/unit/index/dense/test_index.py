"""The dense index in memory and in its folder: what is exact, what is compressed, and what is written."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rag_engine.errors import CacheDamagedError, StorageError, StorageFullError
from rag_engine.index.dense import Compression, FaissIndex, stands_at
from rag_engine.types.retrieval import ScoredChunk

DIMENSION = 16


def unit(count: int, *, seed: int = 1) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((count, DIMENSION)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def numbers(first: int, last: int) -> np.ndarray:
    return np.arange(first, last, dtype=np.int64)


def made(folder: Path, *, count: int = 100, exact_up_to: int = 1000) -> FaissIndex:
    index = FaissIndex(DIMENSION, folder=folder, index_id="mine", compression=Compression(exact_up_to=exact_up_to))
    index.add(numbers(0, count), unit(count))
    index.save(commit=7)
    return index


def opened(folder: Path, *, exact_up_to: int = 1000, target: float = 0.99, index_id: str = "mine") -> FaissIndex:
    compression = Compression(exact_up_to=exact_up_to, recall_target=target)
    return FaissIndex.open(folder, index_id=index_id, compression=compression)


def hits(index: FaissIndex, vector: np.ndarray, depth: int = 5) -> list[ScoredChunk]:
    return index.search(vector, depth)


def state_of(folder: Path) -> dict[str, tuple[int, int]]:
    return {file.name: (file.stat().st_ino, file.stat().st_mtime_ns) for file in folder.iterdir()}


def test_a_saved_index_comes_back_with_its_commit(tmp_path: Path) -> None:
    before = made(tmp_path)
    index = opened(tmp_path)
    assert index.commit == 7
    assert index.dimension == DIMENSION
    assert index.numbers().tolist() == list(range(100))
    assert hits(index, unit(1, seed=9)[0]) == hits(before, unit(1, seed=9)[0])
    assert not index.wants_saving


def test_an_empty_index_comes_back_empty(tmp_path: Path) -> None:
    made(tmp_path, count=0)
    assert len(opened(tmp_path)) == 0


def test_a_small_change_writes_behind_what_is_there(tmp_path: Path) -> None:
    made(tmp_path)
    (rows,) = tmp_path.glob("rows.*")
    before, inode = rows.read_bytes(), rows.stat().st_ino
    index = opened(tmp_path)
    index.remove(numbers(5, 8))
    index.add(numbers(100, 103), unit(3, seed=2))
    index.save(commit=8)
    assert rows.stat().st_ino == inode
    assert rows.read_bytes() == before + unit(3, seed=2).tobytes()
    assert opened(tmp_path).numbers().tolist() == [*range(5), *range(8, 103)]


def test_what_was_not_saved_does_not_count_and_is_written_over(tmp_path: Path) -> None:
    made(tmp_path)
    killed = opened(tmp_path)
    killed.add(numbers(100, 150), unit(50, seed=2))
    killed.flush()
    assert len(opened(tmp_path)) == 100
    index = opened(tmp_path)
    index.add(numbers(100, 101), unit(1, seed=3))
    index.save(commit=8)
    again = opened(tmp_path)
    assert again.numbers().tolist() == list(range(101))
    assert hits(again, unit(1, seed=3)[0], 1)[0].chunk == 100


def test_a_reader_keeps_what_it_sees_while_another_grows_and_compacts_the_files(tmp_path: Path) -> None:
    made(tmp_path)
    reader, question = opened(tmp_path), unit(1, seed=9)[0]
    before = hits(reader, question, 100)
    writer = opened(tmp_path)
    writer.add(numbers(100, 300), unit(200, seed=2))
    writer.save(commit=8)
    assert hits(reader, question, 100) == before
    writer = opened(tmp_path)
    writer.remove(numbers(0, 200))
    writer.save(commit=9)
    assert hits(reader, question, 100) == before
    assert opened(tmp_path).numbers().tolist() == list(range(200, 300))


def test_many_removals_leave_new_files_without_the_removed_rows(tmp_path: Path) -> None:
    made(tmp_path)
    index = opened(tmp_path)
    index.remove(numbers(0, 31))
    index.save(commit=8)
    (rows,) = tmp_path.glob("rows.*")
    assert rows.stat().st_size == 69 * DIMENSION * 4
    assert not list(tmp_path.glob("removed.*"))
    again = opened(tmp_path)
    assert again.numbers().tolist() == list(range(31, 100))
    assert hits(again, unit(100)[40], 1)[0].chunk == 40


def test_few_removals_are_only_noted(tmp_path: Path) -> None:
    made(tmp_path)
    index = opened(tmp_path)
    index.remove(numbers(0, 30))
    index.save(commit=8)
    (rows,) = tmp_path.glob("rows.*")
    assert rows.stat().st_size == 100 * DIMENSION * 4
    assert len(opened(tmp_path)) == 70


def test_codes_are_made_once_there_are_many_and_grow_with_the_rows(tmp_path: Path) -> None:
    made(tmp_path)
    assert not list(tmp_path.glob("codes.*"))
    index = opened(tmp_path)
    index.add(numbers(100, 1200), unit(1100, seed=2))
    index.save(commit=8)
    state = opened(tmp_path).state()
    assert (state.kind, state.count, state.candidates, state.target) == ("compressed", 1200, 512, 0.99)
    assert state.recall >= 0.99
    (codes,) = tmp_path.glob("codes.*")
    assert codes.stat().st_size == 1200 * 64
    assert state.bytes == sum(file.stat().st_size for file in tmp_path.iterdir() if file.suffix != ".json")
    index = opened(tmp_path)
    index.add(numbers(1200, 1300), unit(100, seed=3))
    assert hits(index, unit(100, seed=3)[50], 1)[0].chunk == 1250
    index.save(commit=9)
    assert codes.stat().st_size == 1300 * 64
    assert hits(opened(tmp_path), unit(100, seed=3)[50], 1)[0].chunk == 1250


def test_a_target_that_nothing_reaches_is_met_by_comparing_all(tmp_path: Path) -> None:
    compression = Compression(exact_up_to=10, recall_target=1.0, ladder=(1,))
    index = FaissIndex(DIMENSION, folder=tmp_path, index_id="mine", compression=compression)
    index.add(numbers(0, 2000), unit(2000))
    index.save(commit=1)
    assert (index.state().kind, index.state().candidates, index.state().recall) == ("exact", None, 1.0)
    # Another target needs no other measurement.
    lax = opened(tmp_path, exact_up_to=10, target=0.0)
    assert (lax.state().kind, lax.state().candidates) == ("compressed", 1)


def test_a_lower_threshold_is_noticed_and_saving_brings_the_codes(tmp_path: Path) -> None:
    made(tmp_path)
    index = opened(tmp_path, exact_up_to=20)
    assert index.wants_saving
    index.save(commit=7)
    index = opened(tmp_path, exact_up_to=20)
    assert not index.wants_saving
    assert index.state().kind == "compressed"


def test_files_that_others_touched_are_read_and_then_trusted_again(tmp_path: Path) -> None:
    made(tmp_path)
    for file in tmp_path.glob("rows.*"):
        os.utime(file)
    assert not stands_at(7, folder=tmp_path, index_id="mine")
    index = opened(tmp_path)
    assert index.wants_saving
    index.save(commit=7)
    assert not opened(tmp_path).wants_saving
    assert stands_at(7, folder=tmp_path, index_id="mine")
    assert not stands_at(8, folder=tmp_path, index_id="mine")
    assert not stands_at(7, folder=tmp_path, index_id="theirs")


def test_damage_behind_an_untouched_time_is_found_by_reading(tmp_path: Path) -> None:
    made(tmp_path)
    (rows,) = tmp_path.glob("rows.*")
    status = rows.stat()
    rows.write_bytes(b"\xff" * status.st_size)
    os.utime(rows, ns=(status.st_atime_ns, status.st_mtime_ns))
    opened(tmp_path)
    with pytest.raises(CacheDamagedError):
        FaissIndex.open(tmp_path, index_id="mine", read=True)


def test_an_absent_folder_and_the_files_of_another_index_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CacheDamagedError, match="absent"):
        opened(tmp_path / "none")
    made(tmp_path)
    with pytest.raises(CacheDamagedError, match="another index"):
        opened(tmp_path, index_id="theirs")


def test_a_folder_that_cannot_be_made_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        made(tmp_path / "none" / "dense")


def test_a_full_disk_leaves_what_others_see(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path)
    before = state_of(tmp_path)
    index = opened(tmp_path)
    index.add(numbers(100, 110), unit(10, seed=2))

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(StorageFullError):
            index.save(commit=8)
    assert state_of(tmp_path) == before
    index.save(commit=8)
    assert opened(tmp_path).numbers().tolist() == list(range(110))


def test_numbers_that_come_in_disorder_are_put_in_order() -> None:
    index = FaissIndex(DIMENSION)
    index.add(np.array([9, 4]), unit(2))
    index.add(np.array([6]), unit(1, seed=2))
    index.add(np.empty(0, dtype=np.int64), np.empty((0, DIMENSION), dtype=np.float32))
    assert index.numbers().tolist() == [4, 6, 9]
    assert hits(index, unit(2)[0], 1)[0].chunk == 9
    assert hits(index, unit(1, seed=2)[0], 1)[0].chunk == 6


def test_equal_rows_tie_whichever_way_they_are_found() -> None:
    rows = np.repeat(unit(1), 200, axis=0)
    for exact_up_to in (0, 1000):
        index = FaissIndex(DIMENSION, compression=Compression(exact_up_to=exact_up_to))
        index.add(numbers(0, 200), rows)
        assert [hit.chunk for hit in hits(index, unit(1)[0], 7)] == list(range(7))
        some = index.search(unit(1)[0], 2, among=numbers(30, 40))
        assert [hit.chunk for hit in some] == [30, 31]
        assert some[0].score == hits(index, unit(1)[0], 1)[0].score


def test_a_small_index_is_searched_without_faiss(tmp_path: Path) -> None:
    made(tmp_path)
    program = (
        "import sys, pathlib, numpy; from rag_engine.index.dense import FaissIndex; "
        f"index = FaissIndex.open(pathlib.Path(sys.argv[1]), index_id='mine'); "
        f"assert len(index.search(numpy.ones({DIMENSION}, dtype='float32'), 5)) == 5; assert 'faiss' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)


def test_an_index_in_memory_cannot_be_saved() -> None:
    with pytest.raises(ValueError, match="memory"):
        FaissIndex(DIMENSION).save(commit=1)
