import pytest

from rag_engine.ingestion.loaders.list_numbers import ListCounter, NumberedLevel, number_text

LEVELS = {
    0: NumberedLevel(1, "decimal", "%1."),
    1: NumberedLevel(1, "lowerLetter", "%1.%2)"),
    2: NumberedLevel(1, "upperRoman", "%2-%3", legal=True),
    3: NumberedLevel(1, "bullet", "x"),
    4: NumberedLevel(1, "none", "x"),
}


def labels(*items: tuple[str, int]) -> list[str]:
    counter = ListCounter({"k": LEVELS}, {"a": ("k", {}), "b": ("k", {0: 7})})
    return [counter.label(name, level) for name, level in items]


def test_levels_count_within_the_level_above() -> None:
    assert labels(("a", 0), ("a", 1), ("a", 1), ("a", 0), ("a", 1)) == ["1.", "1.a)", "1.b)", "2.", "2.a)"]


def test_a_level_that_was_skipped_counts_as_begun() -> None:
    assert labels(("a", 2), ("a", 2), ("a", 1)) == ["1-1", "1-2", "1.b)"]


def test_lists_of_one_kind_count_on_unless_they_begin_anew() -> None:
    assert labels(("a", 0), ("b", 0), ("b", 0), ("a", 0)) == ["1.", "7.", "8.", "9."]


def test_bullets_are_dashes_and_what_is_not_known_too() -> None:
    assert labels(("a", 3), ("a", 4), ("a", 8), ("unknown", 0)) == ["-", "", "-", "-"]


@pytest.mark.parametrize(
    ("number", "number_format", "text"),
    [
        (4, "lowerRoman", "iv"),
        (1994, "upperRoman", "MCMXCIV"),
        (4000, "upperRoman", "4000"),
        (27, "lowerLetter", "aa"),
        (0, "lowerLetter", "0"),
        (7, "decimalZero", "07"),
        (12, "chineseCounting", "12"),
    ],
)
def test_numbers_are_shown_in_their_format(number: int, number_format: str, text: str) -> None:
    assert number_text(number, number_format) == text
