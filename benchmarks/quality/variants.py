"""Our retrieval as it is by default, and with one part taken out or put wrong at a time."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest import mock

from rag_engine.assembly import Assembly
from rag_engine.config import load_settings
from rag_engine.context_retrieval import OptimizedRetriever, hybrid
from rag_engine.context_retrieval.feedback import moved
from rag_engine.types.retrieval import ChunkPlace, SearchMode

if TYPE_CHECKING:
    from pathlib import Path

    from rag_engine.protocols import Retriever

SEED = 1
# What each variant changes of the default's settings of retrieval, and whether the optimiser plans.
CHANGES: Mapping[str, tuple[Mapping[str, Any], bool]] = {
    "default": ({}, True),
    "no optimizer": ({}, False),
    "no feedback": ({"feedback": 0.0}, True),
    "no stretches": ({"stretch_share": 0.0}, True),
    "even weight": ({"dense_weight": 0.5}, True),
    "no neighbours": ({"neighbour_weight": 0.0}, True),
    "legs fused evenly": ({"feedback": 0.0, "stretch_share": 0.0, "dense_weight": 0.5, "neighbour_weight": 0.0}, False),
    "random expansion": ({}, True),
}
MODES: Mapping[str, SearchMode] = {
    **dict.fromkeys(CHANGES, SearchMode.HYBRID),
    "dense": SearchMode.DENSE,
    "lexical": SearchMode.LEXICAL,
}


@contextmanager
def variant(name: str, folder: Path) -> Iterator[Retriever]:
    """A retriever over the index in ``folder``; of a leg's name, that leg alone, unoptimised."""
    changes, optimized = CHANGES.get(name, ({}, False))
    assembly = Assembly(folder, settings=load_settings(overrides={"retrieval": changes}), create=False)
    plain = assembly.hybrid_retriever
    admits = assembly.index.catalog.facts.admits
    optimizer = assembly.optimizer if optimized else None
    retriever = OptimizedRetriever(retriever=plain, optimizer=optimizer, admits=admits)
    try:
        if name == "random expansion":
            with mock.patch.object(hybrid, "moved", _moved_at_random(list(_places(assembly)))):
                yield retriever
        else:
            yield retriever
    finally:
        assembly.close()


def _places(assembly: Assembly) -> Iterator[ChunkPlace]:
    catalog = assembly.index.catalog
    yield from catalog.places(catalog.chunk_numbers().tolist()).values()


def _moved_at_random(places: list[ChunkPlace]) -> Callable[..., Any]:
    """Feedback from documents drawn at random instead of those found: what it gains must go with it."""
    drawn = random.Random(SEED)

    def instead(question: Any, ranking: Any, _: Any, **keywords: Any) -> Any:
        chosen = {place.chunk: place for place in drawn.sample(places, min(len(places), len(ranking), 10))}
        return moved(question, [(chunk, 1.0) for chunk in chosen], chosen, **keywords)

    return instead
