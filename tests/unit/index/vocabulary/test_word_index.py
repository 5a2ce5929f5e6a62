"""The word files: they grow, wear out, and are told from damaged ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rag_engine.errors import CacheDamagedError
from rag_engine.index.vocabulary import WordIndex


def texts(first: int, last: int) -> list[str]:
    names = [f"{a}{b}{c}" for a in "abcdefgh" for b in "ijklmn" for c in "opqrstu"]
    return [f"common {names[number % len(names)]}" for number in range(first, last)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    words = WordIndex(tmp_path / "vocabulary", index_id="mine")
    words.update(texts(0, 40), removed=0, commit=3)
    return tmp_path / "vocabulary"


def test_words_on_disk_come_back_with_their_commit(folder: Path) -> None:
    words = WordIndex.load(folder, index_id="mine")
    assert (words.commit, words.chunks, words.count("common")[0]) == (3, 40, 40)


def test_many_small_ingests_leave_few_files_and_lose_no_word(folder: Path) -> None:
    for number in range(40, 120):
        words = WordIndex.load(folder, index_id="mine")
        words.update(texts(number, number + 1), removed=0, commit=number)
    words = WordIndex.load(folder, index_id="mine")
    assert words.count("common")[0] == 120
    assert len(list(folder.glob("words.*"))) == len(words.segments) <= 5
    assert all(words.count(text.split()[1])[0] >= 1 for text in texts(0, 120))


def test_an_update_without_new_chunks_only_records_its_commit(folder: Path) -> None:
    WordIndex.load(folder, index_id="mine").update([], removed=2, commit=9)
    words = WordIndex.load(folder, index_id="mine")
    assert (words.commit, words.removed, words.count("common")[0]) == (9, 2, 40)


def test_all_is_counted_anew_after_so_much_was_removed(folder: Path) -> None:
    words = WordIndex.load(folder, index_id="mine")
    assert not words.is_worn(removing=20)
    assert words.is_worn(removing=60)
    anew = words.emptied()
    anew.update(texts(0, 2), removed=0, commit=10)
    assert WordIndex.load(folder, index_id="mine").count("common")[0] == 2


def test_a_reader_keeps_its_words_while_another_process_replaces_the_files(folder: Path) -> None:
    reader = WordIndex.load(folder, index_id="mine")
    anew = WordIndex.load(folder, index_id="mine").emptied()
    anew.update(["other words"], removed=0, commit=4)
    assert reader.count("common")[0] == 40
    assert dict(reader.near("comon", 1)) == {"common": (1, 40)}


def test_untouched_files_are_not_read_and_touched_ones_are(folder: Path) -> None:
    file = next(folder.glob("words.*"))
    status = file.stat()
    data = bytearray(file.read_bytes())
    data[-20] ^= 1
    file.write_bytes(data)
    with pytest.raises(CacheDamagedError):
        WordIndex.load(folder, index_id="mine")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert WordIndex.load(folder, index_id="mine").commit == 3
    with pytest.raises(CacheDamagedError):
        WordIndex.load(folder, index_id="mine", read=True)


def test_another_indexs_words_are_refused(folder: Path) -> None:
    with pytest.raises(CacheDamagedError, match="another index"):
        WordIndex.load(folder, index_id="other")
