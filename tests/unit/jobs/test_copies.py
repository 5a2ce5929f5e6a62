"""Two files with the same bytes are one text with two sources, whatever the order in which they came."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from rag_engine.index import Index
from rag_engine.types.ingestion import IngestReport

Ingest = Callable[..., IngestReport]
TEXT = "# Refunds\n\nA refund is paid within ten days."


def sources(index: Index) -> dict[str, str | None]:
    """Each source's name, and that of the one it is a copy of."""
    names = {source.path: source.name for source in index.catalog.sources.all()}
    return {source.name: source.same_as and names[source.same_as] for source in index.catalog.sources.all()}


@pytest.mark.parametrize("order", list(itertools.permutations("abc")))
def test_the_first_in_order_has_the_document_whichever_came_first(
    index: Index, ingest: Ingest, folder: Path, order: tuple[str, ...]
) -> None:
    for name in order:
        (folder / f"{name}.md").write_text(TEXT)
        report = ingest(folder)
    assert index.catalog.document_ids() == ["docs/a.md"]
    assert sources(index) == {"docs/a.md": None, "docs/b.md": "docs/a.md", "docs/c.md": "docs/a.md"}
    assert report.documents.copies == 2
    assert ingest(folder).documents.copies == 2


def test_new_copies_are_read_once(ingest: Ingest, folder: Path) -> None:
    for name in "abcdef":
        (folder / f"{name}.md").write_text(TEXT)
    report = ingest(folder)
    assert (report.documents.added, report.documents.copies, report.documents.unchanged) == (1, 5, 0)


def test_the_next_one_keeps_the_chunks_when_the_first_is_deleted(index: Index, ingest: Ingest, folder: Path) -> None:
    for name in "abc":
        (folder / f"{name}.md").write_text(TEXT)
    ingest(folder)
    chunks = index.catalog.chunk_numbers().tolist()
    (folder / "a.md").unlink()
    report = ingest(folder)
    assert index.catalog.chunk_numbers().tolist() == chunks
    assert (report.documents.moved, report.documents.deleted, report.embedded) == (1, 0, 0)
    assert sources(index) == {"docs/b.md": None, "docs/c.md": "docs/b.md"}


def test_the_next_one_needs_no_embedding_when_the_first_is_changed(index: Index, ingest: Ingest, folder: Path) -> None:
    for name in "abc":
        (folder / f"{name}.md").write_text(TEXT)
    ingest(folder)
    (folder / "a.md").write_text("# Delivery\n\nA parcel waits ten days.")
    report = ingest(folder)
    assert report.embedded == 1
    assert sorted(index.catalog.document_ids()) == ["docs/a.md", "docs/b.md"]
    assert sources(index) == {"docs/a.md": None, "docs/b.md": None, "docs/c.md": "docs/b.md"}


def test_a_copy_that_changes_gets_a_document_of_its_own(index: Index, ingest: Ingest, folder: Path) -> None:
    for name in "ab":
        (folder / f"{name}.md").write_text(TEXT)
    ingest(folder)
    (folder / "b.md").write_text("# Delivery")
    assert ingest(folder).documents.added == 1
    assert sources(index) == {"docs/a.md": None, "docs/b.md": None}


def test_a_file_that_becomes_equal_to_another_gives_its_document_up(index: Index, ingest: Ingest, folder: Path) -> None:
    (folder / "a.md").write_text("# Delivery")
    (folder / "b.md").write_text(TEXT)
    ingest(folder)
    (folder / "a.md").write_text(TEXT)
    ingest(folder)
    assert sources(index) == {"docs/a.md": None, "docs/b.md": "docs/a.md"}
    assert index.catalog.document_ids() == ["docs/a.md"]


def test_a_file_beyond_what_was_asked_for_is_a_copy_too_and_takes_over(
    index: Index, ingest: Ingest, folder: Path
) -> None:
    for name in ("one", "two"):
        (folder / name).mkdir()
        (folder / name / "x.md").write_text(TEXT)
        ingest(folder / name)
    assert sources(index) == {"docs/one/x.md": None, "docs/two/x.md": "docs/one/x.md"}
    (folder / "one/x.md").write_text("# Delivery")
    ingest(folder / "one")
    assert sources(index) == {"docs/one/x.md": None, "docs/two/x.md": None}
    assert index.catalog.text("docs/two/x.md") == TEXT


def test_equal_bytes_that_are_read_differently_are_two_texts(index: Index, ingest: Ingest, folder: Path) -> None:
    for name in ("a.md", "a.txt", "b.TXT"):
        (folder / name).write_text(TEXT)
    ingest(folder)
    assert sources(index) == {"docs/a.md": None, "docs/a.txt": None, "docs/b.TXT": "docs/a.txt"}
    (folder / "a.md").rename(folder / "z.txt")  # no move: it is read otherwise now
    ingest(folder)
    assert sources(index) == {"docs/a.txt": None, "docs/b.TXT": "docs/a.txt", "docs/z.txt": "docs/a.txt"}
    assert index.catalog.document_ids() == ["docs/a.txt"]


def test_empty_and_broken_files_are_no_copies_of_each_other(index: Index, ingest: Ingest, folder: Path) -> None:
    for name in "abc":
        (folder / f"{name}.json").write_text("{")
        (folder / f"{name}.txt").touch()
    for _ in range(2):
        assert len(ingest(folder).failures) == 6
    assert [source.attempts for source in index.catalog.sources.quarantined()] == [1] * 6
    assert index.catalog.sources.all() == []


def test_equal_json_lines_are_one_source_of_records(index: Index, ingest: Ingest, folder: Path) -> None:
    lines = [json.dumps({"_id": str(number), "text": f"record {number}"}) for number in range(3)] + ["{"]
    for name in "ba":
        (folder / f"{name}.jsonl").write_text("\n".join(lines))
        report = ingest(folder)
    assert [failure.source for failure in report.failures] == [f"{folder}/a.jsonl:4"]
    assert [failure.source for failure in index.catalog.sources.quarantined()] == [f"{folder}/a.jsonl:4"]
    assert index.catalog.document_ids(str(folder / "a.jsonl")) == ["0", "1", "2"]
    (folder / "a.jsonl").unlink()
    assert [failure.source for failure in ingest(folder).failures] == [f"{folder}/b.jsonl:4"]
    assert [failure.source for failure in index.catalog.sources.quarantined()] == [f"{folder}/b.jsonl:4"]
    assert index.catalog.document_ids(str(folder / "b.jsonl")) == ["0", "1", "2"]


def test_an_index_from_before_copies_were_known_gives_up_doubled_documents(
    index: Index, ingest: Ingest, folder: Path
) -> None:
    (folder / "a.md").write_text(TEXT)
    (folder / "b.md").write_text(TEXT + " ")
    ingest(folder)
    (folder / "b.md").write_text(TEXT)
    sha256 = index.catalog.sources.all()[0].sha256
    status = (folder / "b.md").stat()
    with closing(sqlite3.connect(index.catalog.path)) as connection, connection:
        connection.execute(
            "update sources set sha256 = ?, size = ?, modified = ?, changed = ?, inode = ? where name = 'docs/b.md'",
            (sha256, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino),
        )
    ingest(folder)
    assert sources(index) == {"docs/a.md": None, "docs/b.md": "docs/a.md"}
    assert index.catalog.document_ids() == ["docs/a.md"]


def test_whatever_moves_the_chunks_stay(index: Index, ingest: Ingest, folder: Path) -> None:
    (folder / "part").mkdir()
    (folder / "part/one.md").write_text("# One\n\nThe first page.")
    (folder / "part/two.md").write_text("# Two\n\nThe second page, which is longer.")
    (folder / "rows.jsonl").write_text('{"text": "a row without an id"}\n{"_id": "named", "text": "one with"}\n')
    ingest(folder)
    chunks = index.catalog.chunk_numbers().tolist()
    (folder / "part").rename(folder / "section")
    (folder / "section/one.md").rename(folder / "section/ONE.md")
    (folder / "rows.jsonl").rename(folder / "records.jsonl")
    report = ingest(folder)
    assert (report.documents.moved, report.embedded) == (4, 0)
    assert index.catalog.chunk_numbers().tolist() == chunks
    assert sorted(index.catalog.document_ids()) == [
        "docs/records.jsonl#1", "docs/section/ONE.md", "docs/section/two.md", "named",
    ]  # fmt: skip


def test_files_that_swap_their_bytes_or_pass_them_on_need_no_embedding(
    index: Index, ingest: Ingest, folder: Path
) -> None:
    texts = {name: f"# Page {name}\n\nThe text of page {name}." for name in "abc"}
    for name, text in texts.items():
        (folder / f"{name}.md").write_text(text)
    ingest(folder)
    for name, other in ("ab", "bc", "ca"):
        (folder / f"{name}.md").write_text(texts[other])
    assert ingest(folder).embedded == 0
    assert index.catalog.text("docs/a.md") == texts["b"]
    (folder / "c.md").rename(folder / "d.md")
    (folder / "b.md").rename(folder / "c.md")
    assert ingest(folder).embedded == 0
    assert {name: index.catalog.text(f"docs/{name}.md") for name in "abcd"} == {
        "a": texts["b"], "b": None, "c": texts["c"], "d": texts["a"],
    }  # fmt: skip


def test_a_file_that_moves_and_is_edited_embeds_what_was_edited(index: Index, ingest: Ingest, folder: Path) -> None:
    paragraphs = [f"Paragraph {number} says that the number {number * 7} is meant by it. " * 5 for number in range(6)]
    (folder / "a.md").write_text("\n\n".join(paragraphs))
    embedded = ingest(folder).embedded
    (folder / "a.md").unlink()
    (folder / "b.md").write_text("\n\n".join([*paragraphs[:-1], "Another last one."]))
    assert 1 <= ingest(folder).embedded < embedded
    assert index.catalog.document_ids() == ["docs/b.md"]
