"""Word 2003's documents in one XML file (WordprocessingML), which Word saves under .xml and others under .doc."""

from __future__ import annotations

from collections.abc import Iterator

from rag_engine.ingestion.loaders.docx_content import ContentReader
from rag_engine.ingestion.loaders.docx_numbering import read_numbering
from rag_engine.ingestion.loaders.docx_styles import Styles
from rag_engine.ingestion.loaders.office_package import described, property_text
from rag_engine.ingestion.loaders.office_text import OfficeWriter
from rag_engine.ingestion.loaders.office_xml import child, parse_office_xml
from rag_engine.types.document import Document
from rag_engine.types.ingestion import LoadLimits

_PROPERTIES = {
    "Author": "author",
    "Created": "created",
    "LastSaved": "modified",
    "Subject": "subject",
    "Keywords": "keywords",
    "Description": "description",
}


class WordXmlLoader:
    """Reads what ``DocxLoader`` does of the same elements; lists, which are counted otherwise, are paragraphs."""

    name = "word_xml"
    version = 1

    def load(self, data: bytes, *, name: str, limits: LoadLimits) -> Iterator[Document]:
        """One document, with the file's properties as metadata."""
        root = parse_office_xml(data, source=name)
        found = {str(element.tag).rpartition("}")[2]: element.text for inner in root for element in inner}
        styles = Styles(child(root, "w:styles"))
        writer = OfficeWriter(name=name, max_characters=limits.max_characters)
        reader = ContentReader(writer, styles=styles, numbering=read_numbering(None), footnotes={}, endnotes={})
        reader.read(child(root, "w:body"))
        title = property_text(found.get("Title")) or reader.title or writer.first_heading
        values = {ours: found.get(theirs) for theirs, ours in _PROPERTIES.items()}
        yield writer.document(title=title, metadata=described({**values, "language": styles.language}))
