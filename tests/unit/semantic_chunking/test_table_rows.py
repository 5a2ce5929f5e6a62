from __future__ import annotations

import pytest

from rag_engine.semantic_chunking.table_rows import row_starts, table_header


@pytest.mark.parametrize("text", ["| a | b |\n|---|:-:|\n| 1 | 2 |\n| 3 | 4 |", "a | b\n--- | ---\n1 | 2\n3 | 4"])
def test_a_header_goes_with_the_first_row(text: str) -> None:
    header = text.split("\n")[0]
    assert table_header(text, 0, len(text)) == (header, text.index("\n", len(header) + 1))
    assert [text[start:].split("\n")[0] for start in row_starts(text, 0, len(text))] == text.split("\n")[3:]


@pytest.mark.parametrize(
    "text", ["| a | b |\n| 1 | 2 |", "Name: a; Age: 1\nName: b; Age: 2", "a | b", "a\n-----\nb", "| a |\n| -x- |"]
)
def test_tables_without_a_line_of_dashes_have_no_header(text: str) -> None:
    assert table_header(text, 0, len(text)) is None
    assert len(list(row_starts(text, 0, len(text)))) == text.count("\n")


def test_a_table_of_its_header_alone_is_not_cut() -> None:
    text = "| a | b |\n|---|---|"
    assert list(row_starts(text, 0, len(text))) == []
