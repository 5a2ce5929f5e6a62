"""A corpus of which only the names and fields matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import pytest

from rag_engine.query_optimizer.strategy import Context
from rag_engine.query_optimizer.task_detection import detect_task
from rag_engine.types.document import JsonValue
from rag_engine.types.optimization import FieldKind, FieldSummary
from rag_engine.types.retrieval import Filter

TODAY = date(2026, 3, 18)  # a Wednesday


@dataclass
class Corpus:
    """The facts of a corpus, as they are set; every filter admits something."""

    values: Mapping[str, Sequence[JsonValue]] = field(default_factory=dict)
    titles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    admitted: Callable[[Filter], bool] = lambda _: True

    def fields(self) -> Mapping[str, FieldSummary]:
        kinds = {str: FieldKind.TEXT, int: FieldKind.NUMBER, bool: FieldKind.TRUTH}
        return {
            name: FieldSummary(name, kinds[type(values[0])], len(values), tuple(values))
            for name, values in self.values.items()
        }

    def values_like(self, field: str, text: str) -> tuple[str, ...]:
        known = [value for value in self.values.get(field, ()) if isinstance(value, str)]
        equal = [value for value in known if value.casefold() == text.casefold()]
        return tuple(equal or [value for value in known if text.casefold() in value.casefold().split()])

    def named(self, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
        return {name: self.titles[name] for name in names if name in self.titles}

    def admits(self, condition: Filter) -> bool:
        return self.admitted(condition)


@pytest.fixture
def corpus() -> Corpus:
    """A corpus without fields and titles; a test sets them."""
    return Corpus()


@pytest.fixture
def context(corpus: Corpus) -> Callable[[str], Context]:
    """What a strategy is told besides a question."""
    return lambda question: Context(detect_task(question), corpus, TODAY)
