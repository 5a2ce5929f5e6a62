"""What every LexicalIndex owes, in memory and on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_engine.index.lexical import TantivyIndex
from rag_engine.protocols import LexicalEntry, LexicalIndex

TEXTS = {
    1: "Refunds are paid within 14 days of the return.",
    2: "The refund policy covers faulty products, and refunding takes days.",
    3: "Mitochondria are the powerhouse of the cell.",
    4: "黑豹队的防守只丢了 308 分，在联赛中排名第六。",
    5: "Der Café-Besitzer kündigte den Vertrag.",
    6: "def parse_filter(expression): return C++ or NULL",
    7: "ประเทศไทยมีประชากรมาก",
}


@pytest.fixture(params=["in memory", "on disk"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> LexicalIndex:
    return TantivyIndex() if request.param == "in memory" else TantivyIndex(tmp_path / "lexical", index_id="one")


@pytest.fixture
def filled(empty: LexicalIndex) -> LexicalIndex:
    entries = [LexicalEntry(number, "Handbook\nPolicies" if number < 3 else "", text) for number, text in TEXTS.items()]
    empty.update(add=entries, remove=[], commit=1)
    return empty


def found(index: LexicalIndex, text: str, depth: int = 10, among: list[int] | None = None) -> list[int]:
    numbers = None if among is None else np.array(among, dtype=np.int64)
    return [hit.chunk for hit in index.search(text, depth, among=numbers)]


def test_an_empty_index_finds_nothing(empty: LexicalIndex) -> None:
    assert len(empty) == 0
    assert found(empty, "refund") == []


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("mitochondria", [3]),
        ("MITOCHONDRION powerhouse", [3]),
        ("refunded", [1, 2]),
        ("policies", [1, 2]),
        ("cafe kundigte", [5]),
        ("防守", [4]),
        ("联赛排名", [4]),
        ("ประชากร", [7]),
        ("308", [4]),
        ("unknownword", []),
        ("the of and", []),
        ("", []),
        ("   \n", []),
    ],
)
def test_words_find_the_chunks_that_hold_them(filled: LexicalIndex, question: str, expected: list[int]) -> None:
    assert sorted(found(filled, question)) == expected


@pytest.mark.parametrize(
    "question",
    [
        'body:"powerhouse',
        "powerhouse AND NOT cell)",
        "+powerhouse -cell",
        "powerhouse^9~2*",
        "chunk:3 powerhouse",
        "[powerhouse TO cell}",
        "powerhouse \\ ' \" ` $ % & / ( ) = ? ! ; , . : < > | ~",
    ],
)
def test_characters_of_a_query_syntax_mean_nothing(filled: LexicalIndex, question: str) -> None:
    assert 3 in found(filled, question)


def test_a_repeated_word_counts_once(filled: LexicalIndex) -> None:
    assert filled.search("refund refund refund days", 10) == filled.search("refund days", 10)


def test_hits_come_best_first_and_no_more_than_asked_for(filled: LexicalIndex) -> None:
    hits = filled.search("refund policy days", 10)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert found(filled, "refund policy days", 1) == [hits[0].chunk]
    assert found(filled, "refund", 0) == []


def test_equal_chunks_come_by_number(empty: LexicalIndex) -> None:
    empty.update(add=[LexicalEntry(number, "", "same words") for number in (9, 4, 7)], remove=[], commit=1)
    assert found(empty, "same words") == [4, 7, 9]


def test_a_filter_works_inside_the_search_and_leaves_scores_alone(filled: LexicalIndex) -> None:
    unfiltered = {hit.chunk: hit.score for hit in filled.search("refund days", 10)}
    [hit] = filled.search("refund days", 1, among=np.array([2, 3], dtype=np.int64))
    assert hit.chunk == 2
    assert hit.score == pytest.approx(unfiltered[2])
    assert found(filled, "refund", among=[]) == []
    assert found(filled, "refund", among=[3, 999]) == []


def test_removed_chunks_are_gone_and_unknown_ones_passed_over(filled: LexicalIndex) -> None:
    filled.update(add=[], remove=[1, 777], commit=2)
    assert len(filled) == len(TEXTS) - 1
    assert found(filled, "refund") == [2]


def test_removal_comes_before_addition_in_one_update(filled: LexicalIndex) -> None:
    filled.update(add=[LexicalEntry(1, "", "entirely different")], remove=[1], commit=2)
    assert len(filled) == len(TEXTS)
    assert found(filled, "refund") == [2]
    assert found(filled, "entirely") == [1]


def test_many_removals_at_once_are_carried_out(empty: LexicalIndex) -> None:
    empty.update(add=[LexicalEntry(n, "", f"same word{n}") for n in range(1, 3001)], remove=[], commit=1)
    empty.update(add=[], remove=range(1, 3000), commit=2)
    assert len(empty) == 1
    assert found(empty, "same", 5000) == [3000]


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=st.text(max_size=60))
def test_any_text_is_a_question(filled: LexicalIndex, question: str) -> None:
    assert len(found(filled, question)) <= len(TEXTS)
