"""Records of what is made of a question before and while it is searched for, and of how well that went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rag_engine.types.document import JsonValue
from rag_engine.types.retrieval import Filter, Passage


class TaskType(StrEnum):
    """What somebody wants done, as far as the words of the question say."""

    SUMMARY = "summary"
    TRANSLATION = "translation"
    QUESTION = "question"
    CLASSIFICATION = "classification"
    GENERATION = "generation"
    ANALYSIS = "analysis"


class StrategyName(StrEnum):
    """The ways in which a question is made easier to search for. The last three need a language model."""

    CLARIFICATION = "clarification"
    EXPANSION = "expansion"
    SIMPLIFICATION = "simplification"
    EXAMPLES = "examples"
    CONSTRAINTS = "constraints"
    DECOMPOSITION = "decomposition"
    HYDE = "hyde"
    STEP_BACK = "step_back"
    MULTI_QUERY = "multi_query"


class FieldKind(StrEnum):
    """What the values of a field of the documents' metadata are."""

    TEXT = "text"
    NUMBER = "number"
    TRUTH = "truth"
    LIST = "list"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class FieldSummary:
    """A field of the metadata in a sample of the documents: what its values are, in how many documents of the sample
    it stands, and a few of its values."""

    name: str
    kind: FieldKind
    documents: int
    examples: tuple[JsonValue, ...] = ()


@dataclass(frozen=True, slots=True)
class WeightedQuery:
    """Another wording that is searched for beside the question's. Its results count ``weight`` where those of the
    question count 1; ``filter``, where there is one, admits fewer documents than the question does."""

    text: str
    weight: float
    filter: Filter | None = None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A search that follows from the first results: ``text`` among ``documents`` (ids, none: all). Up to ``most``
    documents that it finds are set behind the first ``behind`` documents of the results."""

    text: str
    documents: tuple[str, ...]
    behind: int
    most: int


@dataclass(frozen=True, slots=True)
class OptimizationStep:
    """What one strategy made of the question, or would have made: ``before`` is what it was given, so that every step
    can be taken back. ``confidence``, in [0, 1], is how probable it is that the search is no worse for it; a step that
    is not ``applied`` changed nothing, and ``reason`` says why."""

    strategy: StrategyName
    before: str
    after: str
    reason: str
    confidence: float
    applied: bool


@dataclass(frozen=True, slots=True)
class PastQuestion:
    """A question that was asked before: how well its search went, in [0, 1], and the documents that were right."""

    text: str
    quality: float
    documents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OptimizedQuery:
    """A question and the plan for its search.

    ``text`` is what is searched for; ``task_words`` are those of ``original`` that say what is to be done with what
    is found, and are not searched for. ``filter`` was found in the question. ``excluded`` are phrases that the
    question does not want: passages that hold them come last. ``additions`` and ``feedback`` are as those of a
    ``Query``. ``looks_further`` says that the first results are looked at for ``follow_ups``.
    ``quality``, in [0, 1], is the estimated probability that the best result is relevant, None before the search,
    ``confidence`` how probable it is that no step did harm.
    """

    original: str
    text: str
    task: TaskType
    steps: tuple[OptimizationStep, ...] = ()
    task_words: str = ""
    filter: Filter | None = None
    excluded: tuple[str, ...] = ()
    alternatives: tuple[WeightedQuery, ...] = ()
    looks_further: bool = False
    follow_ups: tuple[FollowUp, ...] = ()
    additions: tuple[tuple[str, float], ...] = ()
    feedback: float = 1.0
    examples: tuple[PastQuestion, ...] = ()
    quality: float | None = None
    confidence: float = 1.0
    features: Mapping[str, float] = field(default_factory=dict)

    def reverted(self) -> OptimizedQuery:
        """The question as it was asked, searched for as if there were no optimiser; what was tried is kept as steps
        that were not applied."""
        steps = tuple(
            OptimizationStep(step.strategy, step.before, step.after, "taken back", step.confidence, applied=False)
            for step in self.steps
        )
        return OptimizedQuery(self.original, self.original, self.task, steps)


_FEW_WORDS, _MANY_WORDS = 4, 25


def kind_of_question(features: Mapping[str, float]) -> str:
    """The kind of question that experiences are kept apart by: its length, and whether it speaks of something by what
    it does ("the man who ...")."""
    words = features.get("words", 0.0)
    length = "few" if words <= _FEW_WORDS else "many" if words > _MANY_WORDS else "some"
    return f"{length}-relative" if features.get("relative") else length


@dataclass(frozen=True, slots=True)
class QueryExperience:
    """How a strategy did on one question: ``gain`` is the search's quality with it less that without, in [-1, 1].

    ``features`` are those the gate saw; ``when`` is in seconds since 1970, UTC.
    """

    task: TaskType
    strategy: StrategyName
    features: Mapping[str, float]
    gain: float
    when: float


@dataclass(frozen=True, slots=True)
class Gains:
    """The gains of one strategy in questions of one kind: how many were seen, and their sum."""

    strategy: StrategyName
    task: TaskType
    kind: str
    count: int
    total: float


@dataclass(frozen=True, slots=True)
class SearchOutcome:
    """Passages, best first, with the plan that brought them (None where nothing was optimised), and what is worth
    knowing of the search: why nothing was found, say."""

    passages: tuple[Passage, ...]
    optimized: OptimizedQuery | None = None
    notes: tuple[str, ...] = ()
