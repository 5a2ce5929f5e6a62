"""JSON Lines: one object a line, one document an object; a broken line costs only itself."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from json import detect_encoding

from rag_engine.errors import DuplicateDocumentError, EmptySourceError, IngestionError, ParsingError
from rag_engine.ingestion.loaders.json_values import decode_json, document_of, parse_json
from rag_engine.types.document import Document, SourceFailure
from rag_engine.types.ingestion import LoadLimits

_HOPELESS = 100  # broken lines in a row, from the first, after which the file is something else


class JsonLinesLoader:
    """Reads objects with ``_id`` (or ``id``), ``title``, ``text`` and ``metadata``, one a line."""

    name = "json_lines"
    version = 2

    def load(self, data: bytes, *, name: str, limits: LoadLimits) -> Iterator[Document | SourceFailure]:
        """Documents in order, and a failure for each line that is broken, empty, too long or says an id again.

        Without an id of its own a document is called ``name#LINE``.
        """
        seen: dict[str, int] = {}
        failures: list[SourceFailure] | None = []  # held back until a first line could be read
        number = 0
        for number, line in _lines(data, name):
            try:
                document = _document(line, number, name, limits.max_characters)
                first = seen.setdefault(document.id, number)
                if first != number:
                    raise DuplicateDocumentError(f"line {number} has the id {document.id!r} of line {first}")
            except IngestionError as error:
                failure = SourceFailure(f"{name}:{number}", error.code, error.message, error.hint)
                if failures is None:
                    yield failure
                    continue
                failures.append(failure)
                if len(failures) == _HOPELESS:
                    raise ParsingError(f"{name} is not JSON Lines: {failures[0].error}") from error
                continue
            if failures is not None:
                yield from failures
                failures = None
            yield document
        if not number:
            raise EmptySourceError(f"{name} holds no text")
        yield from failures or ()


def _document(line: bytes, number: int, name: str, max_characters: int) -> Document:
    source = f"line {number}"
    value = parse_json(decode_json(line, source=source), source=source)
    if not isinstance(value, dict):
        raise ParsingError(f"{source} is not a JSON object")
    return document_of(value, name=f"{name}#{number}", source=source, max_characters=max_characters)


def _lines(data: bytes, name: str) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, with their numbers from 1."""
    if not detect_encoding(data[:4]).startswith("utf-8"):
        data = decode_json(data, source=name).encode()
    start = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    number = 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        number += 1
        line = data[start:end].strip()
        start = end + 1
        if line:
            yield number, line
