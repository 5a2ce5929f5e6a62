"""Word documents (ECMA-376, ISO 29500), read from their XML with lxml.

Offsets: python-docx, made for editing, gives neither the order of notes and text boxes nor the numbers of lists. Speed:
most of it is the parser's, which is python-docx's too. Licence: BSD.
"""

from __future__ import annotations

from collections.abc import Iterator

from rag_engine.ingestion.loaders.docx_content import ContentReader
from rag_engine.ingestion.loaders.docx_numbering import read_numbering
from rag_engine.ingestion.loaders.docx_styles import Styles
from rag_engine.ingestion.loaders.office_package import OfficePackage, described
from rag_engine.ingestion.loaders.office_text import OfficeWriter
from rag_engine.ingestion.loaders.office_xml import Element, attribute, child, tag
from rag_engine.types.document import Document
from rag_engine.types.ingestion import LoadLimits


class DocxLoader:
    """Reads the body of a Word document; page headers and footers, comments and deleted text are left out."""

    name = "docx"
    version = 1

    def load(self, data: bytes, *, name: str, limits: LoadLimits) -> Iterator[Document]:
        """One document; its metadata are the core properties, and as ``hidden_text`` the spans that are not shown."""
        package = OfficePackage(data, name=name, limits=limits)
        path, root = package.main_part("Word document", "word/document.xml")
        parts = dict(package.targets(path).values())

        def related(kind: str, otherwise: str) -> Element | None:
            return package.part(parts.get(kind, otherwise))

        styles = Styles(related("styles", "word/styles.xml"))
        writer = OfficeWriter(name=name, max_characters=limits.max_characters)
        reader = ContentReader(
            writer,
            styles=styles,
            numbering=read_numbering(related("numbering", "word/numbering.xml")),
            footnotes=_notes(related("footnotes", "word/footnotes.xml")),
            endnotes=_notes(related("endnotes", "word/endnotes.xml")),
        )
        reader.read(child(root, "w:body") if tag(root) == "w:document" else root)
        title, metadata = package.properties()
        if "language" not in metadata:
            metadata |= described({"language": styles.language})
        yield writer.document(title=title or reader.title or writer.first_heading, metadata=metadata)


def _notes(root: Element | None) -> dict[str, Element]:
    """Notes by id; the separators between text and notes, which have a type, are none."""
    return {
        attribute(note, "w:id") or "": note
        for note in (() if root is None else root)
        if tag(note) in ("w:footnote", "w:endnote") and (attribute(note, "w:type") or "normal") == "normal"
    }
