"""JSON (RFC 8259): one document, from its text field or flattened; of a list of records one document each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rag_engine.errors import EmptySourceError, IngestionError
from rag_engine.ingestion.loaders.json_values import decode_json, document_of, has_text, parse_json
from rag_engine.types.document import Document, SourceFailure
from rag_engine.types.ingestion import LoadLimits


class JsonLoader:
    """Reads one JSON value."""

    name = "json"
    version = 3

    def load(self, data: bytes, *, name: str, limits: LoadLimits) -> Iterator[Document | SourceFailure]:
        """One document; an object's ``_id`` or ``id`` is its id.

        A list of objects that all have a text is read as JSON Lines are: each is a document, called by its id where
        all have different ones, else ``name#N``; one that cannot be taken costs only itself.
        """
        if not data.strip():
            raise EmptySourceError(f"{name} holds no text")
        value = parse_json(decode_json(data, source=name), source=name)
        if isinstance(value, list) and value and all(map(has_text, value)):
            yield from _records(value, name, limits)
        else:
            yield document_of(value, name=name, source=name, max_characters=limits.max_characters)


def _records(values: list[Any], name: str, limits: LoadLimits) -> Iterator[Document | SourceFailure]:
    records: list[Document | SourceFailure] = []
    for number, value in enumerate(values, 1):
        try:
            source = f"record {number}"
            records.append(document_of(value, name="", source=source, max_characters=limits.max_characters))
        except IngestionError as error:
            records.append(SourceFailure(f"{name}:{number}", error.code, error.message, error.hint))
    identifiers = [record.id for record in records if isinstance(record, Document)]
    are_names = all(identifiers) and len(set(identifiers)) == len(identifiers)
    for number, record in enumerate(records, 1):
        if are_names or isinstance(record, SourceFailure):
            yield record
        else:
            said = {"id": record.id} if record.id else {}
            yield replace(record, id=f"{name}#{number}", metadata={**said, **record.metadata})
