"""Rows of a pipe table, and the header that tells what their cells are.

A pipe table is that of GitHub Flavored Markdown (section 4.10): a line of names, a line of dashes, lines of cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_LINE_BREAK = re.compile(r"\n")
_HEADER = re.compile(r"[ \t]*+([^\n]++)\n(?=[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\||\n|\Z))[ \t|:-]++(?=\n|\Z)")


def row_starts(text: str, start: int, end: int) -> Iterator[int]:
    """Starts of the lines in (start, end) that open a row; a header goes with the first row behind it."""
    header = table_header(text, start, end)
    first = min(header[1] + 1, end) if header else start
    return (match.end() for match in _LINE_BREAK.finditer(text, first, end))


def table_header(text: str, start: int, end: int) -> tuple[str, int] | None:
    """The names above the columns, as the table at [start, end) writes them, and where its rows begin.

    None where the table has no header line, as one whose rows name their values.
    """
    header = _HEADER.match(text, start, end)
    return (header.group(1).rstrip(), header.end()) if header and "|" in header.group(1) else None
