"""A document's structural units under their headings, from the blocks its format gave or from plain text."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rag_engine.semantic_chunking.numbered_headings import numbered_headings
from rag_engine.semantic_chunking.sentences import starts_item
from rag_engine.semantic_chunking.unit_relations import related
from rag_engine.semantic_chunking.units import Unit
from rag_engine.types.document import Block, BlockKind, Document

__all__ = ["Unit", "read_structure"]

_HEADING_CHARACTERS = 200  # a longer title is cut: it is repeated with every chunk below it
_DEEPEST_LEVEL = 9
_MARKED_HEADING = re.compile(r"[ ]{0,3}(#{1,6})[ \t]+(\S.*)")
_UNDERLINE = re.compile(r"={3,}\s*")
_FENCE = re.compile(r"[ ]{0,3}(`{3,}|~{3,})")
_CODE_ENDS = ("{", "}", ";", "(", ")", "[", "]", "=", "\\", "->", "*/")
_LINES_OF_CODE = 3
_WORD_CHARACTER = re.compile(r"\w")


def read_structure(document: Document) -> list[Unit]:
    """Units in order, without overlap, that cover every character of the text that is not white space.

    The document's own blocks are taken where it has any, and text between them becomes paragraphs, or part of the
    unit before where it is markup without words. Plain text is read for blank lines, list items, fences, tables and
    the headings that are beyond doubt: ``# title`` between blank lines, lines underlined with ``=``, and lines whose
    numbers follow each other.
    """
    text = document.text
    blocks = _complete(text, document.blocks) if document.blocks else _read_lines(text)
    units: list[Unit] = []
    above: tuple[Block, ...] = ()
    for block in blocks:
        start, end = _trimmed(text, block.start, block.end)
        if start == end:
            continue
        if block.kind is BlockKind.HEADING:
            level = min(max(block.level, 1), _DEEPEST_LEVEL)
            heading = replace(block, start=start, end=end, level=level, title=_title(text, block))
            above = (*(outer for outer in above if outer.level < level), heading)
        elif block.level:
            above = tuple(outer for outer in above if outer.level < block.level)
        units.append(Unit(block.kind, start, end, above))
    return related(document, units)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    content = text[start:end]
    left = len(content) - len(content.lstrip())
    return (start + left, start + len(content.rstrip())) if left < len(content) else (start, start)


def _title(text: str, block: Block) -> str:
    title = " ".join((block.title or text[block.start : block.end])[: 4 * _HEADING_CHARACTERS].split())
    if len(title) <= _HEADING_CHARACTERS:
        return title
    cut = title.rfind(" ", _HEADING_CHARACTERS // 2, _HEADING_CHARACTERS)
    return title[: cut if cut > 0 else _HEADING_CHARACTERS - 1] + "…"


def _complete(text: str, given: tuple[Block, ...]) -> Iterator[Block]:
    """The given blocks and, between them, what they leave out."""
    last: Block | None = None
    covered = 0
    for block in (*given, Block(BlockKind.PARAGRAPH, len(text), len(text))):
        start, end = max(block.start, covered), min(block.end, len(text))
        between = text[covered:start]
        if between.strip():
            if _WORD_CHARACTER.search(between):
                yield from _settled(last)
                last = None
                yield from _paragraphs(between, covered)
            elif last is not None:
                last = replace(last, end=start)
            else:
                start = covered
        if start < end:
            yield from _settled(last)
            last = replace(block, start=start, end=end)
        covered = max(covered, end)
    yield from _settled(last)


def _settled(block: Block | None) -> Iterator[Block]:
    if block is not None:
        yield block


def _paragraphs(text: str, offset: int) -> Iterator[Block]:
    for block in _read_lines(text):
        yield Block(BlockKind.PARAGRAPH, offset + block.start, offset + block.end)


def _read_lines(text: str) -> Iterator[Block]:
    """Blocks of plain text, by one pass over its lines."""
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    closings = {mark: [n for n, line in enumerate(lines) if _is_fence(line, mark)] for mark in ("`", "~")}
    numbered = numbered_headings(lines)
    number = 0
    kind: BlockKind | None = None
    first = 0

    def finished(upto: int) -> Iterator[Block]:
        if kind is not None:
            is_code = kind is BlockKind.PARAGRAPH and _looks_like_code(lines[first:upto])
            yield Block(BlockKind.CODE if is_code else kind, starts[first], starts[upto])

    while number < len(lines):
        line = lines[number]
        if line.isspace():
            yield from finished(number)
            kind = None
            number += 1
            continue
        if fence := _FENCE.match(line):
            marks = closings[fence.group(1)[0]]
            position = bisect_right(marks, number)
            if position < len(marks):
                yield from finished(number)
                kind = None
                yield Block(BlockKind.CODE, starts[number], starts[marks[position] + 1])
                number = marks[position] + 1
                continue
        alone = kind is None and (number + 1 == len(lines) or lines[number + 1].isspace())
        if alone and len(line) <= _HEADING_CHARACTERS and (marked := _MARKED_HEADING.match(line)):
            title = marked.group(2).strip().rstrip("#").strip() or marked.group(2).strip()
            yield Block(BlockKind.HEADING, starts[number], starts[number + 1], len(marked.group(1)), title)
        elif alone and number in numbered:
            yield Block(BlockKind.HEADING, starts[number], starts[number + 1], *numbered[number])
        elif kind is None and _is_underlined(lines, number):
            yield Block(BlockKind.HEADING, starts[number], starts[number + 2], 1, line.strip())
            number += 1
        else:
            opened = _opened(text, starts[number], kind, lines[number - 1] if kind else "")
            if opened is not kind:
                yield from finished(number)
                kind, first = opened, number
        number += 1
    yield from finished(number)


def _opened(text: str, line: int, kind: BlockKind | None, previous: str) -> BlockKind:
    """The kind of block that a line belongs to; ``kind`` is that of the line before, None after a blank line."""
    if text.startswith("|", line):
        return BlockKind.TABLE
    if kind is BlockKind.LIST or starts_item(text, line, previous.rstrip()[-1:]):
        return BlockKind.LIST
    return BlockKind.PARAGRAPH


def _looks_like_code(lines: Sequence[str]) -> bool:
    """Whether a third of three lines or more end as statements do and prose does not."""
    return len(lines) >= _LINES_OF_CODE and 3 * sum(line.rstrip().endswith(_CODE_ENDS) for line in lines) > len(lines)


def _is_fence(line: str, mark: str) -> bool:
    fence = _FENCE.match(line)
    return fence is not None and fence.group(1)[0] == mark


def _is_underlined(lines: list[str], number: int) -> bool:
    line = lines[number].strip()
    if number + 1 >= len(lines) or not 0 < len(line) <= _HEADING_CHARACTERS or not _WORD_CHARACTER.search(line):
        return False
    underline = lines[number + 1]
    blank_after = number + 2 >= len(lines) or lines[number + 2].isspace()
    return blank_after and _UNDERLINE.fullmatch(underline) is not None and 2 * len(underline.strip()) >= len(line)
