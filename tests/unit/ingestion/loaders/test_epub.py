import io
import zipfile
from collections.abc import Mapping

import pytest

from rag_engine.errors import (
    EmptySourceError,
    EncryptedSourceError,
    IngestionError,
    ParsingError,
    SourceTooLargeError,
)
from rag_engine.ingestion.loaders.epub import EpubLoader
from rag_engine.types.document import BlockKind, Document, Truncation
from rag_engine.types.ingestion import LoadLimits

CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
XHTML = '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body>{}</body></html>'
METADATA = (
    "<dc:title>The Book</dc:title><dc:creator>A. Writer</dc:creator><dc:creator>B. Writer</dc:creator>"
    "<dc:language>en-GB</dc:language><dc:date>2024-05-31</dc:date><dc:subject>Ducks</dc:subject>"
    '<meta property="dcterms:modified">2024-06-01T12:00:00Z</meta>'
)


def book(
    chapters: Mapping[str, str],
    *,
    order: list[str] | None = None,
    metadata: str = METADATA,
    more: Mapping[str, str] = {},
) -> bytes:
    """An e-book: bodies of chapters by name, and the order in which they are read."""
    items = "".join(
        f'<item id="i{number}" href="{name}" media-type="application/xhtml+xml"/>'
        for number, name in enumerate(order or chapters)
    )
    spine = "".join(f'<itemref idref="i{number}"/>' for number in range(len(order or chapters)))
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<metadata>{metadata}</metadata><manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        members = {"mimetype": "application/epub+zip", "META-INF/container.xml": CONTAINER, "OPS/book.opf": package}
        members |= {f"OPS/{name}": XHTML.format(body) for name, body in chapters.items()}
        for name, content in {**members, **more}.items():
            file.writestr(name, content)
    return archive.getvalue()


def load(data: bytes, *, max_characters: int = 10**6) -> Document:
    (document,) = EpubLoader().load(data, name="n.epub", limits=LoadLimits(max_characters))
    return document


def test_chapters_are_read_in_the_order_of_the_spine() -> None:
    document = load(
        book({"a.xhtml": "<h1>One</h1><p>first</p>", "b.xhtml": "<p>second</p>"}, order=["b.xhtml", "a.xhtml"])
    )
    assert document.text == "second\n\nOne\n\nfirst"
    assert [(block.kind, block.title) for block in document.blocks][1] == (BlockKind.HEADING, "One")


def test_title_and_metadata_come_from_the_package() -> None:
    document = load(book({"a.xhtml": "<h1>One</h1>"}))
    assert document.title == "The Book"
    assert document.metadata == {
        "author": "A. Writer, B. Writer",
        "created": "2024-05-31",
        "language": "en-GB",
        "modified": "2024-06-01T12:00:00Z",
        "subject": "Ducks",
    }
    assert load(book({"a.xhtml": "<h1>One</h1>"}, metadata="")).title == "One"


def test_tables_of_contents_are_left_out_and_notes_are_kept() -> None:
    body = "<nav><ol><li>Chapter 1</li></ol></nav><p>text</p><aside>1. A note.</aside><footer>More</footer>"
    assert load(book({"a.xhtml": body})).text == "text\n\n1. A note.\n\nMore"


def test_names_are_found_however_they_are_written() -> None:
    assert load(book({"Größe 1.xhtml": "<p>text</p>"}, order=["Gro%CC%88%C3%9FE%201.xhtml#start"])).text == "text"


def test_a_chapter_that_is_absent_is_told() -> None:
    document = load(book({"a.xhtml": "<p>here</p>"}, order=["a.xhtml", "b.xhtml"]))
    assert document.text == "here"
    assert document.truncations == (Truncation("chapters", 1, 2),)


def test_a_book_of_pictures_is_empty() -> None:
    with pytest.raises(EmptySourceError, match="shows no text"):
        load(book({"a.xhtml": "<img src='a.png'/>"}))


def test_text_over_the_limit_is_refused() -> None:
    with pytest.raises(SourceTooLargeError):
        load(book({"a.xhtml": "<p>twelve chars</p>"}), max_characters=11)


@pytest.mark.parametrize(("method", "refused"), [("http://www.w3.org/2001/04/xmlenc#aes128-cbc", True), (None, False)])
def test_a_book_under_digital_rights_management_is_refused_and_obfuscated_fonts_do_no_harm(
    method: str | None, refused: bool
) -> None:
    encryption = (
        '<encryption><EncryptedData xmlns="http://www.w3.org/2001/04/xmlenc#">'
        f'<EncryptionMethod Algorithm="{method or "http://www.idpf.org/2008/embedding"}"/>'
        '<CipherData><CipherReference URI="OPS/a.xhtml"/></CipherData></EncryptedData></encryption>'
    )
    data = book({"a.xhtml": "<p>text</p>"}, more={"META-INF/encryption.xml": encryption})
    if refused:
        with pytest.raises(EncryptedSourceError):
            load(data)
    else:
        assert load(data).text == "text"


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"META-INF/container.xml": "<container/>"}, "no package document"),
        ({"META-INF/container.xml": "no xml"}, "no well-formed XML"),
        ({"OPS/book.opf": "<package"}, "no well-formed XML"),
        ({"OPS/book.opf": "<package/>"}, "none of the chapters"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_broken_container_is_refused_with_the_reason(broken: dict[str, str], says: str) -> None:
    with pytest.raises(ParsingError, match=says):
        load(book({"a.xhtml": "<p>text</p>"}, more=broken))


def test_what_is_no_archive_is_refused() -> None:
    for data in (b"", b"PK\x03\x04 and nothing", book({"a.xhtml": "<p>text</p>"})[:200]):
        with pytest.raises(IngestionError):
            load(data)


def test_entities_are_not_expanded() -> None:
    package = '<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]><package><title>&x;</title></package>'
    with pytest.raises(ParsingError):
        load(book({"a.xhtml": "<p>text</p>"}, more={"OPS/other.opf": package, "OPS/book.opf": package}))


def test_a_chapter_at_what_is_no_address_costs_only_itself() -> None:
    document = load(book({"a.xhtml": "<p>first</p>"}, order=["http://[x", "a.xhtml"]))
    assert document.text == "first"
    assert document.truncations == (Truncation("chapters", 1, 2),)
