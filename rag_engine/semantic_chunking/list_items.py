"""Where the items of a list begin: those of the outermost list first, the items nested in them after."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag_engine.semantic_chunking.sentences import starts_item

_LINE_BREAK = re.compile(r"\n")
_NOT_BLANK = re.compile(r"[^ \t]")
_LOOK_BACK = 8  # characters before a line that are read for the last one that is not white space
_TAB = 4  # columns
_DEEPEST = 400  # characters; the search ends there


def item_starts(text: str, start: int, end: int) -> Iterator[int]:
    """Starts of the lines in (start, end) that open an item of any depth."""
    for match in _LINE_BREAK.finditer(text, start, end - 1):
        if starts_item(text, match.end(), text[max(start, match.start() - _LOOK_BACK) : match.start()].rstrip()[-1:]):
            yield match.end()


def outermost_item_starts(text: str, start: int, end: int) -> list[int]:
    """Starts of the least indented of those lines, so that an item keeps what is nested in it."""
    items = [(indentation(text, line), line) for line in item_starts(text, start, end)]
    least = min(items)[0] if items else 0
    return [line for columns, line in items if columns == least]


def indentation(text: str, line: int) -> int:
    """Columns of white space at the beginning of the line that begins at ``line``; a tab counts as four."""
    match = _NOT_BLANK.search(text, line, line + _DEEPEST)
    end = match.start() if match else min(line + _DEEPEST, len(text))
    return end - line + (_TAB - 1) * text.count("\t", line, end)
