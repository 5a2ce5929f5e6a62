"""Records of what is ingested: documents, their structure, their chunks, and what could not be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
Metadata: TypeAlias = Mapping[str, JsonValue]


class BlockKind(StrEnum):
    """What a block of a document is, as far as its format says."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST = "list"
    TABLE = "table"
    CODE = "code"
    ROW = "row"


@dataclass(frozen=True, slots=True)
class Block:
    """A structural unit of a document's text, in characters: 0-based, end exclusive.

    Blocks of one document are in order and do not overlap; text between them is white space or
    markup that belongs to no unit. ``level`` is the heading's level from 1; a block of another kind that
    has one ends the sections of that level and deeper, as code behind a class does (0: it ends none).
    ``title`` is a heading's words without its markup, or what it heads, such as ``class Parser``.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    title: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """The characters of one page of a paginated document; ``number`` counts from 1."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Truncation:
    """What a stage left out of a document: ``kept`` of ``of`` things, which ``what`` names, such as ``rows of Sales``.

    ``stage`` is ``loader`` or ``embedder``, the model that reads a chunk only up to its window.
    """

    what: str
    kept: int
    of: int
    stage: str = "loader"


@dataclass(frozen=True, slots=True)
class Document:
    """One document with its canonical text, the text every span and citation refers to.

    ``blocks`` is empty where the format says nothing about structure; the chunker then reads the
    structure from the text. ``pages`` is empty for formats without pages. ``truncations`` tell what
    its loader left out.
    """

    id: str
    text: str
    title: str = ""
    metadata: Metadata = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    pages: tuple[Page, ...] = ()
    truncations: tuple[Truncation, ...] = ()

    def page_at(self, position: int) -> int | None:
        """Number of the page that holds the character at ``position``, or None without pages."""
        for page in self.pages:
            if page.start <= position < page.end:
                return page.number
        return None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A span of a document: ``document.text[start:end] == text``, always.

    ``heading_path`` holds the headings above the chunk, outermost first. ``embedded_text`` is what
    the embedder reads: context (title and heading path) followed by ``text``. ``tokens`` counts
    ``embedded_text`` with the embedder's own tokenizer, special tokens included.
    """

    ordinal: int
    start: int
    end: int
    text: str
    heading_path: tuple[str, ...]
    embedded_text: str
    tokens: int


@dataclass(frozen=True, slots=True)
class SourceFailure:
    """A file, or one record or member of a file, that could not be ingested: what, why and the mend.

    ``source`` names the file, with ``:LINE`` behind it where one record failed and ``/PATH`` where a file within it
    did. ``code`` is the error's stable code (see ``rag_engine.errors``).
    """

    source: str
    code: str
    error: str
    hint: str
