"""One ranking out of what the legs found: chunks by meaning, chunks by words, and the words of what lies around them.

The words of one question seldom stand all in one small chunk. How well they are found in the stretch of the document
around it counts for a chunk more than how well they are found in itself: quality/uplift in
benchmarks/README.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from rag_engine.context_retrieval.fusion import fuse, normalized, ranked
from rag_engine.types.retrieval import STRETCH_CHUNKS, ChunkPlace, ScoredChunk

# So many of the best chunks are looked at by their places; what is further down has little to say, and to find where it
# lies costs as much as the rest of a search.
JUDGED = 150


@dataclass(frozen=True, slots=True)
class Legs:
    """What each leg found for a question, best first; a leg that was not asked found nothing. A stretch is known by
    its first chunk. ``dense_weight`` is the dense leg's share of the fused score."""

    dense: Sequence[ScoredChunk] = ()
    lexical: Sequence[ScoredChunk] = ()
    stretches: Sequence[ScoredChunk] = ()
    dense_weight: float = 0.0


class KnownPlaces:
    """Where chunks lie, asked once for each."""

    def __init__(self, find: Callable[[Sequence[int]], Mapping[int, ChunkPlace]]) -> None:
        self._find = find
        self._known: dict[int, ChunkPlace] = {}

    def __call__(self, chunks: Sequence[int]) -> dict[int, ChunkPlace]:
        """The places of those of the chunks that there are."""
        if unknown := [chunk for chunk in chunks if chunk not in self._known]:
            self._known.update(self._find(unknown))
        return {chunk: self._known[chunk] for chunk in chunks if chunk in self._known}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the legs say for each chunk, moved to 0 to 1, and how much each of them counts."""

    dense: Mapping[int, float]
    lexical: Mapping[int, float]
    stretches: Mapping[tuple[int, int], float]
    dense_weight: float
    stretch_share: float

    @classmethod
    def of(cls, legs: Legs, places: KnownPlaces, *, depth: int, stretch_share: float) -> Evidence:
        """That of what the legs found; a search of stretches that found nothing takes no share."""
        around = _stretch_scores(legs.stretches, places, depth)
        return cls(
            normalized(legs.dense, depth),
            normalized(legs.lexical, depth),
            around,
            legs.dense_weight,
            stretch_share if around else 0.0,
        )

    def fused(self, depth: int) -> list[tuple[int, float]]:
        """Chunks and scores without a look at the stretches, best first."""
        return fuse([(self.dense_weight, self.dense), (1 - self.dense_weight, self.lexical)], depth=depth)

    def score(self, chunk: int, place: ChunkPlace | None) -> float:
        """From 0 to 1."""
        dense, lexical, stretch = self._said(chunk, place)
        words = (1 - self.stretch_share) * lexical + self.stretch_share * stretch
        return self.dense_weight * dense + (1 - self.dense_weight) * words

    def parts(self, chunk: int, place: ChunkPlace | None) -> dict[str, float]:
        """What the score is the sum of: ``dense``, ``lexical`` and ``stretches``."""
        dense, lexical, stretch = self._said(chunk, place)
        of_words, share = 1 - self.dense_weight, self.stretch_share
        return {
            "dense": self.dense_weight * dense,
            "lexical": of_words * (1 - share) * lexical,
            "stretches": of_words * share * stretch,
        }

    def _said(self, chunk: int, place: ChunkPlace | None) -> tuple[float, float, float]:
        around = self.stretches.get((place.document, place.ordinal // STRETCH_CHUNKS), 0.0) if place else 0.0
        return max(0.0, self.dense.get(chunk, 0.0)), max(0.0, self.lexical.get(chunk, 0.0)), around


def own_scores(legs: Legs, *, depth: int) -> dict[int, float]:
    """What each chunk has of itself, from 0 to 1: its fused score without what its stretch says for it."""
    fused = fuse(
        [
            (legs.dense_weight, normalized(legs.dense, depth)),
            (1 - legs.dense_weight, normalized(legs.lexical, depth)),
        ],
        depth=depth,
    )
    return dict(fused)


def rank(legs: Legs, places: KnownPlaces, *, depth: int, stretch_share: float) -> list[tuple[int, float]]:
    """Chunks with scores from 0 to 1, best first, ties by number; what a leg found beyond ``depth`` comes after all
    others, below 0. ``stretch_share`` is the share of the lexical score that a chunk has from its stretch."""
    evidence = Evidence.of(legs, places, depth=depth, stretch_share=stretch_share)
    fused = evidence.fused(depth)
    judged = [chunk for chunk, score in islice(fused, JUDGED) if score > 0]
    known = places(judged)
    scores = {chunk: evidence.score(chunk, known.get(chunk)) for chunk in judged}
    best = ranked(scores)
    least = best[-1][1] if best else 0.0
    return [*best, *((chunk, min(score, least)) for chunk, score in fused if chunk not in scores)]


def _stretch_scores(stretches: Sequence[ScoredChunk], places: KnownPlaces, depth: int) -> dict[tuple[int, int], float]:
    """Normalised scores by document and stretch."""
    scores = normalized(stretches[:depth], depth)
    known = places(list(scores))
    return {(place.document, place.ordinal // STRETCH_CHUNKS): scores[chunk] for chunk, place in known.items()}
