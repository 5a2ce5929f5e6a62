"""What a chunk that begins inside a table, a function or a turn has to repeat: header, signature or speaker."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rag_engine.semantic_chunking.list_items import indentation
from rag_engine.semantic_chunking.table_rows import table_header
from rag_engine.semantic_chunking.token_positions import TokenPositions
from rag_engine.semantic_chunking.units import Unit
from rag_engine.types.document import Block, BlockKind

_LOOK_BACK = 20_000  # characters; a function's signature further up is not looked for
_LONGEST_OPENING = 2_000  # characters
_LINES_OF_A_SIGNATURE = 12
_CONTROL = re.compile(
    r"\W*(?:if|else|elif|elsif|for|foreach|while|do|switch|case|default|try|catch|except|finally|with|return|match|when|"
    r"loop|until|unless|begin|end|select|using|lock|synchronized)\b"
)
_DEFINES = re.compile(
    r"\s*(?:[\w@]+(?:\([^()\n]*\))?\s+){0,6}"
    r"(?:def|defp|defmodule|class|function|fn|func|fun|sub|proc|procedure|module|impl|trait|interface|struct|enum|"
    r"namespace|object|record|contract)\b[^\n]*"
)
_CALLABLE = re.compile(r"[^;\n]*\)[^;()\n]*(?:\{|=>\s*\{?)\s*")
_LONE_BRACE = re.compile(r"\s*\{\s*")
_CLOSES = re.compile(r"\s*[)\]]")


class Opening(NamedTuple):
    """Words to repeat, and what they may be cut behind where they are too many."""

    text: str
    separator: str


def opening_before(text: str, unit: Unit, start: int) -> Opening | None:
    """What opened the part of the unit that ``start`` lies in, before ``start``; None where nothing did."""
    if unit.kind is BlockKind.TABLE and start > unit.start:
        header = table_header(text, unit.start, min(unit.end, unit.start + _LONGEST_OPENING))
        return Opening(header[0], "|") if header and start >= header[1] else None
    if unit.kind is BlockKind.CODE:
        signature = " ".join(reversed(list(_signatures(text, _code_start(text, unit), start))))
        return Opening(" ".join(signature[:_LONGEST_OPENING].split()), " ") if signature else None
    number = bisect_right(unit.turns, start, key=lambda turn: turn.start) - 1
    if number >= 0 and unit.turns[number].start < start < unit.turns[number].end and unit.turns[number].speaker:
        return Opening(unit.turns[number].speaker, " ")
    return None


def expected_openings(
    text: str, units: Sequence[Unit], positions: TokenPositions, capacity: float
) -> dict[tuple[Block, ...], Opening]:
    """What later pieces of the units over ``capacity`` will repeat, by the headings above: the longest of each."""
    expected: dict[tuple[Block, ...], Opening] = {}
    for unit in units:
        if positions.size(unit.start, unit.end) > capacity:
            opening = opening_before(text, unit, _last_line(text, unit))
            known = expected.get(unit.headings)
            if opening is not None and (known is None or len(known.text) < len(opening.text)):
                expected[unit.headings] = opening
    return expected


def _last_line(text: str, unit: Unit) -> int:
    line = text.rfind("\n", unit.start, unit.end) + 1
    return line + len(text[line : unit.end]) - len(text[line : unit.end].lstrip()) if line else unit.end - 1


def _code_start(text: str, unit: Unit) -> int:
    """Where the code begins: at its heading, where that is its first line."""
    heading = unit.headings[-1] if unit.headings else None
    return heading.start if heading is not None and not text[heading.end : unit.start].strip() else unit.start


def _signatures(text: str, first: int, start: int) -> Iterator[str]:
    """Definitions that the line at ``start`` is indented below, innermost first, each without its body."""
    first = max(text.rfind("\n", max(0, first - _LOOK_BACK), first) + 1, start - _LOOK_BACK, 0)
    line = text.rfind("\n", first, start) + 1 or first
    columns = indentation(text, line)
    end = line - 1
    braced = False  # whether a brace on a line of its own opens what the line is in
    while (columns or braced) and end > first:
        begin = text.rfind("\n", first, end) + 1 or first
        content = text[begin:end].rstrip()
        here = indentation(text, begin)
        if content and (here < columns or (braced and here <= columns)):
            if _LONE_BRACE.fullmatch(content):
                columns, braced = here, True
            else:
                begin = _signature_start(text, first, begin, here)
                signature = " ".join(text[begin:end].split())
                if _is_definition(signature, braced=braced):
                    yield signature
                columns, braced = here, False
        end = begin - 1


def _signature_start(text: str, first: int, line: int, columns: int) -> int:
    """Where the signature begins whose last line is at ``line``: further up, where that one only closes a bracket."""
    begin = line
    if not _CLOSES.match(text, line):
        return line
    for _ in range(_LINES_OF_A_SIGNATURE):
        if begin <= first:
            break
        begin = text.rfind("\n", first, begin - 1) + 1 or first
        if text[begin : begin + _LONGEST_OPENING].strip() and indentation(text, begin) <= columns:
            return begin
    return line


def _is_definition(signature: str, *, braced: bool) -> bool:
    if _CONTROL.match(signature):
        return False
    called = _CALLABLE.fullmatch(signature + " {" if braced else signature)
    return called is not None or _DEFINES.match(signature) is not None
