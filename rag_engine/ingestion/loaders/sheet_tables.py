"""Finds the tables of a sheet: where they begin, which row names their columns, and what stands around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from rag_engine.ingestion.loaders.table_text import is_number, names_columns, row_line
from rag_engine.types.document import BlockKind

_LOOKED_AT = 20  # rows of a table that decide about its header
_MOST_MERGED = 100_000  # ranges; a hostile file may have any number


class SheetTables:
    """The lines of one sheet. Rows without content part tables.

    At the top of a table, rows with a single value are its captions. The row below is its header where it names all
    columns but one, or those of the row that follows it, or half of all with numbers under one of its names. A table
    that goes on after an empty row keeps the header above it. Merged cells say their value in each row, and in a
    header in each column.
    """

    def __init__(self, start: tuple[int, int], merged: Iterable[tuple[tuple[int, int], tuple[int, int]]]) -> None:
        """``start`` is the first used row and column, and ``merged`` are ranges of first and last cells, all from 0."""
        self._first_column = start[1]
        self._below: dict[int, list[tuple[int, int, int]]] = {}
        for (top, left), (bottom, right) in islice(merged, _MOST_MERGED):
            self._below.setdefault(top, []).append((bottom, left - self._first_column, right - self._first_column))
        self._header: list[str] = []
        self._header_span = (0, 0)

    def lines(self, rows: Iterable[list[str]]) -> Iterator[tuple[BlockKind, str]]:
        """Captions as paragraphs, and records as rows; ``rows`` are those of the sheet from its first on."""
        top: list[list[str]] = []  # of a table whose header is still to be found
        in_table = False
        for row in self._filled(rows):
            if not any(row):
                yield from self._begin(top)
                top, in_table = [], False
            elif in_table:
                yield BlockKind.ROW, row_line(self._header, row)
            else:
                top.append(row)
                if len(top) == _LOOKED_AT:
                    yield from self._begin(top)
                    top, in_table = [], True
        yield from self._begin(top)

    def _begin(self, top: list[list[str]]) -> Iterator[tuple[BlockKind, str]]:
        """The lines of a table's first rows, by which its header is found."""
        if not top:
            return
        spans = [_span(row) for row in top]
        span = (min(start for start, _ in spans), max(end for _, end in spans))
        captions = 0
        if span[1] - span[0] > 1 or len(top) == 1:
            while captions < len(top) and sum(map(bool, top[captions])) == 1:
                captions += 1
        for row in top[:captions]:
            yield BlockKind.PARAGRAPH, row_line((), row)
        rest = top[captions:]
        inner = [row[span[0] : span[1]] for row in rest]
        continued = not captions and bool(self._header) and self._header_span == span
        if len(rest) > 1 and _is_header(inner, continued=continued):
            self._header, self._header_span = rest[0], span
            rest = rest[1:]
        elif not continued:
            self._header, self._header_span = [], span
        for row in rest:
            yield BlockKind.ROW, row_line(self._header, row)

    def _filled(self, rows: Iterable[list[str]]) -> Iterator[list[str]]:
        """Rows in which merged cells say their value, downwards always and sideways beside other values."""
        open_ranges: dict[int, tuple[int, str]] = {}  # by column: the last row, and the value
        for number, row in enumerate(rows):
            open_ranges = {column: merged for column, merged in open_ranges.items() if merged[0] >= number}
            if open_ranges and any(row):
                for column, (_, value) in open_ranges.items():
                    row[column] = row[column] or value
            others = sum(map(bool, row))
            for bottom, left, right in self._below.get(number, ()):
                if not 0 <= left < len(row) or not row[left]:
                    continue
                if bottom > number:
                    open_ranges[left] = (bottom, row[left])
                if others > 1:
                    for column in range(left + 1, min(right + 1, len(row))):
                        row[column] = row[column] or row[left]
            yield row


def _is_header(rows: Sequence[Sequence[str]], *, continued: bool) -> bool:
    """Whether the first row names the columns; beside a header that fits already, only numbers below prove it."""
    first, width = rows[0], len(rows[0])
    names = [cell for cell in first if cell]
    if width < 2 or any(map(is_number, names)):
        return False
    numbers_below = any(name and is_number(cell) for row in rows[1:] for name, cell in zip(first, row, strict=True))
    if not continued and (names_columns(first) or (_span(first) == _span(rows[1]) and names_columns(_used(first)))):
        return True
    return numbers_below and len(names) > 1 and 2 * len(names) >= width


def _span(row: Sequence[str]) -> tuple[int, int]:
    """The first used column, and the one after the last."""
    used = [column for column, cell in enumerate(row) if cell]
    return (used[0], used[-1] + 1) if used else (0, 0)


def _used(row: Sequence[str]) -> Sequence[str]:
    start, end = _span(row)
    return row[start:end] if end - start > 1 else ()
