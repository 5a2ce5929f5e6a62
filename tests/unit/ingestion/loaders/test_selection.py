import gzip
import io
import zipfile

import pytest

from rag_engine.errors import UnsupportedFormatError
from rag_engine.ingestion import loader_versions, select_loader


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
        (zip_bytes(), "ZIP"),
        (gzip.compress(b"x" * 1000, mtime=0), "gzip"),
        (b"\x7fELF\x02\x01\x01" + bytes(100), "program"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "PNG"),
        (bytes(range(256)) * 4, "binary"),
        (bytes(1000), "binary"),
        (b"{\\rtf1 text", "Rich Text"),
        (b"file.txt".ljust(257, b"\0") + b"ustar  \0" + bytes(300), "tar"),
    ],
)
@pytest.mark.parametrize("name", ["a.txt", "a.md", "a", "a.bin"])
def test_what_is_no_text_is_refused_by_what_it_is(head: bytes, kind: str, name: str) -> None:
    with pytest.raises(UnsupportedFormatError) as caught:
        select_loader(name, head)
    assert kind in caught.value.message


def test_an_archive_behind_a_pdf_name_is_refused() -> None:
    with pytest.raises(UnsupportedFormatError, match="ZIP"):
        select_loader("report.pdf", zip_bytes()[:65536])


def test_every_loader_says_its_version_under_its_own_name() -> None:
    assert set(loader_versions()) == {"plain_text", "markdown", "html", "pdf", "delimited", "json", "json_lines"}
    assert all(version >= 1 for version in loader_versions().values())
