"""Rich Text Format (Microsoft's specification 1.9.1), read by a reader of our own.

The small libraries for it give characters without headings, tables, notes or metadata, and no offsets; the format is a
stream of control words that takes one pass.
"""

from __future__ import annotations

from collections.abc import Iterator

from rag_engine.errors import ParsingError
from rag_engine.ingestion.loaders.office_package import described, property_text
from rag_engine.ingestion.loaders.office_text import OfficeWriter
from rag_engine.ingestion.loaders.rtf_reader import RtfReader
from rag_engine.types.document import Document
from rag_engine.types.ingestion import LoadLimits

RTF_SIGNATURE = b"{\\rtf"


class RtfLoader:
    """Reads Rich Text; page headers and footers, comments, pictures and deleted text are left out."""

    name = "rtf"
    version = 1

    def load(self, data: bytes, *, name: str, limits: LoadLimits) -> Iterator[Document]:
        """One document; ``hidden_text`` in its metadata are the spans that are not shown."""
        start = data.find(RTF_SIGNATURE, 0, 1024)
        if start < 0:
            raise ParsingError(f"{name} is no Rich Text document")
        writer = OfficeWriter(name=name, max_characters=limits.max_characters)
        reader = RtfReader(writer)
        reader.read(data[start:].decode("latin-1"))
        properties = reader.properties
        title = property_text(properties.pop("title", ""))
        yield writer.document(title=title or writer.first_heading, metadata=described({**properties}))
