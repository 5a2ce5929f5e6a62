"""How Google's models and versions differ, as rows of data/google.toml say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rag_engine.llm.providers.quirk_reading import numbers, one_of, read_by


@dataclass(frozen=True, slots=True)
class GoogleQuirks:
    """``thinking`` is how much a model thinks is asked for: by ``level``, by a ``budget`` in tokens, or not at all
    (``none``). ``thinking_budgets`` gives words their tokens. ``include_thoughts`` asks for what it thought.
    ``strict_tools`` is whether calls can be held to their schemas (the mode VALIDATED)."""

    thinking: str = field(default="level", metadata=read_by(one_of("level", "budget", "none")))
    thinking_budgets: Mapping[str, int] = field(default_factory=dict, metadata=read_by(numbers))
    include_thoughts: bool = False
    strict_tools: bool = True
