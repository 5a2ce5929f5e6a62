from __future__ import annotations

import re

import numpy as np
import pytest

from rag_engine.llm.asked import read_question
from rag_engine.llm.evidence import Evidence, RankedSentence, confidence, confidence_features, gather, rank_logit
from rag_engine.semantic_chunking import split_sentences
from rag_engine.types.generation import NumberedSource
from rag_engine.types.retrieval import Passage

TEXT = "Ada wrote the first program. It ran on paper. Babbage did not write one."


def split(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\S[^.]*\.?", text)]


def source(number: int, text: str = TEXT, *, start: int = 0, score: float = 1.0, title: str = "") -> NumberedSource:
    return NumberedSource(number, Passage(number, score, "guide", title, number, start, start + len(text), text))


def ranked(evidence: Evidence, cosine: float) -> RankedSentence:
    return RankedSentence(evidence, cosine, rank_logit(evidence, cosine=cosine), np.zeros(3, dtype=np.float32))


def test_sentences_are_given_in_characters_of_the_document() -> None:
    found = gather(read_question("who?"), [source(1, start=100)], split_sentences=split)
    assert [TEXT[one.start - 100 : one.end - 100] for one in found] == [one.text for one in found]
    assert len(found) == 3


def test_a_sentence_that_two_sources_hold_is_kept_with_the_first() -> None:
    found = gather(read_question("who?"), [source(1), source(2, start=500)], split_sentences=split)
    assert [one.source.number for one in found] == [1, 1, 1]


def test_shares_of_the_question_are_all_nothing_and_between() -> None:
    first, second, third = gather(read_question("Who wrote the first program?"), [source(1)], split_sentences=split)
    assert first.in_sentence == pytest.approx(1.0)
    assert (second.in_sentence, second.in_window) == (0.0, pytest.approx(1.0))
    assert (third.in_sentence, third.in_window) == (0.0, 0.0)


def test_a_term_that_no_source_holds_weighs_more_than_one_that_all_hold() -> None:
    (first, *_) = gather(read_question("program quicksort"), [source(1)], split_sentences=split)
    assert 0 < first.in_sentence < 0.5


def test_title_and_headings_belong_to_every_window() -> None:
    found = gather(read_question("Zürich programs"), [source(1, title="Zürich")], split_sentences=split)
    assert found[2].in_window > 0


def test_source_strength_is_relative_to_the_best_and_never_negative() -> None:
    sources = [source(1, score=8.0), source(2, "Other one.", score=2.0), source(3, "Third one.", score=-1.0)]
    strengths = {
        one.source.number: one.source_strength for one in gather(read_question("who?"), sources, split_sentences=split)
    }
    assert strengths == {1: 1.0, 2: 0.25, 3: 0.0}


def test_a_negation_that_the_sentence_lacks_is_noted() -> None:
    found = gather(read_question("Who did not write one?"), [source(1)], split_sentences=split)
    assert [one.negation_lost for one in found] == [True, True, False]


def test_more_of_anything_that_speaks_for_a_sentence_raises_rank_and_confidence() -> None:
    asked = read_question("Who wrote the first program in Ada?")
    first, second, _ = gather(asked, [source(1)], split_sentences=split)
    assert rank_logit(first, cosine=0.5) > rank_logit(second, cosine=0.5)
    assert rank_logit(first, cosine=0.6) > rank_logit(first, cosine=0.5)
    weak, strong = (
        confidence(confidence_features(asked, ranked(first, cosine), nearest=cosine, passage_cosine=cosine))
        for cosine in (0.1, 0.9)
    )
    assert 0 < weak < strong < 1


def test_sources_without_sentences_give_no_evidence() -> None:
    assert gather(read_question("who?"), [], split_sentences=split) == []
    assert gather(read_question("who?"), [source(1, " ")], split_sentences=split) == []


def test_headings_and_fenced_code_are_never_quoted_but_count_for_their_neighbours() -> None:
    text = (
        '# Refund deadline\n\nIt is 14 days.\n\n```console\nrag ask "What is the refund deadline?"\n```\n\nSee below.'
    )
    evidence = gather(read_question("What is the refund deadline?"), [source(1, text)], split_sentences=split_sentences)
    assert [item.text for item in evidence] == ["It is 14 days.", "See below."]
    assert evidence[0].in_window == 1.0


def test_an_unclosed_fence_reaches_to_the_end() -> None:
    found = gather(
        read_question("code?"), [source(1, "Before it.\n\n```\ncode\n\nmore code")], split_sentences=split_sentences
    )
    assert [item.text for item in found] == ["Before it."]


def test_an_opposite_in_the_passage_and_a_denial_in_the_question_lower_the_confidence() -> None:
    def sure(question: str, text: str) -> float:
        asked = read_question(question)
        first = gather(asked, [source(1, text)], split_sentences=split)[0]
        return confidence(confidence_features(asked, ranked(first, 0.6), nearest=0.6, passage_cosine=0.6))

    text = "Prices rose. They never fell."
    assert sure("When did prices rise?", "Prices rise.") > sure("When did prices rise?", "Prices decline.")
    assert sure("When did prices change?", text) > sure("When did prices refuse to change?", text)


def test_words_that_stand_together_in_the_question_and_the_sentence_are_pairs() -> None:
    first, second, _ = gather(read_question("Who wrote the first program?"), [source(1)], split_sentences=split)
    assert (first.pairs, second.pairs) == (0.5, 0.0) or first.pairs > second.pairs


def test_a_sentence_that_asks_ranks_behind_one_that_says() -> None:
    text = "Who wrote it? Ada wrote it."
    spans = [(0, 13), (14, 27)]
    asking, saying = gather(read_question("Who wrote it?"), [source(1, text)], split_sentences=lambda _: spans)
    assert asking.asks
    assert not saying.asks
    assert rank_logit(asking, cosine=0.5) < rank_logit(saying, cosine=0.5)
