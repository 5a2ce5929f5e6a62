"""PDF, read by PDFium; the canonical text is the pages' text with an empty line between pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from rag_engine.errors import EmptySourceError, ParsingError
from rag_engine.ingestion.loaders.canonical_text import too_large
from rag_engine.ingestion.loaders.encoding import canonical
from rag_engine.types.document import Document, JsonValue, Page

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

_PAGE_SEPARATOR = "\n\n"
_HYPHENS = str.maketrans({"\x02": "-", "\ufffe": "-"})  # PDFium's marks of a word broken at a line's end
_DATE = re.compile(r"D:(\d{4})(\d{2})?(\d{2})?")
_METADATA = {"Author": "author", "Subject": "subject", "Keywords": "keywords"}


class PdfLoader:
    """Reads the text that a PDF holds; it recognises none in images."""

    name = "pdf"
    version = 1

    def load(self, data: bytes, *, name: str, max_characters: int) -> Iterator[Document]:
        """One document with its pages; its metadata lists as ``unreadable_pages`` those that PDFium cannot read."""
        import pypdfium2

        try:
            pdf = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            if "password" in str(error).lower():
                raise ParsingError(f"{name} is encrypted", hint="remove the password") from error
            raise ParsingError(f"{name} is not a readable PDF") from error
        with closing(pdf):
            pages, unreadable = _read_pages(pdf, name, max_characters)
            information: dict[str, str] = pdf.get_metadata_dict()
        if unreadable and len(unreadable) == len(pages):
            raise ParsingError(f"no page of {name} can be read", hint="re-create the PDF")
        if not any(text.strip() for text in pages):
            raise EmptySourceError(
                f"{name} holds no text on any page", hint="a scanned PDF needs text recognition first"
            )
        yield Document(
            id=name,
            text=_PAGE_SEPARATOR.join(pages),
            title=canonical(information.get("Title", "")).strip(),
            metadata=_metadata(information, unreadable),
            pages=tuple(_spans(pages)),
        )


def _read_pages(pdf: PdfDocument, name: str, max_characters: int) -> tuple[list[str], list[JsonValue]]:
    import pypdfium2

    pages: list[str] = []
    unreadable: list[JsonValue] = []
    length = 0
    for index in range(len(pdf)):
        try:
            with closing(pdf[index]) as page, closing(page.get_textpage()) as text_page:
                text = canonical(text_page.get_text_range().translate(_HYPHENS)).strip("\n")
        except pypdfium2.PdfiumError:
            text = ""
            unreadable.append(index + 1)
        length += len(text) + len(_PAGE_SEPARATOR)
        if length > max_characters + len(_PAGE_SEPARATOR):
            raise too_large(name, max_characters)
        pages.append(text)
    return pages, unreadable


def _spans(pages: list[str]) -> Iterator[Page]:
    start = 0
    for number, text in enumerate(pages, 1):
        yield Page(number, start, start + len(text))
        start += len(text) + len(_PAGE_SEPARATOR)


def _metadata(information: dict[str, str], unreadable: list[JsonValue]) -> dict[str, JsonValue]:
    metadata: dict[str, JsonValue] = {
        ours: canonical(information[theirs]).strip() for theirs, ours in _METADATA.items() if information.get(theirs)
    }
    created = _DATE.match(information.get("CreationDate", ""))
    if created:
        metadata["created"] = "-".join(part for part in created.groups() if part)
    if unreadable:
        metadata["unreadable_pages"] = unreadable
    return metadata
