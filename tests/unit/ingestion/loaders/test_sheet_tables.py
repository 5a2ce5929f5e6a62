from hypothesis import given
from hypothesis import strategies as st

from rag_engine.ingestion.loaders.sheet_tables import SheetTables
from rag_engine.types.document import BlockKind


def lines(*rows: str, merged: list[tuple[tuple[int, int], tuple[int, int]]] | None = None) -> list[str]:
    """Rows are written with ``|`` between cells."""
    cells = [[cell.strip() for cell in row.split("|")] for row in rows]
    return [line for _, line in SheetTables((0, 0), merged or []).lines(cells)]


def test_the_first_row_names_the_columns() -> None:
    assert lines("a|b", "1|x", "2|") == ["a: 1; b: x", "a: 2"]


def test_rows_with_one_value_above_a_table_are_captions() -> None:
    tables = SheetTables((0, 0), []).lines([["Sales", ""], ["a", "b"], ["1", "2"]])
    assert list(tables) == [(BlockKind.PARAGRAPH, "Sales"), (BlockKind.ROW, "a: 1; b: 2")]


def test_tables_below_each_other_have_headers_of_their_own() -> None:
    assert lines("a|b", "1|2", "|", "c|d|e", "3|4|5") == ["a: 1; b: 2", "c: 3; d: 4; e: 5"]


def test_a_table_goes_on_behind_an_empty_row() -> None:
    assert lines("a|b", "x|1", "|", "y|2", "|", "z|w")[1:] == ["a: y; b: 2", "a: z; b: w"]


def test_a_header_with_gaps_is_known_by_the_numbers_below() -> None:
    assert lines("topic|when||page", "x|y|z|4") == ["topic: x; when: y; column 3: z; page: 4"]
    assert lines("topic|when||", "x|y|z|w") == ["topic; when", "x; y; z; w"]


def test_without_names_there_is_no_header() -> None:
    assert lines("1|2", "3|4") == ["1; 2", "3; 4"]
    assert lines("a|a", "b|c") == ["a; a", "b; c"]


def test_merged_cells_say_their_value_in_each_row_and_each_column_of_a_header() -> None:
    merged = [((0, 0), (0, 1)), ((1, 0), (2, 0))]
    assert lines("Region||Sum", "north|x|4", "|y|5", merged=merged) == [
        "Region: north; Region: x; Sum: 4",
        "Region: north; Region: y; Sum: 5",
    ]
    assert lines("Title|||", "a|b|c|d", merged=[((0, 0), (0, 3))]) == ["Title", "a; b; c; d"]


@given(st.lists(st.lists(st.sampled_from(["", "a", "b", "1", "2.5"]), min_size=3, max_size=3), max_size=60))
def test_no_value_is_lost(rows: list[list[str]]) -> None:
    found = [line for _, line in SheetTables((0, 0), []).lines([list(row) for row in rows])]
    said = " ".join(found)
    for value in ("1", "2.5"):
        assert said.count(value) >= sum(row.count(value) for row in rows)
    assert len(found) <= sum(any(row) for row in rows)
