"""Small chunks are found, larger passages are read: what a chunk's neighbours in its document say for it, and which of
them are read with it.

A chunk between two that the question also found is more likely to be the right one, and evidence seldom ends where a
chunk does. The weights were chosen by the rows of chunking/* in benchmarks/README.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rag_engine.context_retrieval.ranking import JUDGED
from rag_engine.types.retrieval import ChunkPlace

# Only passages of this share of the best one's score are read with their neighbours ...
GROWING_SHARE = 0.65
# ... and of these only what has this share of their own score, where evidence beside them counts so much.
NEIGHBOUR_SHARE = 0.25
_GROWING_WEIGHT = 0.25
_REACH = 8  # chunks on each side that are looked at


FindPlaces: TypeAlias = "Callable[[Sequence[int]], Mapping[int, ChunkPlace]]"


@dataclass(frozen=True, slots=True)
class FoundSpan:
    """Characters of one document that were found by ``chunk``, and the chunks that they are made of. ``own`` is what
    of its score the chunk has of itself and of those beside it."""

    chunk: int
    score: float
    own: float
    start: int
    end: int
    chunks: tuple[int, ...]


class Neighbourhood:
    """The fused scores of one question's chunks, seen by their places."""

    def __init__(
        self,
        ranked: Sequence[tuple[int, float]],
        places: FindPlaces,
        *,
        weight: float,
        own: Mapping[int, float] | None = None,
    ) -> None:
        """``weight`` is how much of a neighbour's score counts for a chunk; 0 leaves the ranking as it is. ``places``
        finds where chunks lie; those that it does not know are passed over. ``own``, where it is given, is what each
        chunk has of itself: by that it is read with another one, for what speaks for all chunks of a text alike says
        nothing about where in it the evidence ends."""
        self._weight = weight
        self._find = places
        self._judged, self._others = ranked[:JUDGED], ranked[JUDGED:]
        self._places = dict(places([chunk for chunk, _ in self._judged]))
        self._scores = {
            (place.document, place.ordinal): score
            for chunk, score in self._judged
            if score > 0 and (place := self._places.get(chunk)) is not None
        }
        self._own = (
            self._scores
            if own is None
            else {(place.document, place.ordinal): own.get(chunk, 0.0) for chunk, place in self._places.items()}
        )

    def _score(self, place: ChunkPlace, weight: float) -> float:
        return self._with_neighbours(place, self._scores, weight)

    def _own_score(self, place: ChunkPlace) -> float:
        return self._with_neighbours(place, self._own, self._weight)

    @staticmethod
    def _with_neighbours(place: ChunkPlace, scores: Mapping[tuple[int, int], float], weight: float) -> float:
        """A chunk's own score and the evidence of the two beside it, 0 to 1 like the scores given.

        Where the document ends there is nothing to say for a chunk or against it: without half of its own score in the
        place of what is missing, short documents would lose to long ones.
        """
        document, ordinal = place.document, place.ordinal
        own = scores.get((document, ordinal), 0.0)
        before = scores.get((document, ordinal - 1), 0.0) if ordinal else own / 2
        after = own / 2 if place.is_last else scores.get((document, ordinal + 1), 0.0)
        return (own + weight * (before + after)) / (1 + 2 * weight)

    def ranked(self) -> list[tuple[int, float]]:
        """The chunks with neighbours' evidence, best first, ties by number. Those without a score of their own come
        after them as they were, and so do, as if nothing stood beside them, those that are not judged."""
        judged = [
            (chunk, self._score(self._places[chunk], self._weight))
            for chunk, score in self._judged
            if score > 0 and chunk in self._places
        ]
        judged.sort(key=lambda entry: (-entry[1], entry[0]))
        alone = [(chunk, score / (1 + 2 * self._weight)) for chunk, score in self._others if score > 0]
        return [*judged, *alone, *((chunk, score) for chunk, score in (*self._judged, *self._others) if score <= 0)]

    def spans(
        self, around: Callable[[ChunkPlace, int], Sequence[ChunkPlace]], *, most_tokens: int
    ) -> Iterator[FoundSpan]:
        """What is read, best first and without overlap: each chunk, grown by its better neighbour while that is worth
        reading and all together have at most so many tokens. ``around`` gives the chunks beside one, in order."""
        ranked = self.ranked()
        used: set[int] = set()
        least = GROWING_SHARE * max(map(self._own_score, self._places.values()), default=0.0)
        unknown = [chunk for chunk, _ in self._others]
        for chunk, score in ranked:
            if chunk not in self._places and unknown:  # seldom are so many results asked for
                self._places.update(self._find(unknown))
                unknown = []
            place = self._places.get(chunk)
            if chunk in used or place is None:
                continue
            taken = [place]
            own = self._own_score(place)
            if most_tokens and own >= least and own > 0:
                taken = self._grown(place, around(place, _REACH), used, most_tokens)
            used.update(one.chunk for one in taken)
            yield FoundSpan(chunk, score, own, taken[0].start, taken[-1].end, tuple(one.chunk for one in taken))

    def _grown(
        self, found: ChunkPlace, beside: Sequence[ChunkPlace], used: set[int], most_tokens: int
    ) -> list[ChunkPlace]:
        by_ordinal = {place.ordinal: place for place in beside if place.chunk not in used}
        taken = [found]
        tokens = found.tokens
        least = NEIGHBOUR_SHARE * self._with_neighbours(found, self._own, _GROWING_WEIGHT)
        while True:
            candidates = [
                (score, -place.ordinal, place)
                for ordinal in (taken[0].ordinal - 1, taken[-1].ordinal + 1)
                if (place := by_ordinal.get(ordinal)) is not None
                and (score := self._with_neighbours(place, self._own, _GROWING_WEIGHT)) >= least
                and tokens + place.tokens <= most_tokens
            ]
            if not candidates:
                return taken
            _, _, chosen = max(candidates, key=lambda candidate: candidate[:2])
            tokens += chosen.tokens
            taken = [chosen, *taken] if chosen.ordinal < taken[0].ordinal else [*taken, chosen]
