"""Questions that need more than one document."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rag_engine.query_optimizer.decomposition import Decomposition, follow_up
from rag_engine.query_optimizer.strategy import Context
from rag_engine.types.retrieval import Passage
from tests.unit.query_optimizer.conftest import Corpus

ForQuestion = Callable[[str], Context]


def passage(document: str, text: str, rank: int = 1) -> Passage:
    return Passage(rank, 1.0 / rank, document, document, rank, 0, len(text), text)


@pytest.mark.parametrize(
    "question",
    [
        "Who lived longer, Edward Albee or J. M. Barrie?",
        "Are Edward Albee and J. M. Barrie both writers?",
        "what do Edward Albee and J. M. Barrie have in common",
    ],
)
def test_what_is_compared_is_searched_for_by_its_names(context: ForQuestion, corpus: Corpus, question: str) -> None:
    corpus.titles = {"Edward Albee": ("albee",), "J. M. Barrie": ("barrie",), "Albee": ("other",)}
    proposal = Decomposition().propose(question, context(question))
    assert proposal is not None
    (asked,) = proposal.follow_ups
    assert (asked.documents, asked.behind, asked.most) == (("albee", "barrie"), 0, 2)


def test_a_comparison_of_which_only_one_side_is_there_looks_at_the_first_results(
    context: ForQuestion, corpus: Corpus
) -> None:
    corpus.titles = {"Edward Albee": ("albee",)}
    question = "Who lived longer, Edward Albee or J. M. Barrie?"
    proposal = Decomposition().propose(question, context(question))
    assert proposal is not None
    assert proposal.looks_further
    assert not proposal.follow_ups


@pytest.mark.parametrize(
    "question",
    [
        "refund deadline",
        "Statins reduce blood cholesterol in Denmark.",
        "what is a lock",
        "Summarise the life of Edward Albee",
        "how do I pay",
    ],
)
def test_what_names_nothing_or_asks_nothing_is_left_alone(context: ForQuestion, question: str) -> None:
    assert Decomposition().propose(question, context(question)) is None


def test_names_in_the_first_results_lead_to_their_documents(corpus: Corpus) -> None:
    corpus.titles = {"Mark Bowden": ("bowden",), "Killing Pablo": ("book",), "Pablo Escobar": ("escobar",)}
    found = follow_up(
        "Where is the author of Killing Pablo born?",
        [
            passage("book", "Killing Pablo is a book by Mark Bowden. It tells of Pablo Escobar."),
            passage("other", "Another text.", 2),
            passage("third", "It speaks of Pablo Escobar.", 3),
        ],
        corpus,
    )
    assert found is not None
    assert found.documents == ("bowden", "escobar")


def test_a_question_that_speaks_of_something_by_what_it_does_sets_them_behind_the_first(corpus: Corpus) -> None:
    corpus.titles = {"Mark Bowden": ("bowden",)}
    texts = [passage("book", "a book by Mark Bowden")]
    relative = follow_up("When was the man who wrote it born?", texts, corpus)
    plain = follow_up("What is its author's birthday?", texts, corpus)
    assert relative is not None
    assert plain is not None
    assert (relative.behind, plain.behind) == (1, 2)


def test_names_that_the_question_holds_or_no_document_has_lead_nowhere(corpus: Corpus) -> None:
    corpus.titles = {"Mark Bowden": ("bowden",)}
    texts = [passage("book", "a book by Mark Bowden and Jane Smith")]
    assert follow_up("Where was Mark Bowden born?", texts, corpus) is None
    assert follow_up("Where was he born?", [], corpus) is None


def test_a_document_that_names_itself_is_no_lead(corpus: Corpus) -> None:
    corpus.titles = {"Mark Bowden": ("bowden",)}
    assert follow_up("Where was he born?", [passage("bowden", "the writer Mark Bowden")], corpus) is None
