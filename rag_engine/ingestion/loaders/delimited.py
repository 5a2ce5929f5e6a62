"""Delimited tables (CSV, RFC 4180, and its kin); each record becomes a line that says its columns' names."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice

from rag_engine.errors import ParsingError
from rag_engine.ingestion.loaders.canonical_text import TextBuilder, read_text
from rag_engine.ingestion.loaders.table_text import names_columns, row_line
from rag_engine.types.document import BlockKind, Document
from rag_engine.types.ingestion import LoadLimits

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLED_RECORDS = 100
_MOST_CAPTIONS = 5
_SAMPLED_CHARACTERS = 1 << 16


class DelimitedLoader:
    """Reads CSV, TSV and the like; the delimiter is the one that cuts the records most evenly."""

    name = "delimited"
    version = 2

    def load(self, data: bytes, *, name: str, limits: LoadLimits) -> Iterator[Document]:
        """One document with one row block a record: ``Header: value; Header: value``, empty cells left out.

        Lines above the header that hold a single value are captions; the first is the title.
        """
        text = read_text(data, name=name, max_characters=limits.max_characters)
        csv.field_size_limit(len(text))
        builder = TextBuilder(name=name, max_characters=limits.max_characters, separator="\n")
        try:
            records = _records(text, _delimiter(text))
            top = list(islice(records, _MOST_CAPTIONS + 2))
            captions = _captions(top)
            for record in top[:captions]:
                builder.add(BlockKind.PARAGRAPH, row_line([], record))
            rows = top[captions:]
            header = rows.pop(0) if len(rows) > 1 and names_columns(rows[0]) else []
            for record in chain(rows, records):
                builder.add(BlockKind.ROW, row_line(header, record))
        except csv.Error as error:
            raise ParsingError(f"{name} is no delimited table: {error}") from error
        title = row_line([], top[0]) if captions else ""
        yield Document(id=name, text=builder.text(), title=title, blocks=tuple(builder.blocks))


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    """Records with white space collapsed in their cells; those without any content are passed over."""
    for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True):
        cells = [" ".join(cell.split()) for cell in record]
        if any(cells):
            yield cells


def _captions(top: Sequence[Sequence[str]]) -> int:
    """How many records at the top hold a single value though the table has columns: they say what it is about."""
    captions = next((number for number, record in enumerate(top) if sum(map(bool, record)) > 1), 0)
    return captions if captions <= _MOST_CAPTIONS else 0


def _delimiter(text: str) -> str:
    sample = text[:_SAMPLED_CHARACTERS]
    if len(sample) < len(text):
        sample = sample[: sample.rfind("\n") + 1] or sample
    return max(_DELIMITERS, key=lambda delimiter: _evenness(sample, delimiter))


def _evenness(sample: str, delimiter: str) -> tuple[float, int]:
    widths = Counter(len(record) for record in islice(_records(sample, delimiter), _SAMPLED_RECORDS))
    width, records = max(widths.items(), key=lambda item: (item[1], item[0]), default=(1, 0))
    return (records / widths.total(), width) if width > 1 else (0.0, 0)
