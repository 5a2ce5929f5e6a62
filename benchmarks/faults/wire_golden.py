"""What a provider says when all is well, and how it refuses: the ground on which faults are made."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from benchmarks.faults.socket_server import Step, chunked, whole
from benchmarks.faults.wire_openai import as_json
from rag_engine.errors import LanguageModelError
from rag_engine.types.generation import FinishReason

# Has the form of a key; nothing but the request's header may ever show it.
KEY = "sk-test-matrix-0123456789abcdefghijkl"
REQUEST_ID = "req-golden-7"
LINES = "application/x-ndjson"
EVENTS = "text/event-stream"

Errors: TypeAlias = tuple[type[LanguageModelError], ...]
Place: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True)
class Refusal:
    """An answer with an error's status, as the provider writes it, and what it stands for."""

    status: int
    body: Any
    errors: Errors
    headers: Mapping[str, str] = field(default_factory=dict)
    calls: int = 1


@dataclass(frozen=True)
class Golden:
    """One provider's whole answer, its stream and its refusals.

    ``text_at``, ``reason_at``, ``usage_at`` and ``answers_at`` are the places in ``reply`` of the text, of why the
    model stopped, of the usage and of what holds the answers. ``whole_after`` is how many of the stream's ``pieces``
    make a whole answer: what comes behind may be missing. ``reasons`` are ways to stop, and what each stands for.
    ``midway`` is the piece with which the provider reports a fault within a stream.
    """

    provider: str
    model: str
    reply: Mapping[str, Any]
    pieces: tuple[bytes, ...]
    whole_after: int
    text_at: Place
    reason_at: Place
    usage_at: Place
    answers_at: Place
    error: Callable[[str], Any]
    midway: bytes
    reasons: Mapping[str, FinishReason | Errors]
    refusals: Mapping[str, Refusal]
    media_type: str = EVENTS
    id_header: str = "x-request-id"

    @property
    def name(self) -> str:
        """PROVIDER/MODEL, as it is asked for."""
        return f"{self.provider}/{self.model}"

    def answer(self, *, stream: bool) -> list[Step]:
        """The right answer."""
        if stream:
            return chunked(self.pieces, media_type=self.media_type)
        return whole(200, as_json(self.reply))

    def changed(self, place: Place, value: object) -> dict[str, Any]:
        """The whole answer with another value at a place; ``ABSENT`` takes it away."""
        copy: dict[str, Any] = json.loads(as_json(self.reply))
        holder: Any = copy
        for step in place[:-1]:
            holder = holder[step]
        if value is ABSENT:
            del holder[place[-1]]
        else:
            holder[place[-1]] = value
        return copy


ABSENT = object()
