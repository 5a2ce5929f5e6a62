"""Line breaks within a block of prose: those that end a paragraph, and those that only wrap its lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

# Nobody wraps lines further out than this: longer ones are whole paragraphs.
_WIDEST = 160
_FIRST_WORD = re.compile(r"\s*(\S{1,80})")


def paragraph_breaks(text: str, start: int, end: int) -> Iterator[int]:
    """Where a paragraph of the block ``text[start:end]`` begins behind a line break, ascending.

    A line that the first word of the next one would have fitted was not wrapped there: the block's longest line tells
    how wide it is. Lines of no common width are no wrapped ones.
    """
    lines = list(_lines(text, start, end))
    width = min(max((last - first for first, last in lines), default=0), _WIDEST)
    for (first, last), (following, _) in pairwise(lines):
        length = len(text[first:last].rstrip())
        word = _FIRST_WORD.match(text, following, end)
        if word and (length > _WIDEST or length + 1 + len(word[1]) <= 0.8 * width):
            yield following


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end:
        line_end = text.find("\n", start, end)
        line_end = end if line_end < 0 else line_end
        yield start, line_end
        start = line_end + 1
