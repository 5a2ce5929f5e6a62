"""Finding passages: the dense leg, the lexical leg, or both fused."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from rag_engine import tracing
from rag_engine.context_retrieval.drawn_on import OWN
from rag_engine.context_retrieval.feedback import feedback_share, moved
from rag_engine.context_retrieval.fluency import EVEN, dense_share
from rag_engine.context_retrieval.fusion import dense_weight, logit
from rag_engine.context_retrieval.neighbours import FoundSpan, Neighbourhood
from rag_engine.context_retrieval.passage_order import PassageOrder
from rag_engine.context_retrieval.question import check_results, clean_question
from rag_engine.context_retrieval.ranking import JUDGED, KnownPlaces, Legs, own_scores, rank
from rag_engine.context_retrieval.search_record import Linked, Search
from rag_engine.protocols import Embedder, IndexView, SearchableIndex
from rag_engine.tracing import names
from rag_engine.types.retrieval import Passage, Query, ScoredChunk, SearchMode

if TYPE_CHECKING:
    from rag_engine.protocols import Numbers, Vectors

CHUNKS_OF_A_PASSAGE = 4


class HybridRetriever:
    """Answers a Query from an index; a filter works inside each leg, so that it still brings ``k``."""

    def __init__(
        self,
        *,
        index: SearchableIndex,
        embedder: Embedder,
        depth: int = 100,
        dense_weight: float | None = None,
        dense_weight_offset: float = 0.0,
        stretch_share: float = 0.0,
        feedback: float = 0.0,
        neighbour_weight: float = 0.0,
        passage_tokens: int = 0,
        link_near_duplicates: bool = False,
        order: PassageOrder | None = None,
    ) -> None:
        """``depth`` is how many chunks each leg brings to the fusion, at least. ``dense_weight`` is the dense leg's
        share of the fused score; without it each question's is told from the shape of its scores, and
        ``dense_weight_offset``, in logits, is added to that. ``stretch_share`` is the share of the lexical score that
        a chunk has from the stretch of its document. ``feedback`` is how far, at most, a question's vector is moved
        towards what it found first. ``neighbour_weight`` is how much the scores of the chunks beside it count for a
        chunk, and up to ``passage_tokens`` a passage holds neighbours of the
        chunk that was found. With ``link_near_duplicates``, of documents that are nearly the same only the one that
        ranks best is shown, and names the others. ``order`` puts what was found in another order."""
        self._order = order
        self._dense_weight = dense_weight
        self._dense_weight_offset = dense_weight_offset
        self._stretch_share = stretch_share
        self._feedback = feedback
        self._neighbour_weight = neighbour_weight
        self._passage_tokens = passage_tokens
        self._link_near_duplicates = link_near_duplicates
        self._index = index
        self._embedder = embedder
        self._depth = depth

    def retrieve(self, query: Query) -> list[Passage]:
        """At most ``query.k`` passages, best first.

        Raises:
            InvalidQueryError: the question is empty or too long, or k is out of range.
        """
        with self.searching(query) as search:
            return list(search.passages)

    @contextlib.contextmanager
    def searching(self, query: Query) -> Iterator[Search]:
        """The search for ``query`` with all of its stages, in the view that it was made in; raises as ``retrieve``."""
        query = replace(query, text=clean_question(query.text))
        check_results(query.k)
        dense, lexical = query.mode is not SearchMode.LEXICAL, query.mode is not SearchMode.DENSE
        attributes = {names.OPERATION: "retrieval", names.MODE: query.mode.value, names.TOP_K: query.k}
        order = self._order
        needed = dense or (order is not None and order.needs_vectors)  # looked at, though no question's
        with tracing.span("retrieval", attributes) as span, self._index.view(dense=needed, lexical=lexical) as view:
            span.set_content(names.QUERY_TEXT, query.text)
            search = self._search(query, view, dense=dense, lexical=lexical)
            span.set_attribute(names.RESULTS, len(search.passages))
            yield search

    def _search(self, query: Query, view: IndexView, *, dense: bool, lexical: bool) -> Search:
        among = None if query.filter is None else view.matching(query.filter)
        # Chunks that are read with another one are no results of their own: so many more are asked for.
        depth = max(self._depth, query.k * (CHUNKS_OF_A_PASSAGE if self._passage_tokens else 1))
        share_read = self._share_read(query.text, view) if dense and lexical else EVEN
        first, vector = self._legs(query, view, depth, among, dense=dense, lexical=lexical, share_read=share_read)
        found, again = first, vector
        places = KnownPlaces(view.places)
        with tracing.span("retrieval fuse"):
            fused = ranked = rank(found, places, depth=self._depth, stretch_share=self._stretch_share)
        raw = {"dense": found.dense, "lexical": found.lexical}
        share = feedback_share(found.dense, most=self._feedback * query.feedback) if found.lexical else 0.0
        if share and ranked and vector is not None:
            with tracing.span("retrieval feedback", {names.FEEDBACK: share}):
                judged = places([chunk for chunk, _ in ranked[:JUDGED]])
                again = moved(vector, ranked, judged, share=share, around=view.places_around, index=view.dense)
                # Among what is fused: to compare all once more would take as long as all the rest.
                known = _numbers(found, self._depth)
                near = view.dense.search(again, len(known), among=known)
                found = replace(found, dense=[*near, *_beyond(found.dense[self._depth :], near)])
                ranked = rank(found, places, depth=self._depth, stretch_share=self._stretch_share)
                raw["feedback"] = found.dense
        with tracing.span("retrieval neighbours"):
            linked = view.linked([chunk for chunk, _ in ranked]) if self._link_near_duplicates and ranked else {}
            shown = _best_of_linked(ranked, linked)
            own = own_scores(found, depth=self._depth)
            beside = Neighbourhood(shown, places, weight=self._neighbour_weight, own=own)
            spans = beside.spans(view.places_around, most_tokens=self._passage_tokens)
            most = max(query.k, self._order.looked_at if self._order is not None else 0)
            passages = [_naming_linked(passage, linked) for passage in _passages(list(islice(spans, most)), raw, view)]
        if self._order is not None:
            passages = self._order.ordered(passages, query.text, view)
        return Search(
            query=query,
            view=view,
            places=places,
            among=among,
            depth=self._depth,
            fetched=depth,
            stretch_share=self._stretch_share,
            passage_tokens=self._passage_tokens,
            vector=vector,
            moved=again,
            first=first,
            legs=found,
            fused=fused,
            ranked=ranked,
            linked=linked,
            shown=shown,
            beside=beside,
            passages=passages[: query.k],
        )

    def _legs(
        self,
        query: Query,
        view: IndexView,
        depth: int,
        among: Numbers | None,
        *,
        dense: bool,
        lexical: bool,
        share_read: float,
    ) -> tuple[Legs, Vectors | None]:
        """What each leg finds, and the question's vector where there is a dense leg to search."""
        vector: Vectors | None = None
        near: Sequence[ScoredChunk] = ()
        worded: Sequence[ScoredChunk] = ()
        stretches: Sequence[ScoredChunk] = ()
        if dense and len(view.dense):
            with tracing.span("retrieval embed"):
                vector = self._embedder.embed_queries([query.text])[0]
            with tracing.span("retrieval dense"):
                near = view.dense.search(vector, depth, among=among)
        if lexical:
            with tracing.span("retrieval lexical"):
                worded = view.lexical.search(query.text, depth, among=among, additions=query.additions)
                if self._stretch_share:
                    stretches = view.stretches.search(query.text, self._depth, among=among, additions=query.additions)
        legs = Legs(dense=near, lexical=worded, stretches=stretches)
        if near and worded and self._dense_weight is not None:
            return replace(legs, dense_weight=self._dense_weight), vector
        offset = self._dense_weight_offset + logit(share_read)
        return replace(legs, dense_weight=dense_weight(near, worded, depth=self._depth, offset=offset)), vector

    def _share_read(self, question: str, view: IndexView) -> float:
        """The dense leg's share by the language of the question alone. Of a question in English too the tokenizer makes
        fragments, where its words are rare, and the model does well with them all the same: measured on
        quality/scifact-hybrid."""
        return EVEN if view.lexical.in_english(question) else dense_share(question, self._embedder.tokenizer)


def _numbers(legs: Legs, depth: int) -> Numbers:
    """The chunks that either leg found down to ``depth``, ascending: the same however many results are asked for."""
    import numpy as np

    return np.unique(np.array([hit.chunk for leg in (legs.dense, legs.lexical) for hit in leg[:depth]], dtype=np.int64))


def _beyond(hits: Sequence[ScoredChunk], before: Sequence[ScoredChunk]) -> list[ScoredChunk]:
    """Those of the hits that are not among those before them, with scores that go on below theirs."""
    if not hits:
        return []
    known = {hit.chunk for hit in before}
    shift = min(0.0, before[-1].score - hits[0].score)
    return [ScoredChunk(hit.chunk, hit.score + shift) for hit in hits if hit.chunk not in known]


def _passages(spans: Sequence[FoundSpan], legs: Mapping[str, Sequence[ScoredChunk]], view: IndexView) -> list[Passage]:
    stored = view.passages([span.chunk for span in spans], spans={span.chunk: (span.start, span.end) for span in spans})
    raw = {name: {hit.chunk: hit.score for hit in hits} for name, hits in legs.items()}
    return [
        replace(
            stored[span.chunk],
            rank=rank,
            score=span.score,
            scores={name: scores[span.chunk] for name, scores in raw.items() if span.chunk in scores} | {OWN: span.own},
        )
        for rank, span in enumerate(spans, start=1)
    ]


def _best_of_linked(ranked: Sequence[tuple[int, float]], linked: Linked) -> list[tuple[int, float]]:
    """The chunks whose document is the best-ranked one of its near-duplicates, or has none."""
    shown: dict[tuple[str, ...], str] = {}
    return [
        (chunk, score)
        for chunk, score in ranked
        if chunk not in linked or shown.setdefault(linked[chunk][1], linked[chunk][0]) == linked[chunk][0]
    ]


def _naming_linked(passage: Passage, linked: Linked) -> Passage:
    if passage.chunk not in linked:
        return passage
    document, members = linked[passage.chunk]
    return replace(passage, near_duplicates=tuple(member for member in members if member != document))
