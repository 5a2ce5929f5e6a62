"""Source code, cut where its classes and functions are; the canonical text is the source itself.

Parsed by tree-sitter (MIT): one interface and exact places for every language, broken code included, at megabytes a
second. Its grammars come in one wheel, all of them under permissive licences.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePath

from rag_engine.ingestion.loaders.canonical_text import read_text
from rag_engine.ingestion.loaders.programming_languages import LANGUAGE_OF_SUFFIX
from rag_engine.ingestion.loaders.source_definitions import Definition, find_definitions
from rag_engine.types.document import Block, BlockKind, Document
from rag_engine.types.ingestion import LoadLimits

_DECLARED = re.compile(rb"(?:[^\n]*\n)?[ \t\f]*#.*?coding[:=][ \t]*([-_.a-zA-Z0-9]+)")  # PEP 263
_WORD = re.compile(r"\w")
_CLOSING = re.compile(r"(?:\b(?:end|endif|fi|done)\b|\W)*")  # belongs to what it closes


class SourceCodeLoader:
    """Reads the source code of the languages that it knows by their suffix."""

    name = "source_code"
    version = 1

    def load(self, data: bytes, *, name: str, limits: LoadLimits) -> Iterator[Document]:
        """One document: a heading, such as ``method parse``, on the first line of each definition, and code.

        Its metadata say the ``programming_language``; without one that is known by the suffix it is mere text.
        """
        declared = _DECLARED.match(data[:1024])
        text = read_text(
            data,
            name=name,
            max_characters=limits.max_characters,
            declared=declared[1].decode("ascii") if declared else None,
        )
        language = LANGUAGE_OF_SUFFIX.get(PurePath(name).suffix.lower())
        if language is None:
            yield Document(id=name, text=text)
            return
        blocks = tuple(_closed(text, _blocks(text, _definitions(text, language))))
        yield Document(id=name, text=text, metadata={"programming_language": language}, blocks=blocks)


def _definitions(text: str, language: str) -> list[Definition]:
    """What is defined, in characters instead of bytes."""
    from tree_sitter_language_pack import get_parser

    source = text.encode()
    found = find_definitions(get_parser(language).parse(source).root_node)  # type: ignore[arg-type]
    if len(source) == len(text):
        return found
    wanted = sorted({place for one in found for place in (one.start, one.end, one.name_end)})
    characters: dict[int, int] = {}
    position = passed = 0
    for place in wanted:
        passed += len(source[position:place].decode("utf-8", "replace"))
        characters[place] = passed
        position = place
    return [
        Definition(
            characters[one.start], characters[one.end], one.level, one.title, characters[one.name_end], one.clause
        )
        for one in found
    ]


def _blocks(text: str, definitions: list[Definition]) -> Iterator[Block]:
    """Headings and code in order. Code behind a definition ends its section, as its level says."""
    open_: list[Definition] = []
    position = 0
    opening: Definition | None = None  # whose first characters come next
    closed = 0  # the level of the definition that ended last
    for following in (*definitions, None):
        while open_ and (following is None or open_[-1].end <= following.start):
            yield from _piece(text, position, open_[-1].end, opening, closed)
            position, opening, closed = max(position, open_[-1].end), None, open_[-1].level
            open_.pop()
        yield from _piece(text, position, len(text) if following is None else following.start, opening, closed)
        if following is not None:
            open_.append(following)
            position, opening, closed = following.start, following, 0


def _closed(text: str, blocks: Iterator[Block]) -> Iterator[Block]:
    """The blocks, those that only close what came before as parts of it."""
    last: Block | None = None
    for block in blocks:
        if last is not None and block.kind is BlockKind.CODE and _CLOSING.fullmatch(text, block.start, block.end):
            last = replace(last, end=block.end)
            continue
        if last is not None:
            yield last
        last = block
    if last is not None:
        yield last


def _piece(text: str, start: int, end: int, opening: Definition | None, closed: int) -> Iterator[Block]:
    """The code from ``start`` to ``end``, headed where it opens a definition; none where it is mere punctuation."""
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    end = start + len(piece.strip())
    if not _WORD.search(text, start, end):
        return
    if opening is None:
        yield Block(BlockKind.CODE, start, end, closed)
        return
    line = text.find("\n", start, end)
    split = line if line >= 0 else opening.name_end
    if not (start < split < end and _WORD.search(text, split, end)):
        split = end
    yield Block(BlockKind.HEADING, start, split, opening.level, opening.title)
    if split < end:
        yield Block(BlockKind.CODE, split, end)
