import io
import tempfile
import zipfile
from pathlib import Path

import pytest

from rag_engine.errors import EmptySourceError, EncryptedSourceError, ParsingError, SourceTooLargeError
from rag_engine.ingestion.loaders.spreadsheet import SpreadsheetLoader
from rag_engine.types.document import BlockKind, Document
from rag_engine.types.ingestion import LoadLimits
from tests.office_files import compound_file, opendocument, row, xlsx, zipped

FORMATS = Path(__file__).parents[5] / "shared" / "formats"


def read(data: bytes, *, max_characters: int = 10**6) -> Document:
    (document,) = SpreadsheetLoader().load(data, name="n.xlsx", limits=LoadLimits(max_characters))
    return document


def rows(*content: str) -> str:
    return f"<sheetData>{''.join(content)}</sheetData>"


def test_each_sheet_is_a_heading_with_its_rows_below() -> None:
    document = read(
        xlsx({"Shops": rows(row(1, "City", "Opens"), row(2, "Kiel", 9)), "Notes": rows(row(3, "by hand", start="C"))})
    )
    assert document.text == "Shops\n\nCity: Kiel; Opens: 9\n\nNotes\n\nby hand"
    assert [block.kind for block in document.blocks] == [
        BlockKind.HEADING,
        BlockKind.ROW,
        BlockKind.HEADING,
        BlockKind.PARAGRAPH,
    ]
    assert all(document.text[block.start : block.end].strip() for block in document.blocks)


def test_values_are_written_as_people_read_them() -> None:
    cells = rows(row(1, "a", "b", "c", "d"), row(2, 0.1 + 0.2, 1e3, True, ("date", 45413)), row(3, "two\n lines", 1.5))
    assert read(xlsx({"S": cells})).text.splitlines()[2:] == [
        "a: 0.3; b: 1000; c: TRUE; d: 2024-05-01",
        "a: two lines; b: 1.5",
    ]


def test_merged_cells_are_known() -> None:
    cells = rows(row(1, "Region", "City", "Sum"), row(2, "north", "Kiel", 1), row(3, None, "Bremen", 2))
    merged = '<mergeCells count="1"><mergeCell ref="A2:A3"/></mergeCells>'
    assert "Region: north; City: Bremen; Sum: 2" in read(xlsx({"S": cells + merged})).text


def test_hidden_sheets_are_kept_and_their_spans_are_told() -> None:
    document = read(xlsx({"Seen": rows(row(1, "a")), "Unseen": rows(row(1, "secret"))}, hidden=("Unseen",)))
    ((start, end),) = document.metadata["hidden_text"]  # type: ignore[misc,union-attr]
    assert document.text[start:end] == "Unseen\n\nsecret"  # type: ignore[misc]


def test_open_document_spreadsheets_are_read_too() -> None:
    def cell(attributes: str, text: str) -> str:
        return f"<table:table-cell {attributes}><text:p>{text}</text:p></table:table-cell>"

    named = cell('office:value-type="string"', "a") + cell('office:value-type="string"', "b")
    date = cell('office:value-type="date" office:date-value="2024-05-01"', "1 May")
    valued = cell('office:value-type="float" office:value="1"', "1,0") + date
    listed = "".join(f"<table:table-row>{row}</table:table-row>" for row in (named, valued))
    body = f'<table:table table:name="S">{listed}</table:table>'
    document = read(opendocument("spreadsheet", body, meta="<dc:title>Of the file</dc:title>"))
    assert document.text == "S\n\na: 1; b: 2024-05-01"
    assert document.title == "Of the file"


def test_a_workbook_without_values_is_empty() -> None:
    with pytest.raises(EmptySourceError):
        read(xlsx({"S": rows()}))


def test_what_is_damaged_is_refused() -> None:
    good = xlsx({"S": rows(row(1, "a"))})
    with pytest.raises(ParsingError):
        read(zipped({"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook>"}))
    with pytest.raises(ParsingError):
        read(good[: len(good) // 2])
    with pytest.raises(ParsingError):
        read(compound_file({"Workbook": bytes(range(256)) * 20}))


def test_a_bomb_is_refused_before_it_is_inflated() -> None:
    with zipfile.ZipFile(io.BytesIO(xlsx({"S": rows(row(1, "a"))}))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with pytest.raises(SourceTooLargeError, match="bomb"):
        read(zipped({**members, "xl/sharedStrings.xml": b" " * (20 << 20)}))


def test_cells_too_far_apart_for_memory_are_refused_by_how_many_lie_between() -> None:
    cells = '<dimension ref="A1:XFD1048576"/>' + rows(row(1, "a"))
    with pytest.raises(SourceTooLargeError, match="spans 17,179,869,184 cells"):
        read(xlsx({"S": cells}))


@pytest.mark.needs_shared
@pytest.mark.skipif(not FORMATS.is_dir(), reason="needs the data folder ../shared")
def test_an_encrypted_workbook_of_old_is_opened_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    data = (FORMATS / "office_encrypted" / "poi__password.xls").read_bytes()
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    (document,) = SpreadsheetLoader().load(data, name="n", limits=LoadLimits(10**6, ("wrong", "password")))
    assert "ZIP bomb" in document.text
    with pytest.raises(EncryptedSourceError):
        list(SpreadsheetLoader().load(data, name="n", limits=LoadLimits(10**6)))


def test_text_over_the_limit_is_refused() -> None:
    with pytest.raises(SourceTooLargeError):
        read(xlsx({"S": rows(row(1, "x" * 200))}), max_characters=100)
