"""Where one document stood in a search, read from the record of that search.

What lies deeper than the search looked is counted: the legs are asked again, for more hits, in the same view.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from rag_engine.context_retrieval.search_record import Ranking, Search
from rag_engine.types.explanation import LegStanding, Rival, Standing
from rag_engine.types.retrieval import Passage, ScoredChunk, SearchMode

if TYPE_CHECKING:
    from rag_engine.protocols import LexicalIndex, Numbers, Vectors

_DEEPER = 8  # how many times deeper each further look is
_Look: TypeAlias = "Callable[[int, Numbers | None], Sequence[ScoredChunk]]"


def standing(search: Search, chunks: Numbers) -> Standing:
    """Where the document with these ``chunks``, ascending numbers, stood in the search; its ranks in the legs are
    those that it has among what the filter admits, or would have if the filter admitted it."""
    own = frozenset(chunks.tolist())
    fused, ranked = _first(search.fused, own), _first(search.ranked, own)
    legs = _legs(search, chunks)
    chunk = ranked[1] if ranked else next((leg.chunk for leg in legs if leg.chunk is not None), None)
    passage, score, merged, count, best = None, ranked[2] if ranked else None, False, 0, 0.0
    for span in search.spans():
        count += 1
        best = span.score if count == 1 else best
        if passage is None and own & set(span.chunks):
            merged = ranked is not None and span.chunk != ranked[1] and ranked[1] in span.chunks
            passage, chunk, score = count, span.chunk, span.score
    return Standing(
        legs=legs,
        fused=fused and fused[0],
        fused_score=fused and fused[2],
        ranked=ranked and ranked[0],
        ranked_score=ranked and ranked[2],
        shown_instead=_shown_instead(search, own) if ranked and passage is None else None,
        passage=passage,
        passages=count,
        best_score=best,
        chunk=chunk,
        merged=merged,
        score=score,
        parts={} if chunk is None else search.parts(chunk, score=score if passage else None),
    )


def rival(search: Search, passage: Passage, against: Standing) -> Rival:
    """What the ``passage`` of the search was before the document that stood so, and by what."""
    parts = search.parts(passage.chunk, score=passage.score)
    ahead_by = {part: value - against.parts.get(part, 0.0) for part, value in parts.items()}
    most = max(ahead_by, key=lambda part: ahead_by[part])
    return Rival(
        rank=passage.rank,
        score=passage.score,
        document=passage.document_id,
        title=passage.title,
        chunk=passage.chunk,
        start=passage.start,
        end=passage.end,
        text=passage.text,
        scores=dict(passage.scores),
        parts=parts,
        ahead_by=ahead_by,
        won_by=most if ahead_by[most] > 0 else None,
    )


def _first(ranking: Ranking, own: frozenset[int]) -> tuple[int, int, float] | None:
    """Rank, chunk and score of the best of the chunks."""
    return next(((rank, chunk, score) for rank, (chunk, score) in enumerate(ranking, 1) if chunk in own), None)


def _shown_instead(search: Search, own: frozenset[int]) -> str | None:
    group = next((members for chunk, (_, members) in search.linked.items() if chunk in own), None)
    return next(
        (search.linked[chunk][0] for chunk, _ in search.shown if search.linked.get(chunk, ("", ()))[1] == group), None
    )


def _legs(search: Search, chunks: Numbers) -> tuple[LegStanding, ...]:
    import numpy as np

    view, query, depth = search.view, search.query, search.depth
    admitted = None if search.among is None else np.union1d(search.among, chunks)

    def near(vector: Vectors) -> _Look:
        return lambda most, among: view.dense.search(vector, most, among=among)

    def worded(leg: LexicalIndex) -> _Look:
        return lambda most, among: leg.search(query.text, most, among=among, additions=query.additions)

    legs: list[tuple[str, _Look, Sequence[ScoredChunk], int]] = []
    if search.vector is not None:
        legs.append(("dense", near(search.vector), search.first.dense, len(view.dense)))
    if search.moved is not None and search.had_feedback:
        legs.append(("feedback", near(search.moved), search.legs.dense, len(view.dense)))
    if query.mode is not SearchMode.DENSE:
        legs.append(("lexical", worded(view.lexical), search.first.lexical, len(view.lexical)))
        if search.stretch_share:
            legs.append(("stretches", worded(view.stretches), search.first.stretches, len(view.stretches)))
    return tuple(
        _leg(name, look, hits, held=held, depth=depth, chunks=chunks, admitted=admitted)
        for name, look, hits, held in legs
    )


def _leg(
    name: str,
    look: _Look,
    hits: Sequence[ScoredChunk],
    *,
    held: int,
    depth: int,
    chunks: Numbers,
    admitted: Numbers | None,
) -> LegStanding:
    best = next(iter(look(1, chunks)), None)
    if best is None:
        return LegStanding(name, None, None, None, depth, within=False)
    own = frozenset(chunks.tolist())
    reach = max(depth, len(hits))
    while (rank := next((rank for rank, hit in enumerate(hits, 1) if hit.chunk in own), None)) is None:
        if reach >= held:  # a leg that estimates may pass it over, however deep it looks
            rank = 1 + sum(hit.score > best.score for hit in hits)
            break
        reach *= _DEEPER
        hits = look(min(reach, held), admitted)
    return LegStanding(name, rank, best.score, best.chunk, depth, within=rank <= depth)
