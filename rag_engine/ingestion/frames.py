"""The sandbox's wire: frames of JSON, each behind its length; never anything that can run code."""

from __future__ import annotations

import json
import struct
from typing import Any

from rag_engine.errors import IngestionError, ParserCrashError
from rag_engine.types.document import Block, BlockKind, Document, Page, SourceFailure, Truncation

HEADER = struct.Struct(">Q")
_ROOM_BESIDE_TEXT = 64 << 20
_LARGEST_COUNT = (1 << 63) - 1  # that a database's integer holds
_BYTES_PER_CHARACTER = 16  # the character itself, and its share of the blocks


def largest_frame(max_characters: int) -> int:
    """Bytes that a frame may have; a larger one is garbage."""
    return _ROOM_BESIDE_TEXT + _BYTES_PER_CHARACTER * max_characters


def encode_frame(message: dict[str, Any], *, ascii_only: bool = False) -> bytes:
    """A message as it goes over the pipe.

    In ASCII, escapes carry lone surrogates; otherwise they raise UnicodeEncodeError.
    """
    body = json.dumps(message, ensure_ascii=ascii_only, separators=(",", ":")).encode()
    return HEADER.pack(len(body)) + body


def decode_frame(body: bytes) -> dict[str, Any]:
    """The message of a frame's body. Raises ParserCrashError where it is none."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ParserCrashError("the parser answered with something that is no message") from error
    if not isinstance(message, dict):
        raise ParserCrashError("the parser answered with something that is no message")
    return message


def pack_record(record: Document | SourceFailure) -> dict[str, Any]:
    """A loader's record as a message."""
    if isinstance(record, SourceFailure):
        return {
            "kind": "failure",
            "source": record.source,
            "code": record.code,
            "error": record.error,
            "hint": record.hint,
        }
    return {
        "kind": "document",
        "id": record.id,
        "text": record.text,
        "title": record.title,
        "metadata": dict(record.metadata),
        "blocks": [[block.kind, block.start, block.end, block.level, block.title] for block in record.blocks],
        "pages": [[page.number, page.start, page.end] for page in record.pages],
        "truncations": [[cut.what, cut.kept, cut.of, cut.stage] for cut in record.truncations],
    }


def unpack_record(message: dict[str, Any]) -> Document | SourceFailure:
    """The record of a message; what a hostile file may have made the parser say is checked here.

    Raises:
        ParserCrashError: fields are missing, of other types, or spans lie outside the text.
    """
    try:
        if message["kind"] == "failure":
            return SourceFailure(*(_string(message[key]) for key in ("source", "code", "error", "hint")))
        text = _string(message["text"])
        blocks = tuple(
            Block(BlockKind(kind), int(start), int(end), int(level), _string(title))
            for kind, start, end, level, title in message["blocks"]
        )
        pages = tuple(Page(int(number), int(start), int(end)) for number, start, end in message["pages"])
        _check_order([(block.start, block.end) for block in blocks], len(text))
        _check_order([(page.start, page.end) for page in pages], len(text))
        truncations = tuple(_truncation(*fields) for fields in message["truncations"])
        metadata = dict(message["metadata"].items())
        json.dumps(metadata, ensure_ascii=False, allow_nan=False).encode()
        return Document(_string(message["id"]), text, _string(message["title"]), metadata, blocks, pages, truncations)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ParserCrashError("the parser answered with something that is no document") from error


def unpack_error(message: dict[str, Any]) -> IngestionError:
    """The error that the parser reported, as the class that has its code."""
    kinds = [IngestionError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    by_code = {kind.code: kind for kind in kinds}
    kind = by_code.get(str(message.get("code")), ParserCrashError)
    return kind(str(message.get("message")), hint=str(message.get("hint")))


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    value.encode()  # raises where it holds lone surrogates
    return value


def _truncation(what: object, kept: int, of: int, stage: object) -> Truncation:
    if not 0 <= kept <= of <= _LARGEST_COUNT:
        raise ValueError("counts that count nothing")
    return Truncation(_string(what), int(kept), int(of), _string(stage))


def _check_order(spans: list[tuple[int, int]], length: int) -> None:
    position = 0
    for start, end in spans:
        if not position <= start <= end <= length:
            raise ValueError("spans out of order")
        position = end
