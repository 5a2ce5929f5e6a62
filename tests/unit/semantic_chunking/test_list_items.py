from __future__ import annotations

from rag_engine.semantic_chunking.list_items import indentation, item_starts, outermost_item_starts

TEXT = "- one\n  - a\n    wrapped\n  - b\n- two\n\t- c\n"


def lines(starts: list[int]) -> list[str]:
    return [TEXT[start:].split("\n")[0].strip() for start in starts]


def test_every_item_is_found() -> None:
    assert lines(list(item_starts(TEXT, 0, len(TEXT)))) == ["- a", "- b", "- two", "- c"]


def test_outermost_items_keep_those_nested_in_them() -> None:
    assert lines(outermost_item_starts(TEXT, 0, len(TEXT))) == ["- two"]
    assert lines(outermost_item_starts(TEXT, 0, TEXT.index("- two"))) == ["- a", "- b"]
    assert outermost_item_starts("no items", 0, 8) == []


def test_a_tab_is_four_columns() -> None:
    assert indentation("\t x", 0) == 5
    assert indentation("x", 0) == 0
    assert indentation("  ", 0) == 2
