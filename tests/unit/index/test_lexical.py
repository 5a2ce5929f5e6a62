"""The folder of the lexical index."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from rag_engine.errors import CacheDamagedError
from rag_engine.index.lexical import TantivyIndex
from rag_engine.protocols import LexicalEntry


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    index = TantivyIndex(tmp_path / "lexical", index_id="mine")
    entries = [LexicalEntry(number, "context", f"common word{number}") for number in range(1, 51)]
    index.update(add=entries, remove=[], commit=3)
    return tmp_path / "lexical"


def load(folder: Path, index_id: str = "mine") -> TantivyIndex:
    return TantivyIndex.load(folder, index_id=index_id)


def largest_file(folder: Path) -> Path:
    return max((file for file in folder.iterdir() if file.suffix), key=lambda file: file.stat().st_size)


def test_an_index_on_disk_comes_back_with_its_commit(folder: Path) -> None:
    index = load(folder)
    assert (index.commit, len(index)) == (3, 50)
    assert [hit.chunk for hit in index.search("word7", 5)] == [7]


def test_an_untouched_index_is_loaded_although_its_files_times_changed(folder: Path) -> None:
    for file in folder.iterdir():
        os.utime(file, (1, 1))
    assert len(load(folder)) == 50


def test_another_process_commits_are_seen_after_a_refresh(folder: Path) -> None:
    reader, writer = load(folder), load(folder)
    writer.update(add=[LexicalEntry(99, "", "newcomer")], remove=[1, 2], commit=4)
    assert reader.search("newcomer", 5) == []
    reader.refresh()
    assert (reader.commit, len(reader)) == (4, 49)
    assert [hit.chunk for hit in reader.search("newcomer", 5)] == [99]


def truncate(folder: Path) -> None:
    file = largest_file(folder)
    file.write_bytes(file.read_bytes()[:-9])


def zero(folder: Path) -> None:
    file = largest_file(folder)
    file.write_bytes(bytes(file.stat().st_size))


def unlink(folder: Path) -> None:
    largest_file(folder).unlink()


def forget_a_segment(folder: Path) -> None:
    (folder / "files.json").write_text("{}")


def spoil_meta(folder: Path) -> None:
    (folder / "meta.json").write_text("{")


def take_meta(folder: Path) -> None:
    (folder / "meta.json").unlink()


def take_manifest(folder: Path) -> None:
    (folder / "files.json").unlink()


def take_everything(folder: Path) -> None:
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    "damage",
    [truncate, zero, unlink, forget_a_segment, spoil_meta, take_meta, take_manifest, take_everything],
)
def test_a_folder_that_is_not_what_it_says_is_refused(folder: Path, damage: Callable[[Path], None]) -> None:
    damage(folder)
    with pytest.raises(CacheDamagedError):
        load(folder)


def test_the_folder_of_another_index_is_refused(folder: Path) -> None:
    with pytest.raises(CacheDamagedError, match="another"):
        load(folder, "theirs")


def test_a_new_index_takes_the_place_of_the_old_one(folder: Path) -> None:
    assert len(TantivyIndex(folder, index_id="mine")) == 0


def test_files_left_by_a_killed_commit_stop_the_next_one_as_damage(folder: Path) -> None:
    """tantivy names files of deletions after its operations' count: a leftover of the same name is in its way."""
    index = load(folder)
    segment = json.loads((folder / "meta.json").read_text())["segments"][0]["segment_id"].replace("-", "")
    for operation in range(200):
        (folder / f"{segment}.{operation}.del").write_bytes(b"half")
    with pytest.raises(CacheDamagedError):
        index.update(add=[], remove=[1], commit=4)
