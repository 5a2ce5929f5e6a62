"""PDF, read by PDFium; the canonical text is the pages' text with an empty line between pages.

PDFium (BSD) reads what Chrome reads, a page in some milliseconds, and gives each page's text by itself, so that a
span says its page. On the same 97 pages pypdf takes eight times as long and pdfminer.six fifteen; PyMuPDF is AGPL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING

from rag_engine.errors import EmptySourceError, EncryptedSourceError, ParsingError
from rag_engine.ingestion.loaders.canonical_text import too_large
from rag_engine.ingestion.loaders.encoding import canonical
from rag_engine.ingestion.loaders.pdf_hyphens import MARK, whole_words
from rag_engine.ingestion.loaders.pdf_outline import locate_headings, read_outline
from rag_engine.types.document import Document, JsonValue, Page, Truncation
from rag_engine.types.ingestion import LoadLimits

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

_PAGE_SEPARATOR = "\n\n"
_OTHER_MARK = "\x02"  # that of older versions of PDFium
_DATE = re.compile(r"(?:D:)?(\d{4})(\d{2})?(\d{2})?")
_DESCRIPTIONS = {"Author": "author", "Subject": "subject", "Keywords": "keywords"}
_DATES = {"CreationDate": "created", "ModDate": "modified"}
_WRONG_PASSWORD = 4  # FPDF_ERR_PASSWORD
_UNKNOWN_ENCRYPTION = 5  # FPDF_ERR_SECURITY
_LONGEST_LANGUAGE = 64


class PdfLoader:
    """Reads the text that a PDF shows, filled-in forms and typed notes included; it recognises none in images."""

    name = "pdf"
    version = 2

    def load(self, data: bytes, *, name: str, limits: LoadLimits) -> Iterator[Document]:
        """One document with its pages; its metadata lists as ``unreadable_pages`` those that PDFium cannot read.

        An encrypted PDF is opened with the empty password, as viewers do, or one of those in ``limits``.

        Raises:
            EncryptedSourceError: none of them opens it.
            ParsingError: PDFium cannot open it, or none of its pages.
            EmptySourceError: no page holds text.
            SourceTooLargeError: the pages hold too many characters.
        """
        import pypdfium2

        with closing(_opened(data, name, limits.passwords)) as pdf:
            texts, unreadable = _read_pages(pdf, name, limits.max_characters)
            information: dict[str, str] = pdf.get_metadata_dict()
            language = _language(pdf)
            try:
                outline = read_outline(pdf)
            except pypdfium2.PdfiumError:
                outline = []  # a damaged outline costs the headings, not the text
        if unreadable and len(unreadable) == len(texts):
            raise ParsingError(f"no page of {name} can be read", hint="re-create the PDF")
        if not any(text.strip() for text in texts):
            raise EmptySourceError(
                f"{name} holds no text on any page", hint="a scanned PDF needs text recognition first"
            )
        text = _PAGE_SEPARATOR.join(texts)
        pages = tuple(_spans(texts))
        metadata = _metadata(information)
        if language:
            metadata["language"] = language
        if unreadable:
            metadata["unreadable_pages"] = unreadable
        yield Document(
            id=name,
            text=text,
            title=" ".join(canonical(information.get("Title", "")).split()),
            metadata=metadata,
            blocks=tuple(locate_headings(outline, text, pages)),
            pages=pages,
            truncations=(Truncation("pages", len(texts) - len(unreadable), len(texts)),) if unreadable else (),
        )


def _opened(data: bytes, name: str, passwords: tuple[str, ...]) -> PdfDocument:
    import pypdfium2

    for password in (None, *passwords):
        try:
            return pypdfium2.PdfDocument(data, password=password)
        except pypdfium2.PdfiumError as error:
            if error.err_code == _UNKNOWN_ENCRYPTION:
                raise EncryptedSourceError(
                    f"{name} is encrypted in a way that PDFium does not know", hint="save it without encryption"
                ) from error
            if error.err_code != _WRONG_PASSWORD:
                raise ParsingError(f"{name} is not a readable PDF") from error
    raise EncryptedSourceError(f"{name} is encrypted, and no known password opens it")


def _read_pages(pdf: PdfDocument, name: str, max_characters: int) -> tuple[list[str], list[JsonValue]]:
    import pypdfium2

    pages: list[str] = []
    unreadable: list[JsonValue] = []
    length = 0
    for index in range(len(pdf)):
        try:
            text = _page_text(pdf, index)
        except pypdfium2.PdfiumError:
            text = ""
            unreadable.append(index + 1)
        length += len(text) + len(_PAGE_SEPARATOR)
        if length > max_characters + len(_PAGE_SEPARATOR):
            raise too_large(name, max_characters)
        pages.append(text)
    return whole_words(pages), unreadable


def _page_text(pdf: PdfDocument, index: int) -> str:
    with closing(pdf[index]) as page:
        if not _holds_fields(page):
            return _shown_text(page)
        from pypdfium2 import raw

        raw.FPDFPage_Flatten(page, raw.FLAT_NORMALDISPLAY)  # of the page in memory; it has to be opened again
    with closing(pdf[index]) as page:
        return _shown_text(page)


def _shown_text(page: PdfPage) -> str:
    with closing(page.get_textpage()) as text_page:
        return canonical(text_page.get_text_range().replace(_OTHER_MARK, MARK)).strip("\n")


def _holds_fields(page: PdfPage) -> bool:
    """Whether there are form fields or typed notes on the page, whose words PDFium keeps apart from its text."""
    from pypdfium2 import raw

    for index in range(raw.FPDFPage_GetAnnotCount(page)):
        annotation = raw.FPDFPage_GetAnnot(page, index)
        if annotation:
            kind = raw.FPDFAnnot_GetSubtype(annotation)
            raw.FPDFPage_CloseAnnot(annotation)
            if kind in (raw.FPDF_ANNOT_WIDGET, raw.FPDF_ANNOT_FREETEXT):
                return True
    return False


def _spans(pages: list[str]) -> Iterator[Page]:
    start = 0
    for number, text in enumerate(pages, 1):
        yield Page(number, start, start + len(text))
        start += len(text) + len(_PAGE_SEPARATOR)


def _metadata(information: dict[str, str]) -> dict[str, JsonValue]:
    metadata: dict[str, JsonValue] = {}
    for theirs, ours in _DESCRIPTIONS.items():
        if value := canonical(information.get(theirs, "")).strip():
            metadata[ours] = value
    for theirs, ours in _DATES.items():
        if value := _iso_date(information.get(theirs, "")):
            metadata[ours] = value
    return metadata


def _iso_date(written: str) -> str:
    """``2024``, ``2024-05`` or ``2024-05-31`` of a PDF's date (section 7.9.4); nothing for one that never was."""
    match = _DATE.match(written.strip())
    if not match:
        return ""
    given = [part for part in match.groups() if part]
    try:
        date(*map(int, (*given, "1", "1")[:3]))
    except ValueError:
        return ""
    return "-".join(given)


def _language(pdf: PdfDocument) -> str:
    """What the catalogue says under ``/Lang``, a BCP 47 tag."""
    import ctypes

    from pypdfium2 import raw

    size = raw.FPDFCatalog_GetLanguage(pdf, None, 0)
    if not 2 < size <= 2 * _LONGEST_LANGUAGE:
        return ""
    buffer = (raw.FPDF_WCHAR * (size // 2))()
    raw.FPDFCatalog_GetLanguage(pdf, buffer, size)
    return canonical(ctypes.string_at(buffer, size - 2).decode("utf-16-le", "replace")).strip()
