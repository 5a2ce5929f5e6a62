"""The span of one attempt of a model call, and what the conventions want to be measured of it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from rag_engine.tracing import names
from rag_engine.tracing.names import AttributeValue
from rag_engine.tracing.spans import Span
from rag_engine.tracing.telemetry import Instruments, active_instruments, metric_attributes

if TYPE_CHECKING:
    from rag_engine.types.conversation import Sampling
    from rag_engine.types.generation import Completion, Prompt, Usage


class ChatSpan(Span):
    """One attempt: what was asked for at its beginning, what came of it as it becomes known.

    The span of a stream is not the running one: what the stream's reader does between two pieces is no part of the
    call.
    """

    __slots__ = ("_chunks", "_first", "_gaps", "_latest", "_usage")
    _kind = "CLIENT"

    def __enter__(self) -> Self:
        super().__enter__()
        self._chunks = 0
        self._first = 0.0
        self._latest = 0.0
        # Each gap is measured where somebody listens; else the mean says enough.
        self._gaps: list[float] | None = [] if active_instruments() is not None else None
        self._usage: Usage | None = None
        return self

    def chunk(self) -> None:
        """A piece of the stream has come. Costs well under a microsecond."""
        now = time.perf_counter()
        self._chunks += 1
        if self._chunks == 1:
            self._first = now
        elif self._gaps is not None:
            self._gaps.append(now - self._latest)
        self._latest = now

    def set_response(self, *, model: str = "", id: str = "", finish_reasons: Sequence[str] = ()) -> None:  # noqa: A002
        """The model that answered, the provider's id of the answer, and why it stopped."""
        if model:
            self.attributes[names.RESPONSE_MODEL] = model
        if id:
            self.attributes[names.RESPONSE_ID] = id
        if finish_reasons:
            self.attributes[names.FINISH_REASONS] = tuple(finish_reasons)

    def set_usage(self, usage: Usage) -> None:
        """Tokens read and written, those of caches and of reasoning among them."""
        self._usage = usage
        self.attributes[names.INPUT_TOKENS] = usage.input_tokens
        self.attributes[names.OUTPUT_TOKENS] = usage.output_tokens
        self.attributes[names.USAGE_SOURCE] = usage.source.value
        if usage.cache_read_tokens:
            self.attributes[names.CACHE_READ_TOKENS] = usage.cache_read_tokens
        if usage.cache_write_tokens:
            self.attributes[names.conventions().cache_write_tokens] = usage.cache_write_tokens
        if usage.reasoning_tokens:
            self.attributes[names.REASONING_TOKENS] = usage.reasoning_tokens

    def set_completion(self, completion: Completion) -> None:
        """Everything that a whole answer says of itself; its text only where contents are kept."""
        self.set_response(
            model=completion.model, id=completion.request_id, finish_reasons=(completion.finish_reason.value,)
        )
        self.set_usage(completion.usage)
        if self.has_content:
            message = {
                "role": "assistant",
                "parts": [{"type": "text", "content": completion.text}],
                "finish_reason": completion.finish_reason.value,
            }
            self.set_content(names.OUTPUT_MESSAGES, json.dumps([message]))

    def set_prompt(self, prompt: Prompt) -> None:
        """What is asked, where contents are kept; nothing otherwise."""
        if not self.has_content:
            return
        turns = [(message.role.value, message.text) for message in prompt.conversation]
        if prompt.content:
            turns.append(("user", prompt.content))
        messages = [{"role": role, "parts": [{"type": "text", "content": text}]} for role, text in turns]
        self.set_content(names.INPUT_MESSAGES, json.dumps(messages))
        if prompt.instructions:
            self.set_content(names.SYSTEM_INSTRUCTIONS, json.dumps([{"type": "text", "content": prompt.instructions}]))

    def _measure(self) -> None:
        if self._chunks:
            self.attributes[names.TIME_TO_FIRST_CHUNK] = self._first - self.started
            self.attributes[names.CHUNKS] = self._chunks
            if self._chunks > 1:
                self.attributes[names.SECONDS_PER_CHUNK] = (self._latest - self._first) / (self._chunks - 1)
        super()._measure()
        instruments = active_instruments()
        if instruments is None:
            return
        attributes = metric_attributes(self.attributes)
        if self._chunks:
            instruments.first_chunk.record(self._first - self.started, attributes)
        for gap in self._gaps or ():
            instruments.chunk.record(gap, attributes)
        if self._usage is not None:
            _count(self._usage, instruments, attributes)


def _count(usage: Usage, instruments: Instruments, attributes: dict[str, AttributeValue]) -> None:
    for kind, count in (("input", usage.input_tokens), ("output", usage.output_tokens)):
        if instruments.usage is not None:
            instruments.usage.record(count, {**attributes, names.TOKEN_TYPE: kind})
        if instruments.tokens is not None and count > 0:
            instruments.tokens.add(count, {**attributes, names.TOKEN_TYPE: kind, names.TOKEN_MODALITY: "text"})
    if instruments.by_cache is None or instruments.by_phase is None:
        return
    cached = usage.cache_read_tokens + usage.cache_write_tokens
    for kind, count in (
        ("uncached", usage.input_tokens - cached),
        ("read", usage.cache_read_tokens),
        ("write", usage.cache_write_tokens),
    ):
        if count > 0:
            instruments.by_cache.add(count, {**attributes, names.TOKEN_CACHE: kind, names.TOKEN_MODALITY: "text"})
    for phase, count in (
        ("response", usage.output_tokens - usage.reasoning_tokens),
        ("reasoning", usage.reasoning_tokens),
    ):
        if count > 0:
            instruments.by_phase.add(count, {**attributes, names.TOKEN_PHASE: phase})


def chat_span(
    *,
    provider: str,
    model: str,
    operation: str = "chat",
    stream: bool = False,
    sampling: Sampling | None = None,
    attempt: int = 1,
    base_url: str = "",
) -> ChatSpan:
    """The span of one attempt of a call of ``model``; its name is ``chat MODEL``.

    Of ``base_url`` only host and port are kept: the rest may hold a key. ``attempt`` is 1 for the first.
    """
    attributes: dict[str, AttributeValue] = {
        names.OPERATION: operation,
        names.PROVIDER: names.PROVIDERS.get(provider, provider),
        names.REQUEST_MODEL: model,
    }
    if stream:
        attributes[names.REQUEST_STREAM] = True
    if attempt > 1:
        attributes[names.ATTEMPT] = attempt
    if base_url:
        attributes.update(_server(base_url))
    if sampling is not None:
        attributes.update(_asked_for(sampling))
    return ChatSpan(f"{operation} {model}", attributes, running=not stream)


@lru_cache(maxsize=64)
def _server(base_url: str) -> dict[str, str | int]:
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return {}
    if not host:
        return {}
    return {names.SERVER_ADDRESS: host} | ({} if port is None else {names.SERVER_PORT: port})


def _asked_for(sampling: Sampling) -> dict[str, AttributeValue]:
    found = {
        names.REQUEST_MAX_TOKENS: sampling.max_output_tokens,
        names.REQUEST_TEMPERATURE: sampling.temperature,
        names.REQUEST_TOP_P: sampling.top_p,
        names.REQUEST_SEED: sampling.seed,
        names.REQUEST_STOP: sampling.stop or None,
        names.REASONING_EFFORT: sampling.reasoning_effort,
    }
    return {name: value for name, value in found.items() if value is not None}
