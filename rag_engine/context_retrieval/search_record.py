"""One search as it went: what each leg found and what became of it, stage by stage.

A search returns the passages of this record; an explanation reads the rest of it. So what is explained is what was
done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from rag_engine.context_retrieval.neighbours import FoundSpan, Neighbourhood
from rag_engine.context_retrieval.ranking import Evidence, KnownPlaces, Legs
from rag_engine.protocols import IndexView
from rag_engine.types.retrieval import Passage, Query

if TYPE_CHECKING:
    from rag_engine.protocols import Numbers, Vectors

Ranking: TypeAlias = "Sequence[tuple[int, float]]"
Linked: TypeAlias = Mapping[int, tuple[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Search:
    """The stages of one search, readable while its ``view`` is open.

    Each leg was asked for ``fetched`` hits, of which ``depth`` are fused. ``first`` is what the legs found, ``fused``
    the ranking of it; ``legs`` and ``ranked`` are the same after feedback (where there was none, the very same), with
    the question's vector as ``vector`` before and ``moved`` after it. ``shown`` is the ranking without what a
    near-duplicate stands for. Rankings are chunks with scores, best first.
    """

    query: Query
    view: IndexView
    places: KnownPlaces
    among: Numbers | None
    depth: int
    fetched: int
    stretch_share: float
    passage_tokens: int
    vector: Vectors | None
    moved: Vectors | None
    first: Legs
    legs: Legs
    fused: Ranking
    ranked: Ranking
    linked: Linked
    shown: Ranking
    beside: Neighbourhood
    passages: Sequence[Passage]

    def spans(self) -> Iterator[FoundSpan]:
        """What is read, best first: the first ``query.k`` are the passages."""
        return self.beside.spans(self.view.places_around, most_tokens=self.passage_tokens)

    @property
    def had_feedback(self) -> bool:
        """Whether the dense leg was searched once more."""
        return self.legs is not self.first

    def parts(self, chunk: int, *, score: float | None) -> dict[str, float]:
        """What the score of a chunk's passage is the sum of: ``dense`` before feedback, ``lexical``, ``stretches``,
        ``feedback``, what the second dense search changed of it, and ``neighbours``, what the chunks beside it did.
        Without a score, ``neighbours`` is left out."""
        place = self.places([chunk]).get(chunk)
        parts, after = (
            Evidence.of(legs, self.places, depth=self.depth, stretch_share=self.stretch_share).parts(chunk, place)
            for legs in (self.first, self.legs)
        )
        parts["feedback"] = after["dense"] - parts["dense"]
        if score is not None:
            parts["neighbours"] = score - sum(after.values())
        return parts
