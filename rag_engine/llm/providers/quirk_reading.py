"""Quirks as a dialect reads them: a small record for each dialect, and no key that it does not know."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeAlias, TypeVar

from rag_engine.errors import ConfigurationError
from rag_engine.types.document import JsonValue

Quirks = TypeVar("Quirks")
# Takes a value of the data; says in a ValueError what it must be.
Reader: TypeAlias = Callable[[JsonValue], object]
_READER = "reader"
# What was read of the last tables, so that a call does not read its model's quirks again: by the table itself, which
# stays the one it was read of as long as it is kept here.
_MOST_KEPT = 256
_kept: dict[tuple[type, int], tuple[Mapping[str, JsonValue], Any]] = {}


def read_by(reader: Reader) -> dict[str, Reader]:
    """The ``metadata`` of a field that is not read by the type of its default."""
    return {_READER: reader}


def read_quirks(kind: type[Quirks], values: Mapping[str, JsonValue]) -> Quirks:
    """``kind`` is a dataclass whose fields all have defaults; each is read as what its default is. A table is read
    once: who wants other quirks makes another.

    Raises:
        ConfigurationError: a key is unknown, or its value of another kind than it should be.
    """
    known = _kept.get((kind, id(values)))
    if known is not None:
        quirks: Quirks = known[1]
        return quirks
    quirks = _read(kind, values)
    if len(_kept) >= _MOST_KEPT:
        _kept.clear()
    _kept[kind, id(values)] = values, quirks
    return quirks


def _read(kind: type[Quirks], values: Mapping[str, JsonValue]) -> Quirks:
    readers = _readers(kind)  # type: ignore[arg-type]  # classes are hashable
    read: dict[str, Any] = {}
    for name, value in values.items():
        if name not in readers:
            raise ConfigurationError(f"no quirk is called {name!r}", hint=f"write one of: {', '.join(sorted(readers))}")
        try:
            read[name] = readers[name](value)
        except ValueError as error:
            raise ConfigurationError(
                f"the quirk {name} must be {error}, and is {value!r}", hint="mend the row of the provider's data"
            ) from None
    return kind(**read)


def one_of(*words: str) -> Reader:
    """Reads one of some words."""

    def read(value: JsonValue) -> str:
        if isinstance(value, str) and value in words:
            return value
        raise ValueError(f"one of: {', '.join(words)}")

    return read


def words_for(*meanings: str) -> Reader:
    """Reads a table whose values are each one of some words."""

    def read(value: JsonValue) -> dict[str, str]:
        if isinstance(value, dict) and all(isinstance(meant, str) and meant in meanings for meant in value.values()):
            return {word: str(meant) for word, meant in value.items()}
        raise ValueError(f"a table with values among: {', '.join(sorted(meanings))}")

    return read


def numbers(value: JsonValue) -> dict[str, int]:
    """Reads a table of whole numbers from 0 on."""
    if isinstance(value, dict):
        return {word: _number(number) for word, number in value.items()}
    raise ValueError("a table of numbers")


def number_from_one(value: JsonValue) -> int:
    """Reads a whole number from 1 on."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise ValueError("a number from 1 on")


def _number(value: JsonValue) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError("a number from 0 on")


def _text(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    raise ValueError("a text")


def _yes_or_no(value: JsonValue) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError("true or false")


def _texts(value: JsonValue) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(_text(entry) for entry in value)
    raise ValueError("a list of texts")


def _table(value: JsonValue) -> dict[str, JsonValue]:
    if isinstance(value, dict):
        return value
    raise ValueError("a table")


_BY_TYPE: dict[type, Reader] = {str: _text, bool: _yes_or_no, int: _number, tuple: _texts, dict: _table}


@functools.cache
def _readers(kind: type) -> dict[str, Reader]:
    readers: dict[str, Reader] = {}
    for field in fields(kind):
        default = {} if field.default is MISSING else field.default
        readers[field.name] = field.metadata.get(_READER) or _BY_TYPE[type(default)]
    return readers
