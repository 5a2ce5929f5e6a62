"""Records of an explanation: where a document stood in each stage of a search, what cut it, and what would admit it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rag_engine.types.document import JsonValue
from rag_engine.types.ingestion import TruncatedDocument
from rag_engine.types.retrieval import SearchMode


class CutReason(StrEnum):
    """What kept a document from being found, or from being read for an answer."""

    NO_TEXT = "no_text"
    FILTER = "filter"
    WORDS = "words"
    TRUNCATED = "truncated"
    DEPTH = "depth"
    DUPLICATE = "duplicate"
    RESULTS = "results"
    PLAN = "plan"
    PASSAGES = "passages"
    THRESHOLD = "threshold"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True)
class LegStanding:
    """Where a document stood in one ``leg`` of a search: ``dense``, ``feedback`` (the dense leg searched once more),
    ``lexical`` or ``stretches``.

    ``rank``, from 1, ``score`` and ``chunk`` are those of its best chunk, however deep it lies; None where the leg does
    not find it at all. ``within`` says that this is among the ``depth`` hits that the leg brings.
    """

    leg: str
    rank: int | None
    score: float | None
    chunk: int | None
    depth: int
    within: bool


@dataclass(frozen=True, slots=True)
class StageStanding:
    """How a document came through one ``stage``; ``passed`` is None where it did not come so far. ``rank`` counts
    from 1; ``detail`` says in words what was asked there and what the document had."""

    stage: str
    passed: bool | None
    rank: int | None
    score: float | None
    detail: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a document stood in one search. Ranks count from 1; None where it did not come so far.

    ``fused`` is the rank of its best chunk when the legs are fused, ``ranked`` after feedback, and ``passage`` that of
    its first passage. ``shown_instead`` is the near-duplicate that is shown for it. ``chunk`` is the chunk that it
    stands for: that of its first passage, or else the one that came farthest; ``parts`` are what its ``score`` is made
    of (see ``ranking.Evidence`` in context_retrieval).
    """

    legs: tuple[LegStanding, ...]
    fused: int | None = None
    fused_score: float | None = None
    ranked: int | None = None
    ranked_score: float | None = None
    shown_instead: str | None = None
    passage: int | None = None
    passages: int = 0
    best_score: float = 0.0
    chunk: int | None = None
    merged: bool = False
    score: float | None = None
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cut:
    """What ended a document's way: at which ``stage``, for which ``reason``, and in words."""

    stage: str
    reason: CutReason
    why: str


@dataclass(frozen=True, slots=True)
class Rival:
    """The passage that came in as the last one, before the document in question.

    ``scores`` are its chunk's raw scores by leg. ``parts`` are what its ``score`` is made of, and ``ahead_by`` how much
    it has of each part more than the document's best chunk; ``won_by`` is the part by which it is ahead the most,
    None where it is ahead in none.
    """

    rank: int
    score: float
    document: str
    title: str
    chunk: int
    start: int
    end: int
    text: str
    scores: Mapping[str, float]
    parts: Mapping[str, float]
    ahead_by: Mapping[str, float]
    won_by: str | None


@dataclass(frozen=True, slots=True)
class FalseCondition:
    """A part of a filter that a document does not satisfy, as an expression, and what the document has there."""

    condition: str
    value: JsonValue


@dataclass(frozen=True, slots=True)
class QuestionWords:
    """The words of a question: those in the document, those in other documents alone, those nowhere in the index, and
    those that the lexical leg never looks for."""

    in_document: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    nowhere: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One change with which the document was found, or read: the search was run with it.

    ``what`` is a setting (``retrieval.depth``), or ``k``, ``mode``, ``filter`` or ``question``; ``now`` is its present
    value and ``to`` the one that admits. Where leaving out the filter is not enough, it is ``filter and k``, and both
    values are mappings with these two. ``rank`` is the document's rank then.
    """

    what: str
    now: JsonValue
    to: JsonValue
    rank: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a document was or was not found for a question.

    ``searched_for`` is what the optimiser made of the question. ``found`` says that the document is among the ``k``
    results of a search, ``read`` that an answer may draw on it; ``cut`` is what ended its way, None where nothing did.
    ``chunks`` are how many of its chunks can be found; ``unembedded`` of them the dense leg does not hold. ``changes``
    are those that admit it, the smallest first.
    """

    question: str
    searched_for: str
    document: str
    title: str
    mode: SearchMode
    k: int
    found: bool
    read: bool
    cut: Cut | None
    chunks: int
    unembedded: int
    truncations: tuple[TruncatedDocument, ...]
    near_duplicate_of: str | None
    conditions: tuple[FalseCondition, ...]
    words: QuestionWords
    legs: tuple[LegStanding, ...]
    stages: tuple[StageStanding, ...]
    beaten_by: Rival | None
    changes: tuple[Change, ...]
    seconds: float = 0.0
