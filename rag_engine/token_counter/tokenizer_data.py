"""Tokenizers as data: under which names tokens are counted, and by what."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class NamedTokenizer:
    """What counts under a name: an encoding of tiktoken where there is one, else, or in its place, an estimate."""

    name: str
    estimate: str
    source: str
    encoding: str = ""
    safety: float = 1.0
    byte_factor: float = 1.0


@dataclass(frozen=True, slots=True)
class EncodingData:
    """One of tiktoken's encodings, but for its ranks."""

    name: str
    address: str
    sha256: str
    pattern: str
    special_tokens: Mapping[str, int]


@functools.cache
def named_tokenizers() -> Mapping[str, NamedTokenizer]:
    """By name, those that a model's profile may name besides a file of its own."""
    return {name: NamedTokenizer(name=name, **row) for name, row in _tables()["tokenizers"].items()}


@functools.cache
def encodings() -> Mapping[str, EncodingData]:
    """By name, the encodings of tiktoken that are known."""
    return {
        name: EncodingData(name=name, **{**row, "pattern": "|".join(row["pattern"])})
        for name, row in _tables()["encodings"].items()
    }


@functools.cache
def _tables() -> Mapping[str, Mapping[str, dict[str, Any]]]:
    file = resources.files("rag_engine.token_counter") / "data" / "tokenizers.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))
