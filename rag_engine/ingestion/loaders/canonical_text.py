"""The canonical text of a document: built, measured and never empty."""

from __future__ import annotations

from collections.abc import Iterable

from rag_engine.errors import EmptySourceError, SourceTooLargeError
from rag_engine.ingestion.loaders.encoding import canonical, decode
from rag_engine.types.document import Block, BlockKind


def read_text(data: bytes, *, name: str, max_characters: int, declared: str | None = None) -> str:
    """The canonical text of a text file.

    Raises:
        DecodingError: see ``decode``.
        EmptySourceError: no characters but white space.
        SourceTooLargeError: more than ``max_characters``.
    """
    if len(data) > 4 * max_characters + 4:  # no encoding takes more than four bytes a character
        raise too_large(name, max_characters)
    return checked(canonical(decode(data, declared=declared)), name=name, max_characters=max_characters)


def checked(text: str, *, name: str, max_characters: int) -> str:
    """``text`` itself, where it is neither empty nor too long (raises as ``read_text`` does)."""
    if len(text) > max_characters:
        raise too_large(name, max_characters)
    if not text or text.isspace():
        raise EmptySourceError(f"{name} holds no text")
    return text


def too_large(name: str, max_characters: int) -> SourceTooLargeError:
    """The error for a document of more than ``max_characters``."""
    return SourceTooLargeError(f"{name} has more than {max_characters:,} characters of text")


class TextBuilder:
    """Writes a text block by block and notes where each block lies."""

    def __init__(self, *, name: str, max_characters: int, separator: str) -> None:
        self._name = name
        self._max_characters = max_characters
        self._separator = separator
        self._parts: list[str] = []
        self._length = 0
        self.blocks: list[Block] = []

    def add(self, kind: BlockKind, text: str, *, level: int = 0, title: str = "", apart: bool = False) -> None:
        """Appends a block, ``apart`` from the one before by an empty line whatever the separator is.

        Raises SourceTooLargeError where the text grows over the limit.
        """
        if self._parts:
            separator = "\n\n" if apart else self._separator
            self._parts.append(separator)
            self._length += len(separator)
        start = self._length
        self._length += len(text)
        if self._length > self._max_characters:
            raise too_large(self._name, self._max_characters)
        self._parts.append(text)
        self.blocks.append(Block(kind, start, self._length, level, title))

    def add_lines(self, kind: BlockKind, lines: Iterable[str]) -> None:
        """Appends lines as one block, nothing where there are none; no more are taken than the limit lets in."""
        taken: list[str] = []
        length = 0
        for line in lines:
            taken.append(line)
            length += len(line) + 1
            if length > self._max_characters + 1:
                raise too_large(self._name, self._max_characters)
        if taken:
            self.add(kind, "\n".join(taken))

    def text(self) -> str:
        """What was written. Raises EmptySourceError where that is nothing."""
        return checked("".join(self._parts), name=self._name, max_characters=self._max_characters)
