"""What is known of a language model before it is asked: its window, its prices, what it can do and is good at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class ModelTask(StrEnum):
    """Kinds of work that models are differently fit for."""

    QUESTION_ANSWERING = "question_answering"
    SUMMARIZATION = "summarization"
    EXTRACTION = "extraction"
    REASONING = "reasoning"
    CODE = "code"
    MATHEMATICS = "mathematics"
    CREATIVE_WRITING = "creative_writing"
    CONVERSATION = "conversation"


class Ability(StrEnum):
    """What a model takes or gives besides text."""

    STREAMING = "streaming"
    TOOLS = "tools"
    JSON_SCHEMA = "json_schema"
    DOCUMENTS = "documents"
    PROMPT_CACHING = "prompt_caching"
    REASONING = "reasoning"
    IMAGES = "images"


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens, as published on ``as_of``. A price for the provider's cache that is None is that
    of the input."""

    input: float
    output: float
    as_of: date
    cache_read: float | None = None
    cache_write: float | None = None


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """One model of one provider.

    ``window`` is tokens of prompt and answer together, ``max_output`` tokens of an answer. ``tokenizer`` names what
    counts its tokens (``token_counter``). ``fitness`` is in [0, 1] a task. ``known`` is False for the honest defaults
    of a model that nobody described: no price, a small window, no abilities but streaming.
    """

    provider: str
    name: str
    window: int
    max_output: int
    tokenizer: str
    aliases: tuple[str, ...] = ()
    price: Price | None = None
    abilities: frozenset[Ability] = frozenset({Ability.STREAMING})
    fitness: Mapping[ModelTask, float] = field(default_factory=dict)
    known: bool = True

    @property
    def full_name(self) -> str:
        """``provider/name``, as settings write it."""
        return f"{self.provider}/{self.name}"
