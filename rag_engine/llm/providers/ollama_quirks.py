"""How models that Ollama serves differ, as rows of data/ollama.toml say."""

from __future__ import annotations

from dataclasses import dataclass, field

from rag_engine.llm.providers.quirk_reading import number_from_one, one_of, read_by


@dataclass(frozen=True, slots=True)
class OllamaQuirks:
    """``think`` is how thinking is asked for: by a ``switch`` or by a ``level``. ``num_ctx`` is the window, in tokens,
    that the server is to give the model; None leaves it to the server, which then does not say what it is."""

    think: str = field(default="switch", metadata=read_by(one_of("switch", "level")))
    num_ctx: int | None = field(default=None, metadata=read_by(number_from_one))
