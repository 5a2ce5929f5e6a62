"""A retriever around a retriever: searches as a plan says, and for what follows from the first results.

Only a plan that asks for more than its text makes more than one search. A filter that the user gave is never
loosened; one that was found in the question is let go where nothing satisfies it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rag_engine import tracing
from rag_engine.context_retrieval.agreement import with_agreement
from rag_engine.context_retrieval.filters import shown
from rag_engine.context_retrieval.placing import behind, beside, last
from rag_engine.context_retrieval.question import check_results, clean_question
from rag_engine.protocols import QueryOptimizer, Retriever, SentenceSplitter
from rag_engine.types.optimization import FollowUp, OptimizedQuery, SearchOutcome, StrategyName
from rag_engine.types.retrieval import And, Comparator, Comparison, Filter, Passage, Query

# Passages of each search that are fused, looked at or set behind others, however many are asked for.
WINDOW = 30
# So often a passage must name what is not wanted, to be taken for one about it; or in its title or headings once.
_NAMED_TIMES = 3


class OptimizedRetriever:
    """Plans, searches, and looks further."""

    def __init__(
        self,
        *,
        retriever: Retriever,
        optimizer: QueryOptimizer | None,
        admits: Callable[[Filter], bool],
        split_sentences: SentenceSplitter | None = None,
    ) -> None:
        """``retriever`` makes the searches; without an ``optimizer`` it makes each as it is asked. ``admits`` says
        whether any document satisfies a filter. With ``split_sentences``, the first passages name those that say the
        same and those that contradict them."""
        self._split_sentences = split_sentences
        self._retriever = retriever
        self._optimizer = optimizer
        self._admits = admits

    def retrieve(self, query: Query) -> list[Passage]:
        """At most ``query.k`` passages, best first.

        Raises:
            InvalidQueryError: the question is empty or too long, or k is out of range.
        """
        return list(self.search(query).passages)

    def search(self, query: Query, *, only: frozenset[StrategyName] | None = None) -> SearchOutcome:
        """The passages with the plan that brought them, and notes on the search. With ``only``, these strategies
        are used whatever is expected of them: so that it can be learnt what they do."""
        query = replace(query, text=clean_question(query.text))
        check_results(query.k)
        with tracing.span("search"):
            return self._search(query, only)

    def _search(self, query: Query, only: frozenset[StrategyName] | None) -> SearchOutcome:
        plan = None
        if self._optimizer is None:
            passages = self._retriever.retrieve(query)
        else:
            plan = self._optimizer.plan(query.text, only=only)
            plan, passages = self._carried_out(query, plan, self._optimizer, ungated=only is not None)
        notes = () if passages or query.filter is None else tuple(_why_empty(query.filter, self._admits))
        passages = passages[: query.k]
        if self._split_sentences is not None:
            with tracing.span("retrieval agreement"):
                passages = with_agreement(passages, split_sentences=self._split_sentences)
        return SearchOutcome(tuple(passages), plan, notes)

    def _carried_out(
        self, query: Query, plan: OptimizedQuery, optimizer: QueryOptimizer, *, ungated: bool
    ) -> tuple[OptimizedQuery, list[Passage]]:
        wide = bool(plan.looks_further or plan.follow_ups or plan.alternatives or plan.excluded)
        asked = replace(query, k=max(query.k, WINDOW) if wide else query.k)
        passages = self._retriever.retrieve(planned(asked, plan))
        if not passages and plan.filter is not None:
            plan = _without_filter(plan)
            passages = self._retriever.retrieve(planned(asked, plan))
        plan = optimizer.look_further(plan, passages, ungated=ungated)
        if plan.alternatives and not wide and query.k < WINDOW:  # a language model had more to say
            asked = replace(query, k=WINDOW)
            passages = self._retriever.retrieve(planned(asked, plan))
        others = [
            (self._retriever.retrieve(_narrowed(asked, wording.text, plan.filter, wording.filter)), wording.weight)
            for wording in plan.alternatives
        ]
        if others:
            passages = beside(passages, others, window=WINDOW)
        for follow_up in plan.follow_ups:
            passages = self._followed(asked, plan, follow_up, passages)
        if plan.excluded:
            passages = last(passages, [_about(passage, plan.excluded) for passage in passages], window=WINDOW)
        return plan, passages

    def _followed(
        self, query: Query, plan: OptimizedQuery, follow_up: FollowUp, passages: list[Passage]
    ) -> list[Passage]:
        among = Comparison("id", Comparator.IN, follow_up.documents) if follow_up.documents else None
        narrowed = _narrowed(replace(query, k=WINDOW), follow_up.text, plan.filter, among)
        found = self._retriever.retrieve(narrowed)
        return behind(passages, found, documents=follow_up.behind, most=follow_up.most)


def planned(query: Query, plan: OptimizedQuery) -> Query:
    """The first search that a plan makes for a query."""
    narrowed = _narrowed(query, plan.text, plan.filter)
    return replace(narrowed, additions=plan.additions, feedback=plan.feedback)


def _narrowed(query: Query, text: str, *conditions: Filter | None) -> Query:
    """The query for another text, among the documents that satisfy all of the conditions and its own."""
    all_of = tuple(condition for condition in (query.filter, *conditions) if condition is not None)
    return replace(query, text=text, filter=None if not all_of else all_of[0] if len(all_of) == 1 else And(all_of))


def _without_filter(plan: OptimizedQuery) -> OptimizedQuery:
    """The plan without the filter that was found in the question: with the words again that stated it."""
    text, steps = plan.text, []
    for step in plan.steps:
        if step.strategy is StrategyName.CONSTRAINTS and step.applied:
            text = step.before
            step = replace(step, applied=False, reason=f"{step.reason}; nothing found so, searched without")  # noqa: PLW2901
        steps.append(step)
    return replace(plan, text=text, filter=None, steps=tuple(steps))


def _why_empty(condition: Filter, admits: Callable[[Filter], bool]) -> list[str]:
    """Which parts of the user's filter admit no document; nothing where the filter is not to blame."""
    if admits(condition):
        return []
    parts = condition.conditions if isinstance(condition, And) else ()
    alone = [part for part in parts if not admits(part)]
    return [f"the filter admits no document: none satisfies {shown(part)}" for part in alone] or [
        f"the filter admits no document: none satisfies {shown(condition)}"
    ]


def _about(passage: Passage, phrases: tuple[str, ...]) -> bool:
    """Whether a passage is about one of the phrases: by its title, its headings, or naming it again and again."""
    heads = " ".join((passage.title, *passage.heading_path)).casefold()
    text = passage.text.casefold()
    return any(phrase in heads or text.count(phrase) >= _NAMED_TIMES for phrase in map(str.casefold, phrases))
