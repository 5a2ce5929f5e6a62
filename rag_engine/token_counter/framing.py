"""Tokens around the texts of a prompt: what a provider's interface writes between turns and before tools, as data."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Framing:
    """Tokens that one provider puts around a prompt; ``data/framing.toml`` says what each is and where it is from."""

    per_prompt: int
    per_message: int
    per_document: int
    with_tools: int
    per_tool: int
    with_schema: int
    source: str
    documented: bool = False
    margin: float = 1.0
    at_most_besides: int = 0

    def tokens(self, *, messages: int, documents: int, tools: int, schema: bool) -> int:
        """Tokens around so many turns, documents and tools."""
        return (
            self.per_prompt
            + self.per_message * messages
            + self.per_document * documents
            + ((self.with_tools + self.per_tool * tools) if tools else 0)
            + (self.with_schema if schema else 0)
        )

    def bound(self, tokens: int) -> int:
        """What a budget should take these for."""
        return round(tokens * self.margin) + self.at_most_besides


@functools.cache
def framing_of(provider: str) -> Framing:
    """The provider's row, or for one without, a row of its own with a wide margin."""
    rows = _rows()
    return Framing(**_with_what_it_is_like(rows[provider if provider in rows else _UNKNOWN], rows))


def _with_what_it_is_like(row: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    like = row.get("like")
    base = {} if like is None else _with_what_it_is_like(rows[like], rows)
    return {**base, **{key: value for key, value in row.items() if key != "like"}}


@functools.cache
def _rows() -> Mapping[str, Mapping[str, Any]]:
    file = resources.files("rag_engine.token_counter") / "data" / "framing.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))
