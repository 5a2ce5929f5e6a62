"""Which class speaks which dialect; each is imported when it is first wanted."""

from __future__ import annotations

import functools
from importlib import import_module

from rag_engine.llm.providers.dialect import Dialect

_DIALECTS = {
    "openai": ("openai_chat", "OpenAIChat"),
    "anthropic": ("anthropic_messages", "AnthropicMessages"),
    "google": ("google_generate_content", "GoogleGenerateContent"),
    "cohere": ("cohere_chat", "CohereChat"),
    "ollama": ("ollama_chat", "OllamaChat"),
}


def dialect_names() -> tuple[str, ...]:
    """Every dialect."""
    return tuple(_DIALECTS)


@functools.cache
def dialect(name: str) -> Dialect:
    """The dialect of this name, as the providers' files name it."""
    module, kind = _DIALECTS[name]
    made: Dialect = getattr(import_module(f"rag_engine.llm.providers.{module}"), kind)()
    return made
