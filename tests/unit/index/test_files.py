"""Files are replaced whole or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from rag_engine.errors import IndexReadOnlyError, StorageError, StorageFullError
from rag_engine.index.files import replaced, write_text, writing


def test_a_text_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "note.json"
    write_text(file, "first")
    write_text(file, "second ü")
    assert file.read_text(encoding="utf-8") == "second ü"
    assert list(tmp_path.iterdir()) == [file]


def test_what_fails_half_way_leaves_the_old_content_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "note.json"
    write_text(file, "first")
    with pytest.raises(ZeroDivisionError), replaced(file) as unfinished:  # noqa: PT012
        unfinished.write_text("half")
        raise ZeroDivisionError
    assert file.read_text() == "first"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, StorageFullError),
        (errno.EDQUOT, StorageFullError),
        (errno.EACCES, IndexReadOnlyError),
        (errno.EROFS, IndexReadOnlyError),
        (errno.EIO, StorageError),
    ],
)
def test_what_the_operating_system_says_becomes_an_error_that_names_the_file(
    number: int, kind: type[StorageError], tmp_path: Path
) -> None:
    with pytest.raises(kind, match=r"dense\.faiss"), writing(tmp_path / "dense.faiss"):
        raise OSError(number, "as the system says it")


def test_a_timeout_of_a_lock_is_no_error_of_the_file_system(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError), writing(tmp_path):
        raise TimeoutError
