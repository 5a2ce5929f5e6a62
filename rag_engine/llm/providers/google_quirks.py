"""How Google's models and versions differ, as rows of data/google.toml say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from rag_engine.errors import ConfigurationError
from rag_engine.types.document import JsonValue


@dataclass(frozen=True, slots=True)
class GoogleQuirks:
    """``thinking`` is how much a model thinks is asked for: by ``level``, by a ``budget`` in tokens, or not at all
    (``none``). ``thinking_budgets`` gives words their tokens. ``include_thoughts`` asks for what it thought.
    ``strict_tools`` is whether calls can be held to their schemas (the mode VALIDATED)."""

    thinking: str = "level"
    thinking_budgets: Mapping[str, int] = field(default_factory=dict)
    include_thoughts: bool = False
    strict_tools: bool = True

    @classmethod
    def read(cls, values: Mapping[str, JsonValue]) -> GoogleQuirks:
        """From a row's values.

        Raises:
            ConfigurationError: there is no such quirk, or no such way to think.
        """
        unknown = sorted(set(values) - {one.name for one in fields(cls)})
        if unknown:
            raise ConfigurationError(f"the dialect google has no quirk {unknown[0]!r}")
        named: dict[str, Any] = dict(values)
        quirks = cls(**named)
        if quirks.thinking not in ("level", "budget", "none"):
            raise ConfigurationError(f"thinking is by level, budget or none, not by {quirks.thinking!r}")
        return quirks
