"""What every Loader owes, whatever the file."""

from __future__ import annotations

import bz2
import contextlib
import io
import json
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_engine.errors import IngestionError, SourceTooLargeError
from rag_engine.ingestion.frames import decode_frame, pack_record, unpack_record
from rag_engine.ingestion.loaders.encoding import canonical
from rag_engine.ingestion.loaders.selection import every_loader, select_loader
from rag_engine.ingestion.sandbox import Sandbox
from rag_engine.protocols import Loader
from rag_engine.types.document import BlockKind, Document, SourceFailure
from rag_engine.types.ingestion import LoadLimits
from tests.documents import pdf
from tests.office_files import compound_file, docx, opendocument, pptx, row, shape, xlsx

LIMITS = LoadLimits(100_000)
PARAGRAPH = "<w:p><w:r><w:t>One paragraph of words.</w:t></w:r></w:p>"
MAIL = b"From: a@example.org\r\nSubject: Hello\r\nDate: Fri, 31 May 2024 08:30:00 +0200\r\n\r\nThe words of a mail.\r\n"
EPUB = {
    "mimetype": "application/epub+zip",
    "META-INF/container.xml": '<container><rootfiles><rootfile full-path="a.opf"/></rootfiles></container>',
    "a.opf": '<package><manifest><item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest>'
    '<spine><itemref idref="a"/></spine></package>',
    "a.xhtml": "<html><body><h1>Chapter</h1><p>The words of a chapter.</p></body></html>",
}


def zipped(members: dict[str, str]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


def tarred(name: str, content: bytes) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return data.getvalue()


# By the loader that must be chosen: a file's name and bytes.
SAMPLES: dict[str, tuple[str, bytes]] = {
    "plain_text": ("a.txt", "Plain words, größer ones too.\r\n\r\nAnd more.".encode()),
    "markdown": ("a.md", b"# Title\n\nWords.\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"),
    "restructuredtext": ("a.rst", b"Title\n=====\n\nWords of a paragraph.\n\n- one\n- two\n"),
    "html": ("a.html", b"<title>Title</title><h1>Head</h1><p>Words <b>here</b>.</p><ul><li>one</ul>"),
    "pdf": ("a.pdf", pdf("The words of a page", "and another page")),
    "delimited": ("a.csv", b"name,town\nAda,Ulm\nEva,Bonn\n"),
    "json": ("a.json", b'{"name": "Ada", "towns": ["Ulm", "Bonn"]}'),
    "json_lines": ("a.jsonl", b'{"_id": "1", "text": "one record"}\n{"_id": "2", "text": "another one"}\n'),
    "yaml": ("a.yaml", b"name: Ada\ntowns:\n  - Ulm\n  - Bonn\n"),
    "xml": ("a.xml", b"<list><title>Title</title><item>One thing</item><item>Another</item></list>"),
    "notebook": (
        "a.ipynb",
        b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": ['
        b'{"cell_type": "markdown", "metadata": {}, "source": ["# Title\\n", "Words."]},'
        b'{"cell_type": "code", "metadata": {}, "outputs": [], "source": "x = 1"}]}',
    ),
    "source_code": ("a.py", b'class Counter:\n    """Counts."""\n\n    def add(self):\n        return 1\n'),
    "epub": ("a.epub", zipped(EPUB)),
    "docx": ("a.docx", docx(PARAGRAPH)),
    "pptx": ("a.pptx", pptx(shape("title", "Title") + shape(None, "Words of a slide."))),
    "spreadsheet": (
        "a.xlsx",
        xlsx({"Sheet": f"<sheetData>{row(1, 'name', 'town')}{row(2, 'Ada', 'Ulm')}</sheetData>"}),
    ),
    "opendocument": ("a.odt", opendocument("text", "<text:p>One paragraph of words.</text:p>")),
    "rtf": ("a.rtf", rb"{\rtf1\ansi\ansicpg1252 One paragraph of words.\par}"),
    "outlook_message": (
        "a.msg",
        compound_file(
            {
                "__properties_version1.0": b"",
                "__substg1.0_0037001F": "Hello".encode("utf-16-le"),
                "__substg1.0_1000001F": "The words of a message.".encode("utf-16-le"),
            }
        ),
    ),
    "mail": ("a.eml", MAIL),
    "mailbox": ("a.mbox", b"From a@example.org Fri May 31 08:30:00 2024\n" + MAIL.replace(b"\r\n", b"\n") + b"\n"),
    "zip_archive": ("a.zip", zipped({"folder/a.txt": "The words of a member.", "b.md": "# Other"})),
    "tar_archive": ("a.tar", tarred("folder/a.txt", b"The words of a member.")),
    "compressed": ("a.txt.bz2", bz2.compress(b"The words of a member.")),
}
# Old and encrypted Office files, which nothing here can write in a few lines: their own tests do.
WITHOUT_SAMPLE = {"word_binary", "word_xml", "encrypted_office"}
LOADERS = {loader.name: loader for loader in every_loader()}
# A damaged PDF may end the process that reads it, which the sandbox is for: see tests/faults.
DAMAGED_HERE = sorted(SAMPLES.keys() - {"pdf"})


def load(loader: Loader, name: str, data: bytes, limits: LoadLimits = LIMITS) -> list[Document | SourceFailure]:
    return list(loader.load(data, name=name, limits=limits))


def assert_fit(record: Document | SourceFailure) -> None:
    if isinstance(record, SourceFailure):
        assert record.source
        assert record.code
        assert record.error
        return
    text = record.text
    assert record.id
    assert text.strip()
    assert canonical(text) == text
    assert record.title == " ".join(record.title.split())
    position = 0
    for block in record.blocks:
        assert position <= block.start < block.end <= len(text)
        assert block.level > 0 if block.kind is BlockKind.HEADING else block.level >= 0
        position = block.end
    position = 0
    for page in record.pages:
        assert position <= page.start <= page.end <= len(text)
        position = page.end
    for truncation in record.truncations:
        assert 0 <= truncation.kept < truncation.of
    assert unpack_record(decode_frame(json.dumps(pack_record(record)).encode())) == record


def test_every_loader_has_a_sample() -> None:
    assert SAMPLES.keys() | WITHOUT_SAMPLE == LOADERS.keys()


@pytest.fixture(params=sorted(SAMPLES))
def case(request: pytest.FixtureRequest) -> tuple[Loader, str, bytes]:
    name, data = SAMPLES[request.param]
    return LOADERS[request.param], name, data


def test_a_file_of_its_kind_is_given_to_it_and_becomes_fit_documents(case: tuple[Loader, str, bytes]) -> None:
    loader, name, data = case
    assert select_loader(name, data).name == loader.name
    records = load(loader, name, data)
    assert all(isinstance(record, Document) for record in records)
    assert records
    for record in records:
        assert_fit(record)


def test_the_same_bytes_give_the_same_documents(case: tuple[Loader, str, bytes]) -> None:
    loader, name, data = case
    assert load(loader, name, data) == load(loader, name, data)


def test_a_document_over_the_limit_is_refused(case: tuple[Loader, str, bytes]) -> None:
    loader, name, data = case
    try:
        records = load(loader, name, data, LoadLimits(3))
    except SourceTooLargeError:
        return
    codes = {record.code for record in records if isinstance(record, SourceFailure)}
    assert codes == {SourceTooLargeError.code}  # of records and members, each on its own
    assert not any(isinstance(record, Document) for record in records)


@pytest.mark.parametrize("data", [b"", b" \n\t", b"\x00" * 99, b"\xff\xfe\xfd" * 33, b"{[<(\"'" * 50])
@pytest.mark.parametrize("loader", LOADERS.values(), ids=LOADERS)
def test_bytes_of_another_kind_are_refused_or_become_fit_documents(loader: Loader, data: bytes) -> None:
    with contextlib.suppress(IngestionError):
        for record in load(loader, SAMPLES.get(loader.name, ("a.doc", b""))[0], data):
            assert_fit(record)


@pytest.mark.parametrize("name", DAMAGED_HERE)
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    damage=st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(max_size=3)), min_size=1, max_size=4),
    share=st.floats(0.2, 1),
)
def test_what_is_left_of_a_damaged_file_is_fit(name: str, damage: list[tuple[int, bytes]], share: float) -> None:
    location, whole = SAMPLES[name]
    data = bytearray(whole[: int(len(whole) * share)])
    for position, written in damage:
        place = position % max(len(data), 1)
        data[place : place + len(written)] = written
    # Whatever else a parser may raise, the sandbox makes a refusal of it; what it gives has to be right.
    with contextlib.suppress(Exception):
        records = load(LOADERS[name], location, bytes(data))
        for record in records:
            assert_fit_or_fail(record)


def assert_fit_or_fail(record: Document | SourceFailure) -> None:
    """As ``assert_fit``, past the suppression of what parsers raise."""
    try:
        assert_fit(record)
    except AssertionError as error:
        pytest.fail(f"{record!r}: {error}")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(timeout_seconds=60, memory_megabytes=1024, max_file_bytes=1 << 30, limits=LIMITS) as box:
        yield box


def test_the_sandbox_forbids_nothing_that_a_loader_needs(
    case: tuple[Loader, str, bytes], sandbox: Sandbox, tmp_path: Path
) -> None:
    loader, name, data = case
    path = tmp_path / name
    path.write_bytes(data)
    with sandbox.open(path, name=name) as source:
        inside = [record for record in source if isinstance(record, Document)]
    outside = [record for record in load(loader, name, data) if isinstance(record, Document)]
    assert [(record.id, record.text, record.blocks) for record in inside] == [
        (record.id, record.text, record.blocks) for record in outside
    ]
