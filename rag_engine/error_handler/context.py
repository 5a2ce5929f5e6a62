"""Where an error happened: written on the error, and counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final

from rag_engine.error_handler.aggregator import ErrorAggregator, default_aggregator
from rag_engine.error_handler.wording import clean

LONGEST_VALUE = 80

# Attributes of these names hold, sooner or later, a key or somebody's text; parts of a name count too.
_WITHHELD: Final = frozenset(
    {"answer", "authorization", "body", "content", "cookie", "credential", "document", "instructions", "key", "keys"}
    | {"message", "messages", "passage", "password", "passwords", "prompt", "query", "question", "secret", "secrets"}
    | {"text", "token", "url"}
)
_NOTED: Final = "_rag_engine_noted_by"


@dataclass(frozen=True, slots=True)
class ErrorContext:
    """A block in which ``component`` does ``operation``, by ``with``; in async code too.

    An error that leaves the block is counted for the component, once however many contexts of it are nested, and gets a
    note that Python shows below its traceback. A block that ends well is counted as well, so that there are rates.
    Cancellation, Control-C and the like are neither. The error itself goes on as it is.

    ``attributes`` are numbers and short names: sizes, counts, stages. Those whose names say that they hold keys or
    text are withheld, so is everything that is not a number or a string, and strings are cut at 80 characters. It
    holds no state: one may be used again and again, by several threads at once.
    """

    component: str
    operation: str = ""
    provider: str = ""
    model: str = ""
    attributes: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    aggregator: ErrorAggregator | None = None

    def __enter__(self) -> ErrorContext:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self._aggregator.record_success(self.component)
        elif isinstance(error, Exception):
            self.note(error)

    def note(self, error: Exception) -> None:
        """Counts the error for the component and writes the note, unless that was done for this component before."""
        aggregator = self._aggregator
        noted_by: frozenset[tuple[str, int]] = getattr(error, _NOTED, frozenset())
        this = (self.component, id(aggregator))
        if this in noted_by:
            return
        setattr(error, _NOTED, noted_by | {this})
        if self.description not in getattr(error, "__notes__", ()):
            error.add_note(self.description)
        aggregator.record(
            error, component=self.component, operation=self.operation, provider=self.provider, model=self.model
        )

    @property
    def description(self) -> str:
        """``in llm, complete (provider=openai, attempt=2)``."""
        about = {"provider": self.provider, "model": self.model}
        named = [f"{name}={clean(value, longest=LONGEST_VALUE)}" for name, value in about.items() if value]
        named += [f"{name}={_shown(name, value)}" for name, value in self.attributes.items()]
        place = ", ".join(part for part in (self.component, self.operation) if part)
        return f"in {place}" + (f" ({', '.join(named)})" if named else "")

    @property
    def _aggregator(self) -> ErrorAggregator:
        return default_aggregator() if self.aggregator is None else self.aggregator


def _shown(name: str, value: object) -> str:
    if isinstance(value, bool | int | float):
        return str(value)
    if not isinstance(value, str) or _WITHHELD & set(name.lower().replace("-", "_").replace(".", "_").split("_")):
        return "[withheld]"
    return clean(value, longest=LONGEST_VALUE)
