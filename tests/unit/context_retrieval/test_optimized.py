"""A retriever around a retriever: what a plan asks for is searched for, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from rag_engine.context_retrieval import OptimizedRetriever, parse_filter
from rag_engine.context_retrieval.filters import shown
from rag_engine.errors import InvalidQueryError
from rag_engine.types.optimization import (
    FollowUp,
    OptimizationStep,
    OptimizedQuery,
    StrategyName,
    TaskType,
    WeightedQuery,
)
from rag_engine.types.retrieval import And, Comparator, Comparison, Filter, Passage, Query

YEAR = Comparison("year", Comparator.EQUAL, 2019)
OTHER = Comparison("author", Comparator.EQUAL, "Smith")


def passage(document: str, score: float, *, text: str = "") -> Passage:
    return Passage(1, score, document, "", sum(document.encode()), 0, 10, text or f"about {document}")


@dataclass
class Recorded:
    """A retriever that finds what it is told to, and remembers what it was asked."""

    found: Callable[[Query], Sequence[Passage]]
    asked: list[Query] = field(default_factory=list)

    def retrieve(self, query: Query) -> list[Passage]:
        self.asked.append(query)
        return [replace(hit, rank=rank) for rank, hit in enumerate(self.found(query)[: query.k], start=1)]


@dataclass
class Planned:
    """An optimiser with a plan ready, and with what follows from the first results."""

    made: OptimizedQuery
    further: Callable[[OptimizedQuery], OptimizedQuery] = lambda plan: plan

    def plan(self, question: str, *, only: frozenset[StrategyName] | None = None) -> OptimizedQuery:
        return self.made

    def look_further(
        self, plan: OptimizedQuery, passages: Sequence[Passage], *, ungated: bool = False
    ) -> OptimizedQuery:
        return self.further(plan)


def always(*documents: str) -> Callable[[Query], Sequence[Passage]]:
    hits = [passage(document, 1 - 0.1 * place) for place, document in enumerate(documents)]
    return lambda _: hits


def plan(text: str = "refunds", **fields: object) -> OptimizedQuery:
    return replace(OptimizedQuery("the question", text, TaskType.QUESTION), **fields)  # type: ignore[arg-type]


def optimized(
    inner: Recorded, made: OptimizedQuery | None, *, admits: Callable[[Filter], bool] = lambda _: True
) -> OptimizedRetriever:
    return OptimizedRetriever(retriever=inner, optimizer=None if made is None else Planned(made), admits=admits)


def documents(retriever: OptimizedRetriever, query: Query) -> list[str]:
    return [hit.document_id for hit in retriever.retrieve(query)]


def test_without_an_optimiser_or_a_change_one_search_is_made_as_it_was_asked() -> None:
    for made in (None, plan("the question")):
        inner = Recorded(always("a", "b"))
        assert documents(optimized(inner, made), Query("the question", k=5)) == ["a", "b"]
        assert inner.asked == [Query("the question", k=5)]


def test_the_plans_text_and_filter_are_searched_for_within_the_users_filter() -> None:
    inner = Recorded(always("a"))
    optimized(inner, plan(filter=YEAR)).retrieve(Query("the question", k=5, filter=OTHER))
    assert inner.asked == [Query("refunds", k=5, filter=And((OTHER, YEAR)))]


def test_a_filter_found_in_the_question_is_let_go_where_nothing_satisfies_it() -> None:
    step = OptimizationStep(StrategyName.CONSTRAINTS, "refunds of 2019", "refunds", "only 2019", 0.8, applied=True)
    inner = Recorded(lambda query: [] if query.filter == YEAR else [passage("a", 1.0)])
    outcome = optimized(inner, plan(filter=YEAR, steps=(step,))).search(Query("refunds of 2019"))
    assert [hit.document_id for hit in outcome.passages] == ["a"]
    assert inner.asked[-1].text == "refunds of 2019"
    assert outcome.optimized is not None
    assert outcome.optimized.filter is None
    assert not outcome.optimized.steps[0].applied
    assert "searched without" in outcome.optimized.steps[0].reason


def test_a_users_filter_is_never_let_go_and_the_part_that_admits_nothing_is_named() -> None:
    inner = Recorded(lambda query: [])
    condition = And((OTHER, YEAR))
    outcome = optimized(inner, plan(), admits=lambda asked: asked == OTHER).search(Query("refunds", filter=condition))
    assert outcome.passages == ()
    assert outcome.notes == ("the filter admits no document: none satisfies year == 2019",)
    assert all(query.filter == condition for query in inner.asked)


def test_a_filter_whose_parts_admit_something_each_is_named_as_a_whole() -> None:
    condition = And((OTHER, YEAR))
    retriever = optimized(Recorded(lambda _: []), plan(), admits=lambda asked: asked != condition)
    (note,) = retriever.search(Query("refunds", filter=condition)).notes
    assert note.endswith("none satisfies author == 'Smith' and year == 2019")


def test_a_search_that_finds_nothing_under_a_filter_that_admits_something_has_no_note() -> None:
    assert optimized(Recorded(lambda _: []), plan()).search(Query("refunds", filter=YEAR)).notes == ()


def test_follow_ups_are_searched_among_their_documents_and_set_behind_the_first() -> None:
    def found(query: Query) -> list[Passage]:
        if query.filter == Comparison("id", Comparator.IN, ("x", "y")):
            return [passage("x", 1.0), passage("y", 0.9)]
        return [passage(name, 1 - 0.1 * place) for place, name in enumerate("abcd")]

    inner = Recorded(found)
    follow_up = FollowUp("refunds", ("x", "y"), behind=1, most=1)
    assert documents(optimized(inner, plan(follow_ups=(follow_up,))), Query("q", k=3)) == ["a", "x", "b"]
    assert len(inner.asked) == 2


def test_what_follows_from_the_first_results_is_searched_for_too() -> None:
    inner = Recorded(always("a", "b"))
    follow_up = FollowUp("refunds", (), behind=9, most=1)
    made = plan(looks_further=True)
    optimizer = Planned(made, lambda before: replace(before, follow_ups=(follow_up,)))
    OptimizedRetriever(retriever=inner, optimizer=optimizer, admits=lambda _: True).retrieve(Query("q", k=3))
    assert [query.k for query in inner.asked] == [30, 30]


def test_other_wordings_are_fused_by_their_weight_also_those_of_a_model() -> None:
    def found(query: Query) -> list[Passage]:
        return [passage("b", 1.0)] if query.text == "other" else [passage("a", 1.0), passage("b", 0.9)]

    wording = WeightedQuery("other", 0.5)
    assert documents(optimized(Recorded(found), plan(alternatives=(wording,))), Query("q", k=2)) == ["b", "a"]
    inner = Recorded(found)
    optimizer = Planned(plan(), lambda before: replace(before, alternatives=(wording,)))
    late = OptimizedRetriever(retriever=inner, optimizer=optimizer, admits=lambda _: True)
    assert documents(late, Query("q", k=2)) == ["b", "a"]


def test_passages_about_what_is_excluded_come_last() -> None:
    hits = [
        passage("a", 1.0, text="birds fly, birds sing, birds nest"),
        passage("b", 0.9, text="no birds here"),
        replace(passage("c", 0.8), heading_path=("Birds",)),
        passage("d", 0.7),
    ]
    inner = Recorded(lambda _: hits)
    assert documents(optimized(inner, plan(excluded=("birds",))), Query("q", k=4)) == ["b", "d", "a", "c"]


@pytest.mark.parametrize("k", [0, -1, 10_001])
def test_a_number_of_results_that_no_search_brings_is_refused_whatever_the_plan(k: int) -> None:
    with pytest.raises(InvalidQueryError):
        optimized(Recorded(always("a")), plan(looks_further=True)).retrieve(Query("q", k=k))


def test_a_filter_is_shown_as_it_could_be_typed() -> None:
    expression = "year >= 2020 and (language in ['en', 'de'] or not (draft == True)) and meta['last-edited'] != 'x'"
    condition = parse_filter(expression)
    assert parse_filter(shown(condition)) == condition
