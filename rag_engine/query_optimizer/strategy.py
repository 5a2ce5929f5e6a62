"""What a strategy is: it is shown a question, and proposes what to make of it or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from rag_engine.protocols import CorpusFacts
from rag_engine.query_optimizer.task_detection import Task
from rag_engine.types.optimization import FollowUp, PastQuestion, StrategyName, WeightedQuery
from rag_engine.types.retrieval import Filter


@dataclass(frozen=True, slots=True)
class Context:
    """What a strategy may know besides the question: its task, the corpus, and the day for words such as yesterday."""

    task: Task
    facts: CorpusFacts
    today: date


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a strategy would change. ``text`` is what would be searched for in place of the question; the other fields
    are as those of ``OptimizedQuery``. ``confidence``, in [0, 1], is the strategy's own."""

    text: str
    reason: str
    confidence: float
    task_words: str = ""
    filter: Filter | None = None
    excluded: tuple[str, ...] = ()
    alternatives: tuple[WeightedQuery, ...] = ()
    looks_further: bool = False
    follow_ups: tuple[FollowUp, ...] = ()
    additions: tuple[tuple[str, float], ...] = ()
    examples: tuple[PastQuestion, ...] = ()


class QueryStrategy(Protocol):
    """One way of making a question easier to search for."""

    @property
    def name(self) -> StrategyName:
        """Its name, by which it is switched on and off and learnt about."""
        ...

    def propose(self, question: str, context: Context) -> Proposal | None:
        """What to make of the question; None where there is nothing to do."""
        ...
