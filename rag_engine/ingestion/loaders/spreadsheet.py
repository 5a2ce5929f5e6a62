"""Spreadsheets of Excel (XLSX, XLSM, XLSB, XLS) and OpenDocument (ODS), read by calamine.

Speed: cells come typed from Rust, in a tenth of the time that readers written in Python take. Offsets: the text is
written here, so a row's characters are known. Licence: MIT.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, TypeAlias

from rag_engine.errors import EmptySourceError, ParsingError, SourceTooLargeError
from rag_engine.ingestion.loaders.canonical_text import TextBuilder
from rag_engine.ingestion.loaders.container_kind import COMPOUND_SIGNATURE
from rag_engine.ingestion.loaders.office_compound import compound_properties, is_encrypted, opened_with_passwords
from rag_engine.ingestion.loaders.office_package import OfficePackage
from rag_engine.ingestion.loaders.office_text import clean
from rag_engine.ingestion.loaders.opendocument_package import OpenDocumentPackage
from rag_engine.ingestion.loaders.sheet_tables import SheetTables
from rag_engine.ingestion.loaders.zip_members import ZipMembers
from rag_engine.types.document import BlockKind, Document, JsonValue
from rag_engine.types.ingestion import LoadLimits

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

_MOST_CELLS = 30_000_000  # of 56 bytes each, which is what the sandbox has memory for
_HEAD_BYTES = 4096
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_USED_RANGE = re.compile(rb'<(?:\w+:)?dimension\s+ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')

Cell: TypeAlias = "int | float | str | bool | time | date | datetime | timedelta"


class SpreadsheetLoader:
    """Reads the values of cells as they were last calculated; macros, links and pictures are passed over."""

    name = "spreadsheet"
    version = 1

    def load(self, data: bytes, *, name: str, limits: LoadLimits) -> Iterator[Document]:
        """One document: a heading for each sheet, and below it one line a row (see ``SheetTables``).

        ``hidden_text`` in its metadata are the spans of hidden sheets, as ``[start, end]`` in characters.
        """
        from python_calamine import SheetTypeEnum, SheetVisibleEnum

        title, metadata = _properties(data, name, limits)
        workbook = _open(data, name, limits)
        builder = TextBuilder(name=name, max_characters=limits.max_characters, separator="\n")
        hidden: list[JsonValue] = []
        for sheet in workbook.sheets_metadata:
            if sheet.typ not in (SheetTypeEnum.WorkSheet, SheetTypeEnum.DialogSheet, SheetTypeEnum.MacroSheet):
                continue
            first = len(builder.blocks)
            with _Failures(f"sheet {sheet.name} of {name}"):
                _write(workbook.get_sheet_by_name(sheet.name), " ".join(clean(sheet.name).split()), builder)
            if sheet.visible is not SheetVisibleEnum.Visible and len(builder.blocks) > first:
                hidden.append([builder.blocks[first].start, builder.blocks[-1].end])
        if not builder.blocks:
            raise EmptySourceError(f"no cell of {name} holds anything")
        if hidden:
            metadata["hidden_text"] = hidden
        yield Document(id=name, text=builder.text(), title=title, metadata=metadata, blocks=tuple(builder.blocks))


def _open(data: bytes, name: str, limits: LoadLimits) -> CalamineWorkbook:
    from python_calamine import CalamineWorkbook

    if data.startswith(COMPOUND_SIGNATURE) and is_encrypted(data):
        data = opened_with_passwords(data, name=name, limits=limits)
    with _Failures(name):
        return CalamineWorkbook.from_filelike(io.BytesIO(data))


class _Failures:
    """Turns what calamine raises into ParsingError: a panic of its is no Exception, and would end the parser."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        from python_calamine import CalamineError

        if isinstance(error, CalamineError) or type(error).__name__ == "PanicException":
            reason = " ".join(str(error).split())[:200]
            raise ParsingError(f"{self._what} cannot be read: {reason}", hint="save the spreadsheet anew") from error


def _properties(data: bytes, name: str, limits: LoadLimits) -> tuple[str, dict[str, JsonValue]]:
    if data.startswith(COMPOUND_SIGNATURE):
        return compound_properties(data)
    archive = ZipMembers(data, name=name, max_bytes=limits.max_unpacked_bytes)
    archive.refuse_bomb()  # calamine would inflate whatever it is told
    _refuse_far_cells(archive, name)
    if "content.xml" in archive:
        return OpenDocumentPackage(data, name=name, limits=limits).properties()
    return OfficePackage(data, name=name, limits=limits).properties()


def _refuse_far_cells(archive: ZipMembers, name: str) -> None:
    """Refuses sheets for which calamine, which holds every cell between the first and the last, has no memory."""
    for member in archive.members:
        if not _SHEET.fullmatch(member.name):
            continue
        used = _USED_RANGE.search(archive.head(member, _HEAD_BYTES))
        if not used:
            continue
        cells = (_column(used[3]) - _column(used[1]) + 1) * (int(used[4]) - int(used[2]) + 1)
        if cells > _MOST_CELLS:
            raise SourceTooLargeError(
                f"a sheet of {name} spans {cells:,} cells, more than {_MOST_CELLS:,}",
                hint="clear the cells that stand far away from the others",
            )


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _write(sheet: CalamineSheet, name: str, builder: TextBuilder) -> None:
    tables = SheetTables(sheet.start or (0, 0), sheet.merged_cell_ranges or ())
    heading = name
    for kind, line in tables.lines([text(cell) for cell in row] for row in sheet.iter_rows()):
        if heading:
            builder.add(BlockKind.HEADING, heading, level=1, title=heading, apart=True)
            builder.add(kind, line, apart=True)
            heading = ""
        else:
            builder.add(kind, line)


def text(cell: Cell) -> str:
    """A cell's value as documents hold it: dates as in ISO 8601, whole numbers without a fraction."""
    if isinstance(cell, str):
        return " ".join(clean(cell).split())
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else format(cell, ".15g")
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="seconds" if cell.second else "minutes")
    if isinstance(cell, time):
        return cell.isoformat(timespec="seconds" if cell.second else "minutes")
    if isinstance(cell, timedelta):
        minutes, seconds = divmod(int(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")
    return cell.isoformat() if isinstance(cell, date) else str(cell)
