"""Reads values of a routes file one by one. Each error names file, table and key, and says what should stand there."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar

from rag_engine.errors import ConfigurationError

Reader: TypeAlias = Callable[[object, str], Any]
_Member = TypeVar("_Member", bound=StrEnum)


def table(value: object, place: str) -> Mapping[str, Any]:
    """A table."""
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{place} is {value!r}, and should be a table", hint=f"write it below [{_end(place)}]")
    return value


def fields(value: object, place: str, readers: Mapping[str, Reader], *, needed: Sequence[str] = ()) -> dict[str, Any]:
    """A table's values by key, each read by its reader; ``needed`` are the keys that must be there."""
    read: dict[str, Any] = {}
    for key, one in table(value, place).items():
        reader = readers.get(key)
        if reader is None:
            raise ConfigurationError(f"{place}: unknown key {key}", hint=f"known here: {', '.join(readers)}")
        read[key] = reader(one, f"{place}.{key}")
    for key in needed:
        if key not in read:
            raise ConfigurationError(f"{place}: {key} is missing", hint=f"add {key} = ... below [{_end(place)}]")
    return read


def text(value: object, place: str) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{place} is {value!r}, and should be a text", hint=f'write {_key(place)} = "text"')
    return value.strip()


def texts(value: object, place: str) -> tuple[str, ...]:
    """A list of texts, each once."""
    if not isinstance(value, list):
        raise ConfigurationError(
            f"{place} is {value!r}, and should be a list", hint=f'write {_key(place)} = ["one", "another"]'
        )
    read = tuple(text(one, place) for one in value)
    for one in read:
        if read.count(one) > 1:
            raise ConfigurationError(f"{place} names {one!r} twice", hint="leave one of them out")
    return read


def some_texts(value: object, place: str) -> tuple[str, ...]:
    """A list with at least one text."""
    read = texts(value, place)
    if not read:
        raise ConfigurationError(f"{place} is empty", hint="name at least one model")
    return read


def words(value: object, place: str) -> frozenset[str]:
    """A set of texts."""
    return frozenset(texts(value, place))


def truth(value: object, place: str) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise ConfigurationError(
            f"{place} is {value!r}, and should be true or false", hint=f"write {_key(place)} = true"
        )
    return value


def number(*, least: float = 0.0, most: float = math.inf, above: bool = False) -> Reader:
    """A number from ``least``, or above it, to ``most``."""
    lower = f"above {least:g}" if above else f"from {least:g}"
    limit = f"{lower}{' on' if not above else ''}" if most == math.inf else f"{lower} to {most:g}"

    def read(value: object, place: str) -> float:
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not (least < value if above else least <= value)
            or value > most
            or math.isinf(value)
        ):
            raise ConfigurationError(f"{place} is {value!r}, and should be a number {limit}", hint="mend the number")
        return float(value)

    return read


def whole(*, least: int = 1, most: int | None = None) -> Reader:
    """A whole number."""
    limit = f"from {least} up" if most is None else f"from {least} to {most}"

    def read(value: object, place: str) -> int:
        fits = isinstance(value, int) and not isinstance(value, bool)
        if not isinstance(value, int) or not fits or value < least or (most is not None and value > most):
            raise ConfigurationError(
                f"{place} is {value!r}, and should be a whole number {limit}", hint="mend the number"
            )
        return value

    return read


def member(kind: type[_Member]) -> Callable[[object, str], _Member]:
    """One of an enumeration's values."""

    def read(value: object, place: str) -> _Member:
        try:
            return kind(text(value, place))
        except ValueError:
            raise ConfigurationError(f"{place}: unknown {value!r}", hint=f"known: {', '.join(kind)}") from None

    return read


def _end(place: str) -> str:
    return place.rpartition(": ")[2]


def _key(place: str) -> str:
    return place.rpartition(".")[2]
