"""Records of a search: the query, its filter, and the passages it brings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from rag_engine.types.document import JsonValue, Metadata
from rag_engine.types.suspicion import Suspicion, suspicions_between


class SearchMode(StrEnum):
    """Which legs answer a search."""

    HYBRID = "hybrid"
    DENSE = "dense"
    LEXICAL = "lexical"


class Comparator(StrEnum):
    """How a filter compares a field with a value."""

    EQUAL = "=="
    NOT_EQUAL = "!="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    IN = "in"
    NOT_IN = "not in"


@dataclass(frozen=True, slots=True)
class Comparison:
    """``field comparator value``; ``value`` is a tuple for IN and NOT_IN.

    A document without the field satisfies NOT_EQUAL and NOT_IN and nothing else. Values of
    different types are unequal and unordered; numbers compare as numbers.
    A list in the metadata satisfies EQUAL or IN when one of its members does.
    """

    field: str
    comparator: Comparator
    value: JsonValue | tuple[JsonValue, ...]


@dataclass(frozen=True, slots=True)
class And:
    """All of ``conditions`` hold."""

    conditions: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of ``conditions`` holds."""

    conditions: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """``condition`` does not hold."""

    condition: Filter


Filter: TypeAlias = Comparison | And | Or | Not


@dataclass(frozen=True, slots=True)
class Query:
    """A search as the retriever takes it: ``k`` passages for ``text``, among what ``filter`` admits.

    ``additions`` are words that the lexical leg looks for besides, with what they count where the question's own count
    1. ``feedback``, in [0, 1], is how strongly the first results may speak for others.
    """

    text: str
    k: int = 10
    mode: SearchMode = SearchMode.HYBRID
    filter: Filter | None = None
    additions: tuple[tuple[str, float], ...] = ()
    feedback: float = 1.0


class ChunkPlace(NamedTuple):
    """Where a chunk lies: in which document, by its number in the catalog, as which of its chunks, from 0, and at which
    characters. ``tokens`` are those that the embedder reads of it; ``is_last`` says that no other chunk follows."""

    chunk: int
    document: int
    ordinal: int
    start: int
    end: int
    tokens: int
    is_last: bool


@dataclass(frozen=True, slots=True)
class ScoredChunk:
    """A hit of one leg: the catalog's number of the chunk and the leg's raw score, higher is better."""

    chunk: int
    score: float


# So many chunks of a document, one after the other, are read as one text where their words are searched for together:
# the chunk of this ordinal lies in stretch ``ordinal // STRETCH_CHUNKS``.
STRETCH_CHUNKS = 16


class ConflictKind(StrEnum):
    """What two passages say differently of the same thing."""

    NUMBER = "number"
    DATE = "date"
    NEGATION = "negation"


@dataclass(frozen=True, slots=True)
class Conflict:
    """A sentence of a passage that another passage of the same search contradicts.

    ``rank`` is the other passage's. ``start`` and ``end`` are characters of the passage's own document,
    ``other_start`` and ``other_end`` of the other's.
    """

    rank: int
    what: ConflictKind
    start: int
    end: int
    other_start: int
    other_end: int


@dataclass(frozen=True, slots=True)
class Passage:
    """What a search brought: characters of a document, around the ``chunk`` that was found.

    ``rank`` counts from 1. ``scores`` holds each leg's raw score under its name, where the leg
    found the chunk; ``score`` is what the passages are ordered by. ``sources`` are the paths of the
    document's files where there are several with the same bytes, ``near_duplicates`` the ids of documents that are
    nearly the same and are not shown for it. ``duplicates`` are the ranks of the other passages that say the same, or
    of which one says all that the other says; ``conflicts`` are sentences that others contradict. Both are told of the
    first passages of a search only.
    """

    rank: int
    score: float
    document_id: str
    title: str
    chunk: int
    start: int
    end: int
    text: str
    heading_path: tuple[str, ...] = ()
    page: int | None = None
    metadata: Metadata = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    near_duplicates: tuple[str, ...] = ()
    duplicates: tuple[int, ...] = ()
    conflicts: tuple[Conflict, ...] = ()

    @property
    def suspicious(self) -> tuple[Suspicion, ...]:
        """What in it, or in its document as a whole, may be meant to mislead."""
        return suspicions_between(self.metadata, self.start, self.end)
