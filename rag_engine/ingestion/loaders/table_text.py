"""Tables as text that answers a question about a cell: one line a row, every value behind its column's name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

_NUMERIC = re.compile(r"[-+]?[\s.,:/%$€£()-]*\d[\d\s.,:/%$€£()-]*")


def names_columns(record: Sequence[str]) -> bool:
    """Whether a table's first record is its header: a name for each column but one, all different, none a number."""
    names = [cell for cell in record if cell]
    return len(names) >= max(1, len(record) - 1) and len(set(names)) == len(names) and not any(map(is_number, names))


def is_number(cell: str) -> bool:
    """Whether a cell holds a number, an amount of money, a date or a time, in digits."""
    return _NUMERIC.fullmatch(cell) is not None


def row_line(header: Sequence[str], record: Sequence[str]) -> str:
    """``Header: value; Header: value``, empty cells left out; only the values where ``header`` is empty."""
    if not header:
        return "; ".join(cell for cell in record if cell)
    parts = []
    for number, (name, cell) in enumerate(zip_longest(header, record, fillvalue=""), 1):
        if cell:
            parts.append(f"{name or f'column {number}'}: {cell}")
    return "; ".join(parts)


def table_lines(records: Sequence[Sequence[str]], header_records: int | None = None) -> Iterator[str]:
    """Lines of a whole table whose cells hold no line breaks; rows without content are passed over.

    ``header_records`` is how many records at the top the format itself says are headers; their cells are joined
    column by column. Without it the first is taken where it names the columns (see ``names_columns``).
    """
    filled = [record for record in records if any(record)]
    if header_records is None:
        width = max(map(len, filled), default=0)
        first = [*filled[0], *[""] * (width - len(filled[0]))] if filled else []
        header_records = int(len(filled) > 1 and width > 1 and names_columns(first))
    if header_records >= len(filled):
        header_records = 0  # a table of nothing but headers is shown as it is
    columns = zip_longest(*filled[:header_records], fillvalue="")
    header = [" ".join(dict.fromkeys(name for name in column if name)) for column in columns]
    for record in filled[header_records:]:
        yield row_line(header, record)
