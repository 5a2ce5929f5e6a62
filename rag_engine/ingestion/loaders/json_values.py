"""What JSON and JSON Lines have in common: strict parsing (RFC 8259) and documents made of objects."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from rag_engine.errors import DecodingError, EmptySourceError, ParsingError
from rag_engine.ingestion.id_titles import title_from_id
from rag_engine.ingestion.loaders.canonical_text import TextBuilder, checked
from rag_engine.ingestion.loaders.encoding import canonical
from rag_engine.types.document import BlockKind, Document, JsonValue

_TEXT_FIELDS = ("text", "content", "body")
_ID_FIELDS = ("_id", "id")
_RESERVED = frozenset({*_ID_FIELDS, "title", "metadata"})
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
LONGEST_INTEGER = 300  # digits; longer ones stay text, as the interpreter refuses to convert them


def decode_json(data: bytes, *, source: str) -> str:
    """The characters of JSON text, which is UTF-8, or UTF-16 or UTF-32 as older writers made it.

    Raises:
        DecodingError: the bytes are not valid.
    """
    encoding = json.detect_encoding(data)
    try:
        return data.decode("utf-8-sig" if encoding.startswith("utf-8") else encoding)
    except UnicodeDecodeError as error:
        raise DecodingError(f"{source} is not valid {encoding.upper()}: byte {error.start} does not fit") from error


def parse_json(text: str, *, source: str) -> Any:
    """The value of JSON text; of keys given twice the last counts, lone surrogates become U+FFFD.

    Raises:
        ParsingError: not JSON as RFC 8259 has it, or nested too deeply to be read.
    """
    try:
        value = _DECODER.decode(text)
        if _SURROGATE_ESCAPE.search(text):
            whole = json.dumps(value, ensure_ascii=False).encode("utf-16-le", "surrogatepass")
            value = _DECODER.decode(whole.decode("utf-16-le", "replace"))
    except RecursionError as error:
        raise ParsingError(f"{source} is nested too deeply", hint="flatten it") from error
    except json.JSONDecodeError as error:
        raise ParsingError(f"{source} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    except ValueError as error:
        raise ParsingError(f"{source} is not JSON: {error}") from error
    return value


def document_of(value: Any, *, name: str, source: str, max_characters: int) -> Document:
    """The document that a parsed value makes; ``name`` is its id where it says none.

    Raises:
        EmptySourceError, SourceTooLargeError: about ``source``.
    """
    if isinstance(value, dict):
        field = next((field for field in _TEXT_FIELDS if isinstance(value.get(field), str)), None)
        title = " ".join(canonical(value["title"]).split()) if isinstance(value.get("title"), str) else ""
        if field is not None:
            text = canonical(value[field])
            identifier = _id(value)
            return Document(
                id=identifier or name,
                text=checked(title if not text.strip() else text, name=source, max_characters=max_characters),
                title=title or title_from_id(identifier),
                metadata=_metadata(value, field),
            )
        if title and set(value) <= _RESERVED:
            text = checked(title, name=source, max_characters=max_characters)
            return Document(id=_id(value) or name, text=text, title=title, metadata=_metadata(value, ""))
        builder = _flattened(value, source, max_characters)
        identifier = _id(value) or name
        return Document(id=identifier, text=builder.text(), title=title, blocks=tuple(builder.blocks))
    builder = _flattened(value, source, max_characters)
    return Document(id=name, text=builder.text(), blocks=tuple(builder.blocks))


def has_text(value: Any) -> bool:
    """Whether a value is an object whose text ``document_of`` takes as it is."""
    return isinstance(value, dict) and any(isinstance(value.get(field), str) for field in _TEXT_FIELDS)


def _id(value: dict[str, Any]) -> str:
    for field in _ID_FIELDS:
        identifier = value.get(field)
        if isinstance(identifier, str | int | float) and not isinstance(identifier, bool):
            return canonical(str(identifier)).strip()
    return ""


def _metadata(value: dict[str, Any], text_field: str) -> dict[str, JsonValue]:
    metadata: dict[str, JsonValue] = {
        key: member for key, member in value.items() if key not in _RESERVED and key != text_field and _is_plain(member)
    }
    given = value.get("metadata")
    return {**metadata, **given} if isinstance(given, dict) else metadata


def _is_plain(value: Any) -> bool:
    """A scalar, or a list of scalars such as tags."""
    if isinstance(value, list):
        return all(not isinstance(item, list | dict) for item in value)
    return not isinstance(value, dict)


def _flattened(value: Any, source: str, max_characters: int) -> TextBuilder:
    """One line ``path.to.key: value`` a scalar, one paragraph a top-level member; nulls and empty strings left out."""
    builder = TextBuilder(name=source, max_characters=max_characters, separator="\n")
    members = _members(value, nested=False) if isinstance(value, dict | list) else iter([("", value)])
    for step, member in members:
        builder.add_lines(BlockKind.PARAGRAPH, _lines(step, member))
    if not builder.blocks:
        raise EmptySourceError(f"{source} holds no text")
    return builder


def _lines(step: str, value: Any) -> Iterator[str]:
    # A path is put together where a value stands: a long key may hold any number of nulls.
    path: list[str] = []
    pending = [iter([(step, value)])]
    while pending:
        for inner_step, inner in pending[-1]:
            if isinstance(inner, dict | list):
                path.append(inner_step)
                pending.append(_members(inner, nested=any(path)))
                break
            text = inner if isinstance(inner, str) else "" if inner is None else json.dumps(inner)
            text = canonical(text).strip()
            if text:
                where = "".join((*path, inner_step))
                yield f"{where}: {text}" if where else text
        else:
            pending.pop()
            del path[-1:]


def _members(value: dict[str, Any] | list[Any], *, nested: bool) -> Iterator[tuple[str, Any]]:
    """The members of a collection, each with the step of a path that leads to it."""
    if isinstance(value, list):
        return ((f"[{index}]", member) for index, member in enumerate(value))
    dot = "." if nested else ""
    return ((dot + " ".join(canonical(key).split()), member) for key, member in value.items())


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= LONGEST_INTEGER else digits


def _number(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=_integer, parse_float=_number)
