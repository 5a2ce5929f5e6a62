"""An HTML table (HTML standard, section 4.9) as lines in which every value stands behind the name of its column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile

from rag_engine.ingestion.loaders.table_text import row_line, table_lines

_WIDEST_SPAN = 1000  # the standard's own limit for columns
_MOST_SPANNED = 1_000_000  # cells that the spans of one table fill; beyond them a cell stands only where it is
_REPEATED_CHARACTERS = 200  # a longer cell is not said again in each row and column that it spans


@dataclass(slots=True)
class _Row:
    """A row: the texts of its columns; whether all, or its first, are header cells, or one cell spans all columns."""

    cells: list[str] = field(default_factory=list)
    headers: list[bool] = field(default_factory=list)
    spans_all: bool = False

    @property
    def is_header(self) -> bool:
        return bool(self.headers) and all(self.headers) and not self.spans_all


class TableRows:
    """Takes a table cell by cell, and gives its lines when it is whole.

    A cell that spans columns names all of them where it is a header, and stands in the first otherwise; one that
    spans rows stands in each.
    """

    def __init__(self) -> None:
        self._rows: list[_Row] = []
        self._row = _Row()
        self._from_above: dict[int, tuple[int, str, bool]] = {}  # by column: rows still to come, text, header
        self._in_head = False
        self._cells_to_span = _MOST_SPANNED

    def begin_head(self, *, begins: bool = True) -> None:
        """A ``thead`` begins, whose cells are all headers, or ends."""
        self._in_head = begins

    def add_cell(self, text: str, *, tag: str, attributes: Mapping[str, str | None]) -> None:
        """A cell, whose text has no line breaks."""
        self._fill_from_above()
        header = tag == "th" or self._in_head
        first = len(self._row.cells)
        columns, rows = _span(attributes.get("colspan")), _span(attributes.get("rowspan"))
        columns = max(min(columns, _WIDEST_SPAN - first), 1)  # spans over spans would grow with every row
        if columns * rows > self._cells_to_span:
            columns = rows = 1
        self._cells_to_span -= columns * rows - 1
        said_again = text if len(text) <= _REPEATED_CHARACTERS else ""
        for offset in range(columns):
            shown = text if not offset else said_again if header else ""
            self._row.cells.append(shown)
            self._row.headers.append(header)
            if rows > 1:
                self._from_above[first + offset] = (rows - 1, said_again if shown else "", header)
        self._row.spans_all = first == 0 and columns > 1

    def end_row(self) -> None:
        """A row ends."""
        if self._row.cells:
            spanned = self._row.spans_all
            self._fill_from_above()
            self._row.spans_all = spanned and sum(map(bool, self._row.cells)) == 1
            self._rows.append(self._row)
            self._row = _Row()

    def lines(self) -> Iterator[str]:
        """The table's lines; rows without content are passed over."""
        self.end_row()
        rows = [row for row in self._rows if any(row.cells)]
        while rows and rows[0].spans_all:  # its title
            yield next(filter(None, rows.pop(0).cells))
        top = len(list(takewhile(lambda row: row.is_header, rows)))
        if top == len(rows) or not top:
            yield from _without_names(rows)
            return
        names = [row.cells for row in rows[:top]]
        for row in rows[top:]:
            if row.spans_all:  # a heading within the table
                yield next(filter(None, row.cells))
            else:
                yield from table_lines([*names, row.cells], top)

    def _fill_from_above(self) -> None:
        while (column := len(self._row.cells)) in self._from_above:
            rows, text, header = self._from_above.pop(column)
            self._row.cells.append(text)
            self._row.headers.append(header)
            if rows > 1:
                self._from_above[column] = (rows - 1, text, header)


def _without_names(rows: list[_Row]) -> Iterator[str]:
    """Lines of a table whose top row is not marked as naming the columns: the rows may have names of their own."""
    named = [len(row.cells) > 1 and row.headers[0] and not any(row.headers[1:]) for row in rows]
    if rows and all(named):
        for row in rows:
            yield f"{row.cells[0]}: {row_line([], row.cells[1:])}" if row.cells[0] else row_line([], row.cells)
    else:
        yield from table_lines([row.cells for row in rows])


def _span(written: str | None) -> int:
    digits = (written or "").strip()
    return min(max(int(digits), 1), _WIDEST_SPAN) if digits.isdecimal() and len(digits) < 10 else 1
