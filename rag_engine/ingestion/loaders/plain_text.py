"""Plain text, which is its own canonical text."""

from __future__ import annotations

from collections.abc import Iterator

from rag_engine.ingestion.loaders.canonical_text import read_text
from rag_engine.ingestion.loaders.encoding import declared_by_xml
from rag_engine.types.document import Document
from rag_engine.types.ingestion import LoadLimits


class PlainTextLoader:
    """Reads text of any kind; an XML declaration's encoding is believed."""

    name = "plain_text"
    version = 2

    def load(self, data: bytes, *, name: str, limits: LoadLimits) -> Iterator[Document]:
        """One document, without title or blocks."""
        text = read_text(data, name=name, max_characters=limits.max_characters, declared=declared_by_xml(data))
        yield Document(id=name, text=text)
