"""Why a document was or was not found: the search is made once more, and its own record is read."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rag_engine.context_retrieval import Search, clean_question, planned, rival, standing
from rag_engine.index import Index, read_lock
from rag_engine.jobs.explain_changes import Situation, admitting_changes
from rag_engine.jobs.explain_document import (
    ExpectedDocument,
    expected_document,
    false_conditions,
    question_words,
    words_to_add,
)
from rag_engine.jobs.explain_stages import Facts, first_cut, stages_of
from rag_engine.jobs.explain_trial import AskingParts, MakeParts, Sources, Trial
from rag_engine.protocols import IndexView
from rag_engine.types.explanation import Change, Cut, CutReason, Explanation, Rival, Standing

if TYPE_CHECKING:
    from rag_engine.types.ingestion import TruncatedDocument
    from rag_engine.types.optimization import SearchOutcome
    from rag_engine.types.retrieval import Passage, Query

# What keeps a document from an answer after a search has brought it.
_OF_ANSWERS = {CutReason.PASSAGES, CutReason.THRESHOLD, CutReason.BUDGET}


class ExplainJob:
    """Follows one document through a search and an answer."""

    def __init__(self, *, index: Index, make: MakeParts) -> None:
        """``make`` gives the parts of searches and answers under settings in place of the present ones."""
        self._index = index
        self._catalog = index.catalog
        self._make = make

    def explain(self, query: Query, *, expect: str) -> Explanation:
        """Where the document of id ``expect`` stood in the search for ``query`` and in an answer to it, what cut it,
        and single changes that admit it, each of them tried.

        Raises:
            UnknownDocumentError: the index holds no such document.
            InvalidQueryError, ModelMismatchError: as a search does.
        """
        started = time.perf_counter()
        parts = self._make({})
        with self._index.view(dense=False, lexical=True) as view:
            expected = expected_document(expect, catalog=self._catalog, view=view)
            query = replace(query, text=clean_question(query.text))
            outcome = parts.retriever.search(query)
            first = query if outcome.optimized is None else planned(query, outcome.optimized)
            with parts.hybrid.searching(first) as search:
                explanation = self._explained(query, outcome, search, parts, expected, view)
        return replace(explanation, seconds=time.perf_counter() - started)

    def _explained(
        self,
        query: Query,
        outcome: SearchOutcome,
        search: Search,
        parts: AskingParts,
        expected: ExpectedDocument,
        view: IndexView,
    ) -> Explanation:
        document = expected.document
        trial = Trial(self._make, document.id, query, answering=False)
        sources = trial.sources()
        stood = standing(search, expected.chunks) if len(expected.chunks) else Standing(legs=())
        false, conditions = false_conditions(search.query.filter, expected, view)
        facts = Facts(
            document=document.id,
            query=query,
            outcome=outcome,
            filtered=search.query.filter is not None,
            chunks=len(expected.chunks),
            truncations=self._truncations(document.id),
            near_duplicate_of=self._near_duplicate_of(document.id),
            conditions=conditions,
            words=question_words(query.text, expected, view),
            standing=stood,
            sources=sources,
            parts=parts,
        )
        stages = stages_of(facts)
        cut = first_cut(facts, stages)
        changes: tuple[Change, ...] = ()
        if cut is not None and len(expected.chunks):
            additions = words_to_add(query.text, expected, stood.chunk, view)
            situation = Situation(
                standing=stood,
                dense_weight=search.first.dense_weight,
                had_feedback=search.had_feedback,
                optimized=facts.was_optimized,
                false=false,
                additions=additions,
            )
            changes = admitting_changes(replace(trial, answering=cut.reason in _OF_ANSWERS), situation)
        return Explanation(
            question=query.text,
            searched_for=search.query.text,
            document=document.id,
            title=document.title,
            mode=query.mode,
            k=query.k,
            found=any(passage.document_id == document.id for passage in outcome.passages),
            read=any(source.passage.document_id == document.id for source in sources.prompt.sources),
            cut=cut,
            chunks=facts.chunks,
            unembedded=_unembedded(search, expected),
            truncations=facts.truncations,
            near_duplicate_of=facts.near_duplicate_of,
            conditions=conditions,
            words=facts.words,
            legs=stood.legs,
            stages=stages,
            beaten_by=_beaten_by(search, outcome, sources, stood, cut),
            changes=changes,
        )

    def _truncations(self, identifier: str) -> tuple[TruncatedDocument, ...]:
        lock = read_lock(self._catalog)
        return () if lock is None else self._catalog.truncations(window=lock.embedder.max_tokens).about(identifier)

    def _near_duplicate_of(self, identifier: str) -> str | None:
        pairs = self._catalog.near_duplicates.pairs()
        return next((pair.of for pair in pairs if pair.document == identifier), None)


def _unembedded(search: Search, expected: ExpectedDocument) -> int:
    if search.vector is None:
        return 0
    return len(expected.chunks) - len(search.view.dense.vectors(expected.chunks))


def _beaten_by(
    search: Search, outcome: SearchOutcome, sources: Sources, stood: Standing, cut: Cut | None
) -> Rival | None:
    """The passage that came in as the last one, or the near-duplicate that is shown."""
    if cut is None or cut.reason in (CutReason.NO_TEXT, CutReason.FILTER) or not stood.legs:
        return None
    admitted: Sequence[Passage] = outcome.passages
    if cut.reason is CutReason.DUPLICATE:
        admitted = [passage for passage in admitted if passage.document_id == stood.shown_instead][:1] or admitted
    elif cut.reason is CutReason.PASSAGES:
        admitted = sources.found
    elif cut.reason is CutReason.THRESHOLD:
        admitted = sources.drawn
    elif cut.reason is CutReason.BUDGET:
        admitted = [source.passage for source in sources.prompt.sources]
    return rival(search, admitted[-1], stood) if admitted else None
