"""Files of words answer as the words do that they were made of."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.index.vocabulary.segment import Segment
from rag_engine.index.vocabulary.segment_writing import merged_bytes, segment_bytes
from rag_engine.index.vocabulary.word_counts import CountedWord, WordCounts

LETTERS = st.text(alphabet="abcdeéüжя", min_size=2, max_size=9)
WORDS = st.dictionaries(LETTERS, st.integers(1, 1000), min_size=1, max_size=60)


def segment_of(words: dict[str, int], definitions: dict[tuple[str, str], int] | None = None) -> Segment:
    return Segment(segment_bytes([CountedWord(word, count, 0) for word, count in words.items()], definitions or {}))


def edits(one: str, other: str) -> int:
    """Restricted Damerau-Levenshtein distance, letter by letter."""
    rows = [list(range(len(other) + 1))]
    for i in range(1, len(one) + 1):
        row = [i]
        for j in range(1, len(other) + 1):
            least = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (one[i - 1] != other[j - 1]))
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                least = min(least, rows[-2][j - 2] + 1)
            row.append(least)
        rows.append(row)
    return rows[-1][-1]


@given(words=WORDS, word=LETTERS, most=st.integers(1, 2))
def test_words_within_a_distance_are_those_that_counting_edits_one_by_one_finds(
    words: dict[str, int], word: str, most: int
) -> None:
    expected = {other: (edits(word, other), count) for other, count in words.items() if edits(word, other) <= most}
    found = {other: (distance, count) for other, distance, count in segment_of(words).near(word, most)}
    assert found == expected


@given(words=WORDS)
def test_every_word_has_its_count_and_no_other_word_has_one(words: dict[str, int]) -> None:
    segment = segment_of(words)
    assert len(segment) == len(words)
    assert {word: segment.count(word)[0] for word in words} == words
    assert all(segment.count(word + "z") == (0, 0) for word in words)


@given(words=WORDS, short=LETTERS)
def test_longer_words_are_those_that_hold_the_letters_in_order(words: dict[str, int], short: str) -> None:
    def holds(word: str) -> bool:
        letters = iter(word)
        return all(letter in letters for letter in short)

    expected = {word for word in words if len(short) < len(word) <= 8 and word[0] == short[0] and holds(word)}
    assert {word for word, _, _ in segment_of(words).shortened_to(short, 8)} == expected


@given(one=WORDS, other=WORDS)
def test_merged_segments_answer_like_one_of_all_words(one: dict[str, int], other: dict[str, int]) -> None:
    definitions = {("AB", "ada bea"): 2}, {("AB", "ada bea"): 1, ("ÜB", "über bea"): 4}
    parts = [segment_of(words, defined) for words, defined in zip((one, other), definitions, strict=True)]
    merged = Segment(merged_bytes(parts, most_words=1000, most_definitions=1000))
    sums = Counter(one) + Counter(other)
    assert {word: merged.count(word)[0] for word in sums} == sums
    assert list(merged.defined("ab")) == [("AB", "ada bea", 3)]
    assert list(merged.defined("über bea")) == [("ÜB", "über bea", 4)]
    for word in sums:
        if not word.isascii():
            assert sorted(merged.decorated("uber")) == sorted({w for w in sums if w == "über"})


def test_the_rarest_words_go_where_there_are_too_many() -> None:
    words = {f"{letter}{other}": 1 + (letter == "a") for letter in "abc" for other in "xyz"}
    merged = Segment(merged_bytes([segment_of(words)], most_words=4, most_definitions=1))
    assert sorted(word for word, _, _ in merged.near("ax", 2)) == ["ax", "ay", "az"]


def test_a_word_without_marks_finds_those_with_marks_however_they_are_typed() -> None:
    counts = WordCounts()
    counts.add("Für die Brücke, naïve café Straße. Ещё")
    segment = Segment(segment_bytes(counts.words(), {}))
    for typed, meant in {
        "fur": "für",
        "fuer": "für",
        "bruecke": "brücke",
        "naive": "naïve",
        "strasse": "straße",
    }.items():
        assert list(segment.decorated(typed)) == [meant]
    assert list(segment.decorated("еще")) == ["ещё"]
    assert list(segment.decorated("die")) == []


def test_the_capitals_kept_are_those_of_the_most_frequent_form() -> None:
    counts = WordCounts()
    for text in ("the DNA of Paris", "dna", "DNA", "DiffExecutor runs"):
        counts.add(text)
    by_word = {one.word: one for one in counts.words()}
    assert by_word["dna"].capitals == 0b111
    assert by_word["dna"].frequency == 3
    assert by_word["paris"].capitals == 1
    assert {"diffexecutor", "diff", "executor"} <= by_word.keys()


def test_what_is_no_word_is_not_counted() -> None:
    counts = WordCounts()
    counts.add("x1 42 a 日本語 𝒳𝒴 " + "long" * 20)
    assert counts.words() == []


@pytest.mark.parametrize("data", [b"", b"\0" * 100, b"\xff" * 100, segment_bytes([], {})[:40]])
def test_bytes_that_are_no_segment_are_refused(data: bytes) -> None:
    with pytest.raises((ValueError, KeyError)):
        Segment(data)
