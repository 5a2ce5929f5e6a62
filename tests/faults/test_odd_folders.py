"""Folders as they should not be: names, links, devices, clocks and files that change while they are read."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rag_engine.index import Index
from rag_engine.types.ingestion import IngestReport

Ingest = Callable[..., IngestReport]


@pytest.mark.parametrize(
    "name",
    [
        "line\nbreak.md",
        "x" * 252 + ".md",
        "tab\tand \x1b[31mcolour.md",
        "Größe 漢字 🙂.md",
        "-rf.md",
        "a:12",
        "[x]*?.md",
    ],
)
def test_an_odd_name_is_a_name_like_others(index: Index, ingest: Ingest, folder: Path, name: str) -> None:
    (folder / name).write_text("# Refunds\n\nA refund is paid within ten days.")
    assert ingest(folder).documents.added == 1
    assert index.catalog.document_ids() == [f"docs/{name}"]
    assert ingest(folder).documents.unchanged == 1
    (folder / name).rename(folder / "plain.md" if name.endswith(".md") else folder / "plain")
    assert ingest(folder).documents.moved == 1
    (folder / "plain.md").unlink(missing_ok=True)
    (folder / "plain").unlink(missing_ok=True)
    assert ingest(folder).documents.deleted == 1


def test_a_name_that_is_no_text_fails_and_the_rest_goes_on(index: Index, ingest: Ingest, folder: Path) -> None:
    (folder / "good.md").write_text("A refund is paid within ten days.")
    with open(os.fsencode(folder) + b"/bad\xff.md", "wb") as file:  # noqa: PTH123
        file.write(b"A refund is paid within ten days.")
    for _ in range(2):
        report = ingest(folder)
        assert [failure.code for failure in report.failures] == ["unreadable_source"]
        assert report.failures[0].hint == "rename it"
    assert index.catalog.document_ids() == ["docs/good.md"]


def test_loops_of_links_and_what_is_no_file_stop_nothing(index: Index, ingest: Ingest, folder: Path) -> None:
    (folder / "a.md").write_text("A refund is paid within ten days.")
    (folder / "self").symlink_to("self")
    (folder / "one").symlink_to("two")
    (folder / "two").symlink_to("one")
    (folder / "back").symlink_to(folder)
    (folder / "null").symlink_to("/dev/null")
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("docs/socket")
        report = ingest(folder)
        named = ingest(folder / "pipe", folder / "socket", Path("/dev/null"))
    assert report.documents.added == 1
    # A link that leads nowhere but to itself is told of; one that leads back to a folder is known.
    assert {Path(failure.source).name for failure in report.failures} == {"self", "one", "two"}
    assert [failure.code for failure in named.failures] == ["unsupported_format"] * 3
    assert index.catalog.document_ids() == ["docs/a.md"]


def test_a_file_that_becomes_something_else_leaves_the_index(index: Index, ingest: Ingest, folder: Path) -> None:
    for name in "abc":
        (folder / f"{name}.md").write_text(f"The page {name}.")
    ingest(folder)
    for name in "abc":
        (folder / f"{name}.md").unlink()
    (folder / "a.md").mkdir()
    (folder / "a.md" / "inner.md").write_text("Another page.")
    os.mkfifo(folder / "b.md")
    (folder / "c.md").symlink_to(folder / "nothing")
    assert ingest(folder).documents.deleted == 3
    assert index.catalog.document_ids() == ["docs/a.md/inner.md"]


def test_names_that_differ_in_case_are_two_files(index: Index, ingest: Ingest, folder: Path) -> None:
    (folder / "README.md").write_text("The loud page.")
    (folder / "readme.md").write_text("The quiet page.")
    if len(list(folder.iterdir())) == 1:
        pytest.skip("this file system does not tell names apart by their case")
    assert ingest(folder).documents.added == 2
    (folder / "README.md").write_text("The quiet page.")
    ingest(folder)
    assert index.catalog.document_ids() == ["docs/README.md"]
    (folder / "README.md").unlink()
    ingest(folder)
    assert index.catalog.document_ids() == ["docs/readme.md"]


def test_a_time_to_come_hides_no_change(index: Index, ingest: Ingest, folder: Path) -> None:
    file, later = folder / "a.md", time.time_ns() + 10**9 * 86_400 * 3650
    for text in ("The first page.", "The other page.", "The third page."):  # as long, and as late
        file.write_text(text)
        os.utime(file, ns=(later, later))
        ingest(folder)
        assert index.catalog.text("docs/a.md") == text
    assert ingest(folder).documents.unchanged == 1


def test_a_file_that_grows_while_it_is_read_is_whole_in_the_end(index: Index, ingest: Ingest, folder: Path) -> None:
    file, stop = folder / "log.txt", threading.Event()
    file.write_text("line 0\n")

    def grow() -> None:
        number = 0
        while not stop.wait(0.002):
            number += 1
            with file.open("a") as opened:
                opened.write(f"line {number} of what is written all the time\n")

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        for _ in range(3):
            ingest(folder)
            stored = index.catalog.text("docs/log.txt")
            assert stored is None or file.read_text().startswith(stored.rstrip("\n"))
    finally:
        stop.set()
        writer.join()
    ingest(folder)
    assert index.catalog.text("docs/log.txt") == file.read_text()


def test_a_file_in_quarantine_that_is_deleted_is_forgotten(index: Index, ingest: Ingest, folder: Path) -> None:
    (folder / "good.md").write_text("A page.")
    (folder / "bad.json").write_text("{")
    (folder / "rows.jsonl").write_text('{"text": "good"}\n{\n')
    ingest(folder)
    assert [source.source.rpartition("/")[2] for source in index.catalog.sources.quarantined()] == [
        "bad.json",
        "rows.jsonl:2",
    ]
    (folder / "bad.json").unlink()
    ingest(folder)
    assert [source.source.rpartition("/")[2] for source in index.catalog.sources.quarantined()] == ["rows.jsonl:2"]
    (folder / "rows.jsonl").unlink()
    ingest(folder)
    assert index.catalog.sources.quarantined() == []
