"""reStructuredText (docutils' specification of 2024); the source itself is the canonical text.

Read here line by line: docutils, which is slow and heavy, knows of most elements only near which line they begin, and
its directives reach for other files. Tests compare our sections with its own.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate

from rag_engine.ingestion.loaders.canonical_text import read_text
from rag_engine.types.document import Block, BlockKind, Document, JsonValue
from rag_engine.types.ingestion import LoadLimits

_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1*\s*")
_TRANSITION = 4  # characters of an adornment that is one even where its title is longer
_SIMPLE_TABLE = re.compile(r"=+(?:[ ]+=+)+\s*")
_GRID_TABLE = re.compile(r"\+[-=+]+\+\s*")
_DIRECTIVE = re.compile(r"\.\.[ ]+(?:\|[^|]+\|[ ]+)?([\w:.+-]+)[ ]?::(?:\s|$)")
_EXPLICIT = re.compile(r"(?:\.\.|__)(?:\s|$)")
_BULLET = re.compile(r"[-*+•‣⁃](?:[ \t]+\S|\s*$)")
_ENUMERATED = re.compile(r"\(?(?:\d{1,9}|#|[A-Za-z]|[ivxlcdmIVXLCDM]{1,9})[.)](?:[ \t]+\S|\s*$)")
_FIELD = re.compile(r":(?![: ])((?:\\.|[^:\\`]|:(?!\s|$))+):(?:[ \t]+(.*)|\s*$)")
_CODE_DIRECTIVES = frozenset(
    ("code", "code-block", "sourcecode", "parsed-literal", "doctest", "testcode", "ipython", "prompt", "math", "raw")
)
_TABLE_DIRECTIVES = frozenset({"table", "csv-table", "list-table"})
_ROLE_OR_LINK = re.compile(r"(?:(?<![\w:+.-]):[\w:+.-]+:)?`([^`<]*?)(?:\s*<[^`>]*>)?`_{0,2}")
_EMPHASIS = re.compile(r"``(.+?)``|\*\*(.+?)\*\*|\*(.+?)\*|\|(.+?)\|_{0,2}")
_BIBLIOGRAPHIC = {"author": "author", "authors": "author", "date": "created", "language": "language"}
_METADATA = {**_BIBLIOGRAPHIC, "keywords": "keywords", "description": "description"}
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")


class RestructuredTextLoader:
    """Reads reStructuredText; nothing is included, substituted or run."""

    name = "restructuredtext"
    version = 1

    def load(self, data: bytes, *, name: str, limits: LoadLimits) -> Iterator[Document]:
        """One document; its title is its first section's, its metadata those of the field list at its top."""
        text = read_text(data, name=name, max_characters=limits.max_characters)
        blocks = tuple(_Reader(text).blocks())
        title = next((block.title for block in blocks if block.kind is BlockKind.HEADING), "")
        yield Document(id=name, text=text, title=title, metadata=_metadata(text, blocks), blocks=blocks)


class _Reader:
    """One pass over the lines of a source."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = text.split("\n")
        self._starts = list(accumulate((len(line) + 1 for line in self._lines), initial=0))
        self._styles: list[tuple[str, bool]] = []  # adornments in order of their appearance: the levels of sections

    def blocks(self) -> Iterator[Block]:
        """Blocks in order; adornments that part the text belong to none."""
        number = 0
        literal = False  # whether the paragraph before announced code
        while number < len(self._lines):
            line = self._lines[number]
            if not line.strip():
                number += 1
                continue
            heading = None if line[0].isspace() else self._heading(number)
            if heading is not None:
                block, number = heading
                literal = False
                yield block
                continue
            kind, end = self._block(number, literal)
            if kind is not None:
                yield self._made(kind, number, end)
            literal = kind is BlockKind.PARAGRAPH and self._lines[end - 1].rstrip().endswith("::")
            number = end

    def _made(self, kind: BlockKind, first: int, end: int, level: int = 0, title: str = "") -> Block:
        start = self._starts[first]
        stop = min(self._starts[end] - 1, len(self._text))
        return Block(kind, start, start + len(self._text[start:stop].rstrip()), level, title)

    def _heading(self, number: int) -> tuple[Block, int] | None:
        """The title of a section that begins here, and the line behind it."""
        over = _ADORNMENT.fullmatch(self._lines[number])
        under = _ADORNMENT.fullmatch(self._line(number + (2 if over else 1)))
        title = self._line(number + 1) if over else self._lines[number]
        if under is None or not title.strip() or (over and over[1] != under[1]):
            return None
        length = len(under[0].rstrip())
        if over and len(over[0].rstrip()) != length:
            return None
        if length < min(_width(title.rstrip()), _TRANSITION):
            return None
        if over is None and length == 1 and len(title) > 1:
            return None
        style = (under[1], over is not None)
        if style not in self._styles:
            self._styles.append(style)
        end = number + (3 if over else 2)
        level = self._styles.index(style) + 1
        return self._made(BlockKind.HEADING, number, end, level, _plain(title)), end

    def _block(self, number: int, literal: bool) -> tuple[BlockKind | None, int]:
        """The kind of the block that begins at a line, None for a transition, and the line behind it."""
        line = self._lines[number]
        if line[0].isspace():
            return (BlockKind.CODE if literal else BlockKind.PARAGRAPH), self._indented(number)
        if literal and not line[0].isalnum() and not _EXPLICIT.match(line):
            return BlockKind.CODE, self._quoted(number, line[0])
        if _SIMPLE_TABLE.fullmatch(line):
            return BlockKind.TABLE, self._simple_table(number)
        if _GRID_TABLE.fullmatch(line):
            return BlockKind.TABLE, self._paragraph(number)
        if _ADORNMENT.fullmatch(line) and len(line.rstrip()) >= _TRANSITION and not self._line(number + 1).strip():
            return None, number + 1
        if _EXPLICIT.match(line):
            return self._explicit(line), self._indented(number + 1)
        if line.startswith(">>>"):
            return BlockKind.CODE, self._paragraph(number)
        for item in (_BULLET, _ENUMERATED, _FIELD):
            if item.match(line):
                return BlockKind.LIST, self._list(number, item)
        return BlockKind.PARAGRAPH, self._paragraph(number)

    def _explicit(self, line: str) -> BlockKind:
        directive = _DIRECTIVE.match(line)
        if directive and directive[1] in _CODE_DIRECTIVES:
            return BlockKind.CODE
        return BlockKind.TABLE if directive and directive[1] in _TABLE_DIRECTIVES else BlockKind.PARAGRAPH

    def _line(self, number: int) -> str:
        return self._lines[number] if number < len(self._lines) else ""

    def _paragraph(self, number: int) -> int:
        while self._line(number).strip():
            number += 1
        return number

    def _quoted(self, number: int, quote: str) -> int:
        while self._line(number).startswith(quote):
            number += 1
        return number

    def _indented(self, number: int) -> int:
        """The line behind what is indented from here on, empty lines in it included."""
        end = number
        while number < len(self._lines) and (not self._lines[number].strip() or self._lines[number][0].isspace()):
            number += 1
            if self._lines[number - 1].strip():
                end = number
        return end

    def _list(self, number: int, item: re.Pattern[str]) -> int:
        end = self._indented(self._paragraph(number))
        following = end
        while following < len(self._lines) and not self._lines[following].strip():
            following += 1
        while following < len(self._lines) and item.match(self._lines[following]) and not self._heading(following):
            end = self._indented(self._paragraph(following))
            following = end
            while following < len(self._lines) and not self._lines[following].strip():
                following += 1
        return end

    def _simple_table(self, number: int) -> int:
        """The line behind the last of a table's borders; a blank line follows that one."""
        following = bisect_right(self._table_ends, number)
        return self._table_ends[following] + 1 if following < len(self._table_ends) else self._paragraph(number)

    @cached_property
    def _table_ends(self) -> list[int]:
        """Borders of simple tables with a blank line below, in order."""
        return [
            number
            for number, line in enumerate(self._lines)
            if _SIMPLE_TABLE.fullmatch(line) and not self._line(number + 1).strip()
        ]


def _width(text: str) -> int:
    """Columns that a title takes, as docutils counts them."""
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )


def _plain(title: str) -> str:
    title = _ROLE_OR_LINK.sub(lambda match: match[1], " ".join(title.split()))
    title = _EMPHASIS.sub(lambda match: next(group for group in match.groups() if group is not None), title)
    return " ".join(re.sub(r"\\(.)", r"\1", title).split())


def _metadata(text: str, blocks: tuple[Block, ...]) -> dict[str, JsonValue]:
    """Of the field list before all other text but titles and comments."""
    metadata: dict[str, JsonValue] = {}
    for block in blocks:
        source = text[block.start : block.end]
        if block.kind is BlockKind.HEADING or source.startswith(".."):
            continue
        if not _FIELD.match(source):
            break
        for line in source.split("\n"):
            field = _FIELD.match(line)
            key = _METADATA.get(field[1].lower()) if field else None
            value = " ".join((field[2] or "").split()) if field else ""
            if key and value and (key != "created" or _ISO_DATE.match(value)):
                metadata[key] = value
        break
    return metadata
