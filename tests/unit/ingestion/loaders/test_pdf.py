from collections.abc import Sequence

import pytest

from rag_engine.errors import EmptySourceError, EncryptedSourceError, ParsingError, SourceTooLargeError
from rag_engine.ingestion.loaders.pdf import PdfLoader
from rag_engine.types.document import BlockKind, Document, Truncation
from rag_engine.types.ingestion import LoadLimits
from tests.documents import encrypted_pdf, pdf


def load(data: bytes, *, max_characters: int = 10**6, passwords: tuple[str, ...] = ()) -> Document:
    (document,) = PdfLoader().load(data, name="n.pdf", limits=LoadLimits(max_characters, passwords))
    return document


def test_pages_are_joined_and_each_position_knows_its_page() -> None:
    document = load(pdf("First page", "", "Third page"))
    assert document.text == "First page\n\n\n\nThird page"
    assert [document.text[page.start : page.end] for page in document.pages] == ["First page", "", "Third page"]
    assert document.page_at(document.text.index("Third")) == 3
    assert document.blocks == ()


def test_title_author_and_date_come_from_the_information() -> None:
    document = load(pdf("x", information="/Title (The title) /Author (A. Writer) /CreationDate (D:20240229120000Z)"))
    assert document.title == "The title"
    assert document.metadata == {"author": "A. Writer", "created": "2024-02-29"}


def test_pages_without_text_are_an_empty_source() -> None:
    with pytest.raises(EmptySourceError, match="no text on any page"):
        load(pdf("", ""))


def test_text_over_the_limit_is_refused() -> None:
    assert load(pdf("12345", "6789"), max_characters=11).text == "12345\n\n6789"
    with pytest.raises(SourceTooLargeError):
        load(pdf("12345", "6789"), max_characters=10)


@pytest.mark.parametrize("data", [b"%PDF-1.7 and nothing else", b"no pdf at all", pdf("x")[:200]])
def test_what_is_no_readable_pdf_is_refused(data: bytes) -> None:
    with pytest.raises(ParsingError):
        load(data)


def test_an_encrypted_pdf_opens_with_the_empty_password_or_a_given_one() -> None:
    assert load(encrypted_pdf("open to all", "")).text == "open to all"
    assert load(encrypted_pdf("hidden", "foo"), passwords=("bar", "foo")).text == "hidden"


@pytest.mark.parametrize("passwords", [(), ("bar", "Foo")])
def test_an_encrypted_pdf_without_its_password_is_refused_with_the_mend(passwords: tuple[str, ...]) -> None:
    with pytest.raises(EncryptedSourceError, match=r"n\.pdf is encrypted") as caught:
        load(encrypted_pdf("hidden", "foo"), passwords=passwords)
    assert "ingestion.passwords" in caught.value.hint


@pytest.mark.parametrize(
    ("written", "read"),
    [("D:20240229120000Z", "2024-02-29"), ("D:2024", "2024"), ("20240531", "2024-05-31"), ("D:20240230", None)],
)
def test_dates_are_iso_dates_and_those_that_never_were_are_left_out(written: str, read: str | None) -> None:
    document = load(pdf("x", information=f"/ModDate ({written})"))
    assert document.metadata.get("modified") == read


def test_the_catalogue_says_the_language() -> None:
    assert load(pdf("x", catalogue="/Lang (de-AT)")).metadata == {"language": "de-AT"}


def outlined(*pages: str, entries: Sequence[tuple[str, int]]) -> bytes:
    """A PDF whose outline has these entries: title, page from 0."""
    numbers = [100 + position for position in range(len(entries))]
    extra = {99: f"<< /First {numbers[0]} 0 R /Last {numbers[-1]} 0 R /Count {len(entries)} >>"}
    for position, (title, page) in enumerate(entries):
        following = f"/Next {numbers[position + 1]} 0 R" if position + 1 < len(entries) else ""
        extra[numbers[position]] = f"<< /Title ({title}) /Parent 99 0 R /Dest [{5 + 2 * page} 0 R /Fit] {following} >>"
    return pdf(*pages, catalogue="/Outlines 99 0 R", extra=extra)


def test_the_outline_becomes_headings_where_its_words_are_on_the_page() -> None:
    entries = [("Introduction", 0), ("Not on the page", 0), ("methods and data", 1), ("Methods", 7)]
    document = load(outlined("1.2 Introduction", "METHODS   AND DATA", entries=entries))
    assert [(block.kind, document.text[block.start : block.end], block.title) for block in document.blocks] == [
        (BlockKind.HEADING, "1.2 Introduction", "Introduction"),
        (BlockKind.HEADING, "METHODS AND DATA", "methods and data"),
    ]


def test_words_within_a_line_are_no_heading_and_each_heading_is_found_once() -> None:
    assert load(outlined("See Introduction for more", entries=[("Introduction", 0)])).blocks == ()
    assert len(load(outlined("Intro", entries=[("Intro", 0), ("Intro", 0)])).blocks) == 1


def test_a_page_that_cannot_be_read_is_told_and_counted() -> None:
    document = load(pdf("one", "two").replace(b"/Kids [5 0 R 7 0 R]", b"/Kids [5 0 R 3 0 R]"))
    assert document.text == "one\n\n"
    assert document.metadata == {"unreadable_pages": [2]}
    assert document.truncations == (Truncation("pages", 1, 2),)


def test_what_is_typed_into_a_form_is_text() -> None:
    appearance = "/Type /XObject /Subtype /Form /BBox [0 0 99 20] /Resources << /Font << /F1 3 0 R >> >>"
    stream = "BT /F1 12 Tf 2 5 Td (Ada Lovelace) Tj ET"
    extra = {
        98: "<< /Type /Annot /Subtype /Widget /FT /Tx /T (name) /V (Ada Lovelace) /F 4 /Rect [72 600 171 620]"
        " /AP << /N 99 0 R >> >>",
        99: f"<< {appearance} /Length {len(stream)} >>\nstream\n{stream}\nendstream",
    }
    assert load(pdf("Name:", page="/Annots [98 0 R]", extra=extra)).text == "Name:\nAda Lovelace"
