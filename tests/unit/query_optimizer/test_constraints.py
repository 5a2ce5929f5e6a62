"""What a question says of the documents that it wants becomes a filter only where the corpus has it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.query_optimizer.constraints import Constraints
from rag_engine.query_optimizer.exclusions import exclusions
from rag_engine.query_optimizer.strategy import Context, Proposal
from rag_engine.types.retrieval import And, Comparator, Comparison, Not
from tests.unit.query_optimizer.conftest import Corpus

ForQuestion = Callable[[str], Context]


def proposed(question: str, context: ForQuestion) -> Proposal:
    proposal = Constraints().propose(question, context(question))
    assert proposal is not None
    return proposal


@pytest.fixture
def office(corpus: Corpus) -> Corpus:
    """A corpus of letters with authors, years, dates, pages, languages and tags."""
    corpus.values = {
        "author": ["Jane Smith", "Amelia Brandt"],
        "year": [2019, 2020],
        "created": ["2019-04-01T10:00:00Z", "2020-05-06"],
        "pages": [3, 12],
        "language": ["de", "en"],
        "format": ["pdf", "docx"],
        "tags": ["billing", "tax"],
        "draft": [True],
    }
    return corpus


@pytest.mark.parametrize(
    ("question", "condition", "text"),
    [
        ("author: Smith refund deadline", Comparison("author", Comparator.IN, ("Jane Smith",)), "refund deadline"),
        ('author: "Jane Smith" refunds', Comparison("author", Comparator.IN, ("Jane Smith",)), "refunds"),
        ("refunds tag:tax", Comparison("tags", Comparator.IN, ("tax",)), "refunds"),
        ("refunds year >= 2020", Comparison("year", Comparator.GREATER_OR_EQUAL, 2020), "refunds"),
        ("refunds year: 2019", Comparison("year", Comparator.EQUAL, 2019), "refunds"),
        ("refunds draft=true", Comparison("draft", Comparator.EQUAL, True), "refunds"),
        ("refunds in PDF files", Comparison("format", Comparator.IN, ("pdf",)), "refunds"),
        ("documents by Brandt about refunds", Comparison("author", Comparator.IN, ("Amelia Brandt",)), "about refunds"),
        ("refunds in German documents", Comparison("language", Comparator.IN, ("de",)), "refunds"),
        ("letters with more than 10 pages about tax", Comparison("pages", Comparator.GREATER, 10), "letters about tax"),
        ("refunds not author: Smith", Not(Comparison("author", Comparator.IN, ("Jane Smith",))), "refunds"),
        ("refunds author != Smith", Not(Comparison("author", Comparator.IN, ("Jane Smith",))), "refunds"),
    ],
)
@pytest.mark.usefixtures("office")
def test_a_stated_field_becomes_a_filter_and_leaves_the_question(
    context: ForQuestion, question: str, condition: object, text: str
) -> None:
    proposal = proposed(question, context)
    assert (proposal.filter, proposal.text) == (condition, text)


@pytest.mark.usefixtures("office")
def test_a_date_of_documents_becomes_a_filter_on_the_field_of_which_the_verb_speaks(context: ForQuestion) -> None:
    created = And(
        (
            Comparison("created", Comparator.GREATER_OR_EQUAL, "2019-01-01"),
            Comparison("created", Comparator.LESS, "2020-01-01"),
        )
    )
    assert proposed("letters written in 2019 about tax", context).filter == created
    year = And((Comparison("year", Comparator.GREATER_OR_EQUAL, 2019), Comparison("year", Comparator.LESS, 2020)))
    assert proposed("reports from 2019 about tax", context).filter == year


@pytest.mark.usefixtures("office")
def test_a_date_that_the_question_may_be_about_only_speaks_for_its_documents(context: ForQuestion) -> None:
    proposal = proposed("Who won the election in 2019?", context)
    assert proposal.filter is None
    assert proposal.text == "Who won the election in 2019?"
    assert [wording.filter is not None for wording in proposal.alternatives] == [True]


@pytest.mark.parametrize(
    "question",
    [
        "author: Smith refunds",
        "Who won the election in 2019?",
        "documents by Smith",
        "refunds in PDF files",
        "note: this is urgent",
        "see https://example.org/a?b=c",
        "ratio 3:4 of a > b",
        "what happened at 10:30",
    ],
)
def test_without_the_field_in_the_corpus_nothing_is_made_of_it(context: ForQuestion, question: str) -> None:
    assert Constraints().propose(question, context(question)) is None


@pytest.mark.usefixtures("office")
def test_a_value_that_no_document_has_is_no_filter(context: ForQuestion, corpus: Corpus) -> None:
    assert Constraints().propose("author: Miller refunds", context("")) is None
    corpus.admitted = lambda _: False
    assert Constraints().propose("refunds pages: 77", context("")) is None


def test_a_title_is_looked_for_exactly(context: ForQuestion, corpus: Corpus) -> None:
    proposal = proposed('documents titled "Delivery terms" on fees', context)
    assert proposal.filter == Comparison("title", Comparator.EQUAL, "Delivery terms")
    corpus.admitted = lambda condition: condition == Comparison("id", Comparator.IN, ("d1",))
    corpus.titles = {"Alien": ("d1",)}
    assert proposed("the film, documents titled Alien", context).filter == Comparison("id", Comparator.IN, ("d1",))


@pytest.mark.parametrize(
    ("question", "text", "taken_out", "excepted"),
    [
        ("animals of the forest, not about birds", "animals of the forest", ("birds",), ()),
        ("stores excluding the Harbour store", "stores", ("Harbour store",), ()),
        ("countries other than France that use the euro", None, (), ("France",)),
        ("all stores except Lyon", None, (), ("Lyon",)),
        ("which parcels do not leave at noon", None, (), ()),
        ("heat not conducted", None, (), ()),
    ],
)
def test_what_is_not_wanted_is_told_from_negation(
    question: str, text: str | None, taken_out: tuple[str, ...], excepted: tuple[str, ...]
) -> None:
    assert exclusions(question) == (question if text is None else text, taken_out, excepted)


def test_what_is_excluded_comes_last_and_is_not_searched_for(context: ForQuestion) -> None:
    proposal = proposed("animals of the forest, not about birds", context)
    assert (proposal.text, proposal.excluded, proposal.filter) == ("animals of the forest", ("birds",), None)


@given(st.text(max_size=300))
def test_any_text_is_bearable(text: str) -> None:
    corpus = Corpus(values={"author": ["Jane Smith"], "year": [2019]}, titles={})
    proposal = Constraints().propose(text, _context(text, corpus))
    assert proposal is None or proposal.text


def _context(text: str, corpus: Corpus) -> Context:
    from rag_engine.query_optimizer.task_detection import detect_task
    from tests.unit.query_optimizer.conftest import TODAY

    return Context(detect_task(text), corpus, TODAY)
