"""Texts, presentations and drawings of OpenDocument (ISO 26300), read from their XML with lxml.

Offsets: the XML is in reading order, notes and frames where they are anchored. Licence: BSD.
"""

from __future__ import annotations

from collections.abc import Iterator

from rag_engine.errors import ParsingError
from rag_engine.ingestion.loaders.office_text import OfficeWriter
from rag_engine.ingestion.loaders.office_xml import Element, attribute, tag
from rag_engine.ingestion.loaders.opendocument_content import ContentReader
from rag_engine.ingestion.loaders.opendocument_package import OpenDocumentPackage
from rag_engine.ingestion.loaders.opendocument_styles import OpenDocumentStyles
from rag_engine.types.document import Document
from rag_engine.types.ingestion import LoadLimits

_NOTES = "presentation:notes"


class OpenDocumentLoader:
    """Reads ODT, ODP and ODG; page headers and footers, comments and deleted text are left out."""

    name = "opendocument"
    version = 1

    def load(self, data: bytes, *, name: str, limits: LoadLimits) -> Iterator[Document]:
        """One document, with a page a slide; ``hidden_text`` in its metadata are the spans that are not shown."""
        package = OpenDocumentPackage(data, name=name, limits=limits)
        body = package.body()
        styles = OpenDocumentStyles(package.part("content.xml"), package.part("styles.xml"))
        writer = OfficeWriter(name=name, max_characters=limits.max_characters)
        reader = ContentReader(writer, styles=styles, package=package)
        title, metadata = package.properties()
        kind = tag(body)
        if kind in ("office:presentation", "office:drawing"):
            pages = [page for page in body if tag(page) == "draw:page"]
            titles = [_read_page(page, number, reader, writer) for number, page in enumerate(pages, 1)]
            title = title or next(filter(None, titles), "")
        elif kind == "office:text":
            reader.read(body)
            title = title or reader.title or writer.first_heading
        else:
            raise ParsingError(f"{name} is an OpenDocument file of a kind that holds no running text")
        if "language" not in metadata and styles.language:
            metadata["language"] = styles.language
        yield writer.document(title=title, metadata=metadata)


def _read_page(page: Element, number: int, reader: ContentReader, writer: OfficeWriter) -> str:
    """Writes a slide and gives its title."""
    writer.begin_page()
    shapes = [shape for shape in page if tag(shape) != _NOTES]
    titles = {shape: None for shape in shapes if attribute(shape, "presentation:class") == "title"}  # in order
    title = next((words for shape in titles if (words := reader.words(shape))), "")
    if title or any(map(reader.words, shapes)):
        # Without a heading of its own a slide would stand under the title of the one before.
        writer.heading(title or f"Slide {number}", 1)
    for shape in shapes:
        if shape not in titles:
            reader.read([shape])
    for notes in (element for element in page if tag(element) == _NOTES):
        words = " ".join(reader.words(shape) for shape in notes if attribute(shape, "presentation:class") == "notes")
        if words.strip():
            writer.paragraph(f"Notes: {words}")
    return title
