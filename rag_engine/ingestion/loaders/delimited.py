"""Delimited tables (CSV, RFC 4180, and its kin); each record becomes a line that says its columns' names."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from rag_engine.errors import ParsingError
from rag_engine.ingestion.loaders.canonical_text import TextBuilder, read_text, too_large
from rag_engine.types.document import BlockKind, Document

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLED_RECORDS = 100
_SAMPLED_CHARACTERS = 1 << 16
_NUMERIC = re.compile(r"[-+]?[\d\s.,:/%$€£()-]*\d[\d\s.,:/%$€£()-]*")


class DelimitedLoader:
    """Reads CSV, TSV and the like; the delimiter is the one that cuts the records most evenly."""

    name = "delimited"
    version = 1

    def load(self, data: bytes, *, name: str, max_characters: int) -> Iterator[Document]:
        """One document with one row block a record: ``Header: value; Header: value``, empty cells left out."""
        text = read_text(data, name=name, max_characters=max_characters)
        csv.field_size_limit(max_characters)
        builder = TextBuilder(name=name, max_characters=max_characters, separator="\n")
        try:
            records = _records(text, _delimiter(text))
            first = next(records, [])
            second = next(records, None)
            header = first if second is not None and _is_header(first) else []
            for record in (*(() if header else (first,)), *(() if second is None else (second,))):
                _add(builder, header, record)
            for record in records:
                _add(builder, header, record)
        except csv.Error as error:
            if "field larger" in str(error):
                raise too_large(name, max_characters) from error
            raise ParsingError(f"{name} is no delimited table: {error}") from error
        yield Document(id=name, text=builder.text(), blocks=tuple(builder.blocks))


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    """Records with white space collapsed in their cells; those without any content are passed over."""
    for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True):
        cells = [" ".join(cell.split()) for cell in record]
        if any(cells):
            yield cells


def _delimiter(text: str) -> str:
    sample = text[:_SAMPLED_CHARACTERS]
    if len(sample) < len(text):
        sample = sample[: sample.rfind("\n") + 1] or sample
    return max(_DELIMITERS, key=lambda delimiter: _evenness(sample, delimiter))


def _evenness(sample: str, delimiter: str) -> tuple[float, int]:
    widths = Counter(len(record) for record in islice(_records(sample, delimiter), _SAMPLED_RECORDS))
    width, records = max(widths.items(), key=lambda item: (item[1], item[0]), default=(1, 0))
    return (records / widths.total(), width) if width > 1 else (0.0, 0)


def _is_header(record: Sequence[str]) -> bool:
    names = [cell for cell in record if cell]
    return (
        len(names) >= max(1, len(record) - 1)
        and len(set(names)) == len(names)
        and not any(_NUMERIC.fullmatch(name) for name in names)
    )


def _add(builder: TextBuilder, header: Sequence[str], record: Sequence[str]) -> None:
    if not header:
        builder.add(BlockKind.ROW, "; ".join(cell for cell in record if cell))
        return
    names = [name or f"column {number}" for number, name in enumerate(header, 1)]
    names += [f"column {number}" for number in range(len(header) + 1, len(record) + 1)]
    builder.add(BlockKind.ROW, "; ".join(f"{name}: {cell}" for name, cell in zip(names, record, strict=False) if cell))
