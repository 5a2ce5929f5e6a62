from __future__ import annotations

from itertools import pairwise

import pytest

from benchmarks.chunking.sentences import CASES, Score, read_cases, trimmed
from rag_engine.semantic_chunking import split_sentences


@pytest.mark.parametrize("held_out", [False, True])
def test_nine_of_ten_golden_rules_are_right(held_out: bool) -> None:
    score = Score()
    for case in read_cases(CASES):
        if case.held_out == held_out:
            score.add(split_sentences(case.text), case.spans)
    assert score.to_json()["right"] >= 0.9
    assert score.to_json()["f1"] >= 0.9


def test_the_golden_sentences_are_their_texts_characters() -> None:
    cases = read_cases(CASES)
    assert len(cases) == 483
    for case in cases:
        assert trimmed(case.text, case.spans) == list(case.spans)
        left = "".join(case.text[end:start] for (_, end), (start, _) in pairwise(case.spans))
        assert not left.strip()


def test_a_case_with_one_end_missed_is_wrong_and_lowers_f1() -> None:
    score = Score()
    assert score.add([(0, 2), (3, 5)], [(0, 2), (3, 5)])
    assert not score.add([(0, 5)], [(0, 2), (3, 5)])
    assert score.to_json() == {"cases": 2, "right": 0.5, "f1": 0.667}


def test_no_end_wanted_and_none_given_is_perfect() -> None:
    score = Score()
    score.add([(0, 5)], [(0, 5)])
    assert score.to_json()["f1"] == 1.0
