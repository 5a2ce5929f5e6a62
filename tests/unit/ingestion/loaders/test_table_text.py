from hypothesis import given
from hypothesis import strategies as st

from rag_engine.ingestion.loaders.table_text import names_columns, row_line, table_lines


def test_a_header_names_all_columns_but_one_each_once_and_holds_no_number() -> None:
    assert names_columns(["name", "city", ""])
    assert not names_columns(["name", "", ""])
    assert not names_columns(["name", "name"])
    assert not names_columns(["name", "2024-05-31"])


def test_each_value_stands_behind_its_columns_name() -> None:
    assert row_line(["a", "", "c"], ["1", "2", "", "4"]) == "a: 1; column 2: 2; column 4: 4"
    assert row_line([], ["1", "", "2"]) == "1; 2"


def test_headers_of_several_rows_are_joined_by_column() -> None:
    rows = [["2024", "2024", ""], ["Jan", "Feb", "Note"], ["1", "2", "x"]]
    assert list(table_lines(rows, 2)) == ["2024 Jan: 1; 2024 Feb: 2; Note: x"]


def test_a_table_of_nothing_but_headers_is_shown_as_it_is() -> None:
    assert list(table_lines([["a", "b"], ["", ""]], 1)) == ["a; b"]
    assert list(table_lines([])) == []


@given(st.lists(st.lists(st.sampled_from(["", "x", "y", "7"]), max_size=4), max_size=6), st.none() | st.integers(0, 3))
def test_every_value_below_the_header_is_said(rows: list[list[str]], header_records: int | None) -> None:
    lines = list(table_lines(rows, header_records))
    filled = [row for row in rows if any(row)]
    below = filled[len(filled) - len(lines) :]
    for line, row in zip(lines, below, strict=True):
        assert all(cell in line for cell in row)
        assert line
