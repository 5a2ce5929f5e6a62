import bz2
import gzip
import io
import lzma
import zipfile

import pytest

from rag_engine.errors import UnsupportedFormatError
from rag_engine.ingestion import loader_versions, select_loader
from rag_engine.ingestion.loaders.containers import members_version
from rag_engine.ingestion.loaders.plain_text import PlainTextLoader
from rag_engine.ingestion.loaders.selection import every_loader
from tests.office_files import compound_file, docx, opendocument, pptx, xlsx


@pytest.mark.parametrize(
    ("name", "head", "loader"),
    [
        ("a.txt", b"text", "plain_text"),
        ("a.MD", b"# text", "markdown"),
        ("a.htm", b"<p>x", "html"),
        ("a.csv", b"a,b", "delimited"),
        ("a.json", b"{}", "json"),
        ("a.ndjson", b"{}", "json_lines"),
        ("a.pdf", b"%PDF-1.7 ...", "pdf"),
        ("a.txt", b"%PDF-1.7\n%\xe2\xe3", "pdf"),
        ("a.pdf", b"no header at all", "pdf"),
        ("README", b"text without suffix", "plain_text"),
        ("page.php", b"<!-- x --> <!DOCTYPE html><p>", "html"),
        ("a.txt", "Größe in UTF-16 without mark".encode("utf-16-le"), "plain_text"),
        ("a.txt", "привет, мир, это русский текст".encode("cp1251"), "plain_text"),
        ("a.txt", b"one stray \x00 byte in a text", "plain_text"),
        ("notes.txt", b"MZ is also how a text may begin", "plain_text"),
        ("a.txt", "cut in the middle of €".encode()[:-1], "plain_text"),
    ],
)
def test_the_name_proposes_and_the_bytes_decide(name: str, head: bytes, loader: str) -> None:
    assert select_loader(name, head).name == loader


def zip_bytes() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.txt", b"0" * 10_000_000)
    return archive.getvalue()


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x7fELF\x02\x01\x01" + bytes(100), "program"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "PNG"),
        (bytes(range(256)) * 4, "binary"),
        (bytes(1000), "binary"),
    ],
)
@pytest.mark.parametrize("name", ["a.txt", "a.md", "a", "a.bin"])
def test_what_is_no_text_is_refused_by_what_it_is(head: bytes, kind: str, name: str) -> None:
    with pytest.raises(UnsupportedFormatError) as caught:
        select_loader(name, head)
    assert kind in caught.value.message


@pytest.mark.parametrize(
    ("data", "loader"),
    [
        (zip_bytes(), "zip_archive"),
        (b"PK\x03\x04 and nothing more", "zip_archive"),
        (gzip.compress(b"x" * 1000, mtime=0), "compressed"),
        (bz2.compress(b"x"), "compressed"),
        (lzma.compress(b"x"), "compressed"),
        (b"file.txt".ljust(257, b"\0") + b"ustar  \0" + bytes(300), "tar_archive"),
    ],
)
@pytest.mark.parametrize("name", ["a.txt", "a", "report.pdf"])
def test_archives_are_told_by_their_bytes_alone(data: bytes, loader: str, name: str) -> None:
    assert select_loader(name, data).name == loader


@pytest.mark.parametrize(
    ("data", "loader"),
    [
        (docx(""), "docx"),
        (pptx(""), "pptx"),
        (xlsx({"S": ""}), "spreadsheet"),
        (opendocument("text", ""), "opendocument"),
        (opendocument("presentation", ""), "opendocument"),
        (opendocument("spreadsheet", ""), "spreadsheet"),
        (compound_file({"WordDocument": b""}), "word_binary"),
        (compound_file({"Workbook": b""}), "spreadsheet"),
        (compound_file({"EncryptedPackage": b""}), "encrypted_office"),
        (b"{\\rtf1 text}", "rtf"),
        (b'<?xml version="1.0"?>\n<?mso-application progid="Word.Document"?><w:wordDocument xmlns:w="x"/>', "word_xml"),
    ],
)
@pytest.mark.parametrize("name", ["a.txt", "a.zip", "a.docx", "a.doc", "a"])
def test_office_documents_are_told_by_what_lies_in_them(data: bytes, loader: str, name: str) -> None:
    assert select_loader(name, data).name == loader


@pytest.mark.parametrize(
    ("stream", "kind"),
    [("PowerPoint Document", "PowerPoint"), ("VisioDocument", "Visio"), ("other", "old Office")],
)
def test_compound_files_that_are_not_read_are_refused_by_what_they_are(stream: str, kind: str) -> None:
    with pytest.raises(UnsupportedFormatError, match=kind):
        select_loader("a.doc", compound_file({stream: b""}))


@pytest.mark.parametrize(("data", "loader"), [(b"plain", "plain_text"), (b"<html><p>x", "html")])
@pytest.mark.parametrize("name", ["a.doc", "a.xls", "a.docx", "a.rtf"])
def test_text_under_the_name_of_an_office_document_is_text(data: bytes, loader: str, name: str) -> None:
    assert select_loader(name, data).name == loader


def test_every_loader_says_its_version_under_its_own_name() -> None:
    assert {*map(str, loader_versions())} == {loader.name for loader in every_loader()}
    assert all(version >= 1 for version in loader_versions().values())


def test_the_version_of_what_holds_files_rises_with_that_of_any_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    before = loader_versions()["zip_archive"]
    members_version.cache_clear()
    monkeypatch.setattr(PlainTextLoader, "version", PlainTextLoader.version + 1)
    try:
        assert loader_versions()["zip_archive"] == before + 1
    finally:
        members_version.cache_clear()
