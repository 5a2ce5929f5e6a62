"""JSON (RFC 8259): one document, from its text field or flattened to lines ``path.to.key: value``."""

from __future__ import annotations

from collections.abc import Iterator

from rag_engine.errors import EmptySourceError
from rag_engine.ingestion.loaders.json_values import decode_json, document_of, parse_json
from rag_engine.types.document import Document


class JsonLoader:
    """Reads one JSON value."""

    name = "json"
    version = 1

    def load(self, data: bytes, *, name: str, max_characters: int) -> Iterator[Document]:
        """One document; an object's ``_id`` or ``id`` is its id."""
        if not data.strip():
            raise EmptySourceError(f"{name} holds no text")
        value = parse_json(decode_json(data, source=name), source=name)
        yield document_of(value, name=name, source=name, max_characters=max_characters)
