"""How models that Ollama serves differ, as rows of data/ollama.toml say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from rag_engine.errors import ConfigurationError
from rag_engine.types.document import JsonValue


@dataclass(frozen=True, slots=True)
class OllamaQuirks:
    """``think`` is how thinking is asked for: by a ``switch`` or by a ``level``. ``num_ctx`` is the window, in tokens,
    that the server is to give the model; None leaves it to the server, which then does not say what it is."""

    think: str = "switch"
    num_ctx: int | None = None

    @classmethod
    def read(cls, values: Mapping[str, JsonValue]) -> OllamaQuirks:
        """From a row's values.

        Raises:
            ConfigurationError: there is no such quirk, no such way to think, or no such window.
        """
        unknown = sorted(set(values) - {one.name for one in fields(cls)})
        if unknown:
            raise ConfigurationError(f"the dialect ollama has no quirk {unknown[0]!r}")
        named: dict[str, Any] = dict(values)
        quirks = cls(**named)
        if quirks.think not in ("switch", "level"):
            raise ConfigurationError(f"thinking is by switch or level, not by {quirks.think!r}")
        if quirks.num_ctx is not None and (type(quirks.num_ctx) is not int or quirks.num_ctx < 1):
            raise ConfigurationError(f"a window of {quirks.num_ctx!r} tokens is none")
        return quirks
