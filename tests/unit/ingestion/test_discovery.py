import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from rag_engine.errors import SourceNotFoundError, UnreadableSourceError
from rag_engine.ingestion import Discovery, SourceFile, discover, document_name, hash_file


def make(folder: Path, *names: str) -> None:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("text")


def names(discovery: Discovery, folder: Path) -> list[str]:
    return [str(source.path.relative_to(folder)) for source in discovery.files]


def test_a_folder_means_every_visible_file_below_it_in_order(tmp_path: Path) -> None:
    make(tmp_path, "b.txt", "a/z.md", "a/deep/er/x.txt", ".hidden", ".git/config", "a/.cache/y")
    assert names(discover([tmp_path]), tmp_path) == ["a/deep/er/x.txt", "a/z.md", "b.txt"]


def test_files_are_ordered_name_by_name(tmp_path: Path) -> None:
    make(tmp_path, "a.txt", "a/z.md", "a b/c.md", "ab.md")
    assert names(discover([tmp_path]), tmp_path) == ["a/z.md", "a b/c.md", "a.txt", "ab.md"]


def test_each_file_is_found_once_as_its_folder_knows_it(tmp_path: Path) -> None:
    make(tmp_path, "a.txt")
    status = (tmp_path / "a.txt").stat()
    found = discover([tmp_path, tmp_path / "a.txt", str(tmp_path / "*.txt"), tmp_path / "." / "a.txt"])
    (file,) = found.files
    assert file.path == tmp_path / "a.txt"
    seen = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    assert file == SourceFile(str(tmp_path / "a.txt"), *seen)
    assert found.failures == []


def test_paths_are_taken_from_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "docs/a.md")
    monkeypatch.chdir(tmp_path)
    assert discover(["docs"]).files[0].path == tmp_path / "docs" / "a.md"
    assert discover(["docs/../docs/*.md"]).files[0].path == tmp_path / "docs" / "a.md"


def test_patterns_match_as_glob_does_and_a_matched_folder_means_its_files(tmp_path: Path) -> None:
    make(tmp_path, "a.md", "d/b.md", "d/e/c.md", "d/e/f.txt", ".h/x.md")
    assert names(discover([tmp_path / "**/*.md"]), tmp_path) == ["a.md", "d/b.md", "d/e/c.md"]
    assert names(discover([tmp_path / "*"]), tmp_path) == ["a.md", "d/b.md", "d/e/c.md", "d/e/f.txt"]


def test_a_file_whose_name_looks_like_a_pattern_is_found_by_its_name(tmp_path: Path) -> None:
    make(tmp_path, "a[1].md", "a1.md")
    assert names(discover([tmp_path / "a[1].md"]), tmp_path) == ["a[1].md"]


@pytest.mark.parametrize("missing", ["no-such-file", "no-such-*.md", "gone/**"])
def test_a_path_that_does_not_exist_stops_before_anything_else(tmp_path: Path, missing: str) -> None:
    make(tmp_path, "a.txt")
    with pytest.raises(SourceNotFoundError, match=r"no-such|gone"):
        discover([tmp_path, tmp_path / missing])


def test_a_folder_without_a_readable_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    make(tmp_path, "empty/.hidden")
    with pytest.raises(SourceNotFoundError, match=r"no readable file in .*empty"):
        discover([tmp_path / "empty"])


def test_what_was_asked_for_is_covered_and_nothing_else(tmp_path: Path) -> None:
    make(tmp_path, "folder/a.txt", "globbed/b.md", "named.txt")
    found = discover([tmp_path / "folder", tmp_path / "globbed/**/*.md", tmp_path / "named.txt"])
    for covered in ("folder/gone.txt", "folder/deep/gone.txt", "globbed/gone.md", "globbed/x/gone.md", "named.txt"):
        assert found.covers(tmp_path / covered), covered
    for other in ("other.txt", "folder2/a.txt", "globbed/gone.txt", "globbed/.h/gone.md", "gone.md"):
        assert not found.covers(tmp_path / other), other


def test_every_file_that_is_found_is_covered(tmp_path: Path) -> None:
    make(tmp_path, "a.md", "d/b.md", "d/e/c.md", "d/[x].md", "d/e/f.txt")
    for asked in ("", "*", "**", "**/*", "d/*.md", "*/e/?.md", "d/[[]x].md", "d/[!b]*"):
        found = discover([tmp_path / asked])
        assert found.files
        assert all(found.covers(source.path) for source in found.files), asked


def test_links_are_followed_but_never_in_circles(tmp_path: Path) -> None:
    make(tmp_path, "docs/a.txt", "outside/b.txt", "secret/c.txt")
    (tmp_path / "docs/self").symlink_to(tmp_path / "docs")
    (tmp_path / "docs/parent").symlink_to(tmp_path)
    (tmp_path / "docs/linked").symlink_to(tmp_path / "outside")
    (tmp_path / "docs/broken").symlink_to(tmp_path / "nothing")
    (tmp_path / "outside/back").symlink_to(tmp_path / "docs")
    (tmp_path / "docs/c.txt").symlink_to(tmp_path / "secret/c.txt")
    found = discover([tmp_path / "docs"])
    assert names(found, tmp_path) == ["docs/a.txt", "docs/c.txt", "docs/linked/b.txt"]
    assert found.failures == []


def test_what_is_no_regular_file_is_reported_where_it_is_named(tmp_path: Path) -> None:
    make(tmp_path, "a.txt")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "broken").symlink_to(tmp_path / "nothing")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "socket"))
        assert names(discover([tmp_path]), tmp_path) == ["a.txt"]
        found = discover([tmp_path / "pipe", tmp_path / "socket", tmp_path / "broken"])
    assert found.files == []
    assert [failure.code for failure in found.failures] == [
        "unsupported_format",
        "unsupported_format",
        "unreadable_source",
    ]


AS_NOBODY = """
import os, pathlib, sys
from rag_engine.errors import UnreadableSourceError
from rag_engine.ingestion import discover, hash_file
folder = pathlib.Path(sys.argv[1])
if os.getuid() == 0:  # root may read everything
    os.setgid(65534); os.setuid(65534)
found = discover([folder])
print([file.path.name for file in found.files], [failure.code for failure in found.failures])
try:
    hash_file(folder / "forbidden.txt")
except UnreadableSourceError as error:
    print(error.retryable, error.public_message)
"""


def test_what_may_not_be_read_is_reported_and_the_rest_found(tmp_path: Path) -> None:
    make(tmp_path, "a.txt", "forbidden.txt", "shut/b.txt")
    own = [folder for folder in tmp_path.parents if folder.name.startswith(("pytest-", "popen-"))]
    for folder in (tmp_path, *own):
        folder.chmod(0o755)  # pytest's folders are the user's own; another user must get through
    (tmp_path / "forbidden.txt").chmod(0)
    (tmp_path / "shut").chmod(0)
    try:
        shown = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, str(tmp_path)], capture_output=True, text=True, check=True
        )
    finally:
        (tmp_path / "shut").chmod(0o700)
        (tmp_path / "forbidden.txt").chmod(0o600)
    listed, forbidden = shown.stdout.splitlines()
    assert listed == "['a.txt', 'forbidden.txt'] ['unreadable_source']"
    assert forbidden.startswith("True ")
    assert "check the permissions" in forbidden


def test_a_name_with_a_line_break_is_a_name_like_others(tmp_path: Path) -> None:
    make(tmp_path, "a\n b.txt")
    assert [source.path.name for source in discover([tmp_path]).files] == ["a\n b.txt"]


def test_a_name_that_is_no_text_is_a_failure_that_says_to_rename_it(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/bad\xff.txt", "wb") as file:  # noqa: PTH123
        file.write(b"text")
    found = discover([tmp_path])
    assert found.files == []
    (failure,) = found.failures
    assert failure.hint == "rename it"
    failure.source.encode()


def test_what_held_a_known_file_may_be_empty_or_gone(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    gone = tmp_path / "docs" / "gone.md"
    for asked in (tmp_path / "docs", gone):
        found = discover([asked], known=[str(gone)])
        assert (found.files, found.failures) == ([], [])
        assert found.covers(gone)
    with pytest.raises(SourceNotFoundError):
        discover([tmp_path / "docs"], known=[str(tmp_path / "other.md")])


def test_names_are_relative_beneath_the_working_folder_and_absolute_elsewhere(tmp_path: Path) -> None:
    assert document_name(tmp_path / "docs/a.md", tmp_path) == "docs/a.md"
    assert document_name(tmp_path / "a.md", tmp_path / "docs") == (tmp_path / "a.md").as_posix()


def test_a_file_is_hashed_whole_and_a_vanished_one_is_unreadable(tmp_path: Path) -> None:
    make(tmp_path, "a.txt")
    assert hash_file(tmp_path / "a.txt") == "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1"
    with pytest.raises(UnreadableSourceError):
        hash_file(tmp_path / "gone")


def test_a_link_to_a_name_that_no_system_has_is_reported(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("x" * 300)
    (failure,) = discover([link]).failures
    assert failure.code == "unreadable_source"
