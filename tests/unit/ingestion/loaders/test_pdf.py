import pytest

from rag_engine.errors import EmptySourceError, ParsingError, SourceTooLargeError
from rag_engine.ingestion.loaders.pdf import PdfLoader
from rag_engine.types.document import Document
from tests.documents import pdf


def load(data: bytes, *, max_characters: int = 10**6) -> Document:
    (document,) = PdfLoader().load(data, name="n.pdf", max_characters=max_characters)
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


def test_an_encrypted_pdf_is_refused_with_the_mend() -> None:
    strings = "00" * 32
    encryption = f"/Encrypt << /Filter /Standard /V 1 /R 2 /Length 40 /P -4 /O <{strings}> /U <{strings}> >>"
    with pytest.raises(ParsingError, match="encrypted") as caught:
        load(pdf("secret", trailer=f"{encryption} /ID [<{'00' * 16}> <{'00' * 16}>]"))
    assert caught.value.hint == "remove the password"
