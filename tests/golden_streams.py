"""Streams as providers send them, each with the facts of what it says, and whom and about what it was asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rag_engine.llm.providers.dialect import Target
from rag_engine.llm.providers.provider_data import provider_data
from rag_engine.types.generation import NumberedSource, Prompt
from rag_engine.types.retrieval import Passage

STREAMS = Path(__file__).parent / "golden" / "streams"


def golden_names(*providers: str) -> list[str]:
    """The golden streams of these providers; of all where none is named."""
    names = sorted(path.stem for path in STREAMS.glob("*.json"))
    return [name for name in names if not providers or name.partition("-")[0] in providers]


def golden(name: str) -> tuple[bytes, dict[str, Any]]:
    """A stream's bytes, and what it says."""
    facts: dict[str, Any] = json.loads((STREAMS / f"{name}.json").read_text(encoding="utf-8"))
    (raw,) = (path for path in STREAMS.glob(f"{name}.*") if path.suffix != ".json")
    return raw.read_bytes(), facts


def golden_target(facts: dict[str, Any]) -> Target:
    """Whom the stream is from."""
    quirks = provider_data(facts["provider"]).quirks(facts["model"], facts["api_version"])
    return Target(facts["provider"], facts["model"], facts["api_version"], quirks)


def golden_prompt(facts: dict[str, Any]) -> Prompt:
    """A prompt with the documents that the stream cites."""
    sources = tuple(
        numbered(number, document["text"], start=document["start"], title=document["title"])
        for number, document in enumerate(facts.get("documents", ()), start=1)
    )
    return Prompt("Why?", "", "Why?", sources, 0, documents=bool(sources))


def numbered(number: int, text: str, *, start: int = 0, title: str = "") -> NumberedSource:
    """A source."""
    return NumberedSource(number, Passage(number, 1.0, "terms.md", title, number, start, start + len(text), text))
