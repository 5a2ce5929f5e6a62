"""Which passages say the same, and which contradict each other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.context_retrieval.agreement import COMPARED, with_agreement
from rag_engine.context_retrieval.source_pairs import conflicts_among, duplicates_among
from rag_engine.semantic_chunking import split_sentences
from rag_engine.types.retrieval import Passage

FIRST = 100  # the character of its document at which a passage starts


def passages(*texts: str, document: str | None = None) -> list[Passage]:
    return [
        Passage(rank, 1 / rank, document or f"document-{rank}", "", rank, FIRST, FIRST + len(text), text)
        for rank, text in enumerate(texts, start=1)
    ]


def flagged(*texts: str, document: str | None = None) -> list[Passage]:
    return with_agreement(passages(*texts, document=document), split_sentences=split_sentences)


def kinds(*texts: str) -> list[list[str]]:
    return [[conflict.what.value for conflict in passage.conflicts] for passage in flagged(*texts)]


@pytest.mark.parametrize(
    ("one", "other", "what"),
    [
        ("Refunds are paid within 14 days to the card.", "Refunds are paid to the card within 30 days.", "number"),
        ("Refunds are paid within 14 days to the card.", "Refunds are paid to the card within 14 weeks.", "number"),
        ("The Berlin office opened on 5 May 1999.", "The Berlin office was opened on 6 May 1999.", "date"),
        ("The Berlin office opened in 1999.", "The Berlin office was opened in May 2001.", "date"),
        ("Dogs are allowed in the office kitchen.", "Dogs are not allowed in the office kitchen.", "negation"),
        ("Dogs can enter the office kitchen.", "Dogs can't enter the office kitchen.", "negation"),
    ],
)
def test_two_documents_that_state_otherwise_are_a_conflict_on_both_sides(one: str, other: str, what: str) -> None:
    assert kinds(one, other) == [[what], [what]]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Refunds are paid within 14 days to the card.", "Refunds are paid within two weeks to the card."),
        ("Standard delivery takes five days.", "Express delivery takes two days."),
        ("In 2019 the company earned 5 million euros.", "In 2020 the company earned 6 million euros."),
        ("The Berlin office opened in 1999.", "The Berlin office opened on 5 May 1999."),
        ("Orders of at least 50 euros ship free.", "Orders of more than 80 euros ship free."),
        ("Python 3.11 reads these settings first.", "Python 3.12 reads these settings first."),
        ("The Model 1840 musket was made at the armory.", "The Model 1822 musket was made at the armory."),
        ("Copyright 2017 by the makers of things", "Copyright 2018 by the makers of things"),
        ("def least_share(self): return 0.25", "def least_share(self): return 0.35"),
        ("The new office opened in 1999.", "The new Berlin office opened in 2001."),
        ("Germany has 83 million people today.", "France has 68 million people today."),
        ("It is not only fast but cheap.", "It is fast but cheap."),
        ("Delivery takes five days.", "Delivery takes two days."),  # two words are too few to tell the subject by
        ("Does the office open on 5 May 1999?", "Does the office open on 6 May 1999?"),
        ("# Berlin office opened 1999", "# Berlin office opened 2001"),
        ("| Berlin office | opened | 1999 |", "| Berlin office | opened | 2001 |"),
        ("Dogs are allowed in the office kitchen.", "Dogs are not allowed in the office kitchen after 10 days."),
    ],
)
def test_what_is_the_same_or_of_something_else_is_no_conflict(one: str, other: str) -> None:
    assert kinds(one, other) == [[], []]


def test_what_is_only_referred_to_is_the_same_only_in_documents_of_one_title() -> None:
    one, other = passages("The population of the civil parish was 115.", "The population of the civil parish was 249.")
    for titles, expected in ((("Broxted", "Elmdon"), 0), (("Broxted 2011", "Broxted 2021"), 1)):
        titled = [replace(passage, title=title) for passage, title in zip((one, other), titles, strict=True)]
        found = with_agreement(titled, split_sentences=split_sentences)
        assert [len(passage.conflicts) for passage in found] == [expected, expected]


def test_a_document_does_not_contradict_itself() -> None:
    found = flagged("The fee is ten euros a month here.", "The fee is 12 euros a month here.", document="fees")
    assert [passage.conflicts for passage in found] == [(), ()]


def test_a_conflict_points_at_both_sentences() -> None:
    own, other = "Hello there. The Berlin office opened in 1999. Bye.", "Welcome! The Berlin office opened in 2001."
    first, second = flagged(own, other)
    (conflict,) = first.conflicts
    assert conflict.rank == 2
    assert own[conflict.start - FIRST : conflict.end - FIRST] == "The Berlin office opened in 1999."
    assert other[conflict.other_start - FIRST : conflict.other_end - FIRST] == "The Berlin office opened in 2001."
    (mirrored,) = second.conflicts
    assert (mirrored.rank, mirrored.start, mirrored.other_start) == (1, conflict.other_start, conflict.start)


def test_passages_of_which_one_holds_the_other_are_duplicates() -> None:
    text = "Parcels wait ten days at a pickup point before they are sent back to us."
    found = flagged(text, "Something else is said here about cards.", f"Mind this. {text.upper()} More follows here.")
    assert [passage.duplicates for passage in found] == [(3,), (), (1,)]


def test_what_contradicts_each_other_is_no_duplicate_however_alike() -> None:
    long = "Parcels wait at a pickup point, where you can fetch them whenever you like. The Berlin office opened in {}."
    found = flagged(long.format(1999), long.format(2001))
    assert [passage.duplicates for passage in found] == [(), ()]
    assert [len(passage.conflicts) for passage in found] == [1, 1]


def test_only_the_first_passages_are_compared() -> None:
    text = "Parcels wait ten days at a pickup point."
    found = flagged(*[text] * (COMPARED + 2))
    assert len(found[0].duplicates) == COMPARED - 1
    assert [passage.duplicates for passage in found[COMPARED:]] == [(), ()]


def test_sources_of_an_answer_name_each_pair_once_and_only_where_both_are_there() -> None:
    found = flagged(
        "The Berlin office opened in 1999.", "The Berlin office opened in 2001.", "The Berlin office opened in 2001."
    )
    assert [(pair.document, pair.other_document, pair.what) for pair in conflicts_among(found)] == [
        ("document-1", "document-2", "date"),
        ("document-1", "document-3", "date"),
    ]
    (pair,) = conflicts_among(found[:2])
    assert (pair.text, pair.other_text) == ("The Berlin office opened in 1999.", "The Berlin office opened in 2001.")
    (same,) = duplicates_among(found)
    assert (same.document, same.other_document, same.text) == ("document-2", "document-3", found[1].text)


@given(st.lists(st.text(alphabet="aB 5.not1929,\n", max_size=60), max_size=12))
def test_flags_are_symmetric_name_other_passages_and_change_nothing_else(texts: list[str]) -> None:
    before = passages(*texts)
    after = with_agreement(before, split_sentences=split_sentences)
    assert [(one.text, one.rank, one.score) for one in after] == [(one.text, one.rank, one.score) for one in before]
    for passage in after:
        for rank in passage.duplicates:
            assert rank != passage.rank
            assert passage.rank in after[rank - 1].duplicates
        for conflict in passage.conflicts:
            other = after[conflict.rank - 1]
            assert passage.start <= conflict.start < conflict.end <= passage.end
            assert conflict.rank not in passage.duplicates
            assert passage.rank in {mirrored.rank for mirrored in other.conflicts}


def test_passages_without_text_are_no_duplicates() -> None:
    assert [passage.duplicates for passage in flagged("", "")] == [(), ()]
