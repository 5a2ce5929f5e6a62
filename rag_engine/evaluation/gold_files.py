"""Reads the lines of a gold set's files; whatever is wrong is said with the file and the line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag_engine.errors import GoldSetError


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, counted from 1."""

    file: Path
    line: int

    def error(self, what: str) -> GoldSetError:
        """An error that says what is wrong here."""
        return GoldSetError(f"{self.file}:{self.line}: {what}")


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON object of a JSONL file, and where it stands."""

    place: Place
    fields: Mapping[str, Any]

    def identifier(self, *names: str) -> str:
        """The first of these fields that is there; numbers are read as their digits."""
        for name in names:
            value = self.fields.get(name)
            if isinstance(value, str) and value:
                return value
            if isinstance(value, int) and not isinstance(value, bool):
                return str(value)
        raise self.place.error(f"no {' or '.join(names)} that is a string or a whole number")

    def text(self, name: str) -> str:
        """A string with more than white space in it."""
        value = self.fields.get(name)
        if not isinstance(value, str) or not value.strip():
            raise self.place.error(f"{name} is absent, empty or no string")
        return value

    def strings(self, name: str) -> tuple[str, ...]:
        """A list of strings; empty where the field is absent."""
        value = self.fields.get(name) or []
        if not isinstance(value, list) or not all(isinstance(member, str) for member in value):
            raise self.place.error(f"{name} is not a list of strings")
        return tuple(value)

    def objects(self, name: str) -> Iterator[Record]:
        """The members of a list of objects; none where the field is absent."""
        value = self.fields.get(name) or []
        if not isinstance(value, list) or not all(isinstance(member, dict) for member in value):
            raise self.place.error(f"{name} is not a list of objects")
        return (Record(self.place, member) for member in value)

    def position(self, name: str) -> int:
        """A whole number from 0."""
        value = self.fields.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.place.error(f"{name} is not a whole number from 0")
        return value


def read_lines(file: Path) -> Iterator[tuple[Place, str]]:
    """Lines of a UTF-8 file that hold more than white space, with their places.

    Raises:
        GoldSetError: the file cannot be read, or a line is not UTF-8.
    """
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                place = Place(file, number)
                try:
                    text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
                except UnicodeDecodeError as error:
                    raise place.error(f"not UTF-8 at byte {error.start} of the line") from error
                if text.strip():
                    yield place, text
    except OSError as error:
        raise GoldSetError(f"{file} cannot be read: {error.strerror}") from error


def read_records(file: Path) -> Iterator[Record]:
    """Objects of a JSONL file, one a line.

    Raises:
        GoldSetError: the file cannot be read, or a line is no JSON object.
    """
    for place, line in read_lines(file):
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise place.error(f"no JSON: {error}") from error
        if not isinstance(fields, dict):
            raise place.error("JSON, but no object")
        yield Record(place, fields)
