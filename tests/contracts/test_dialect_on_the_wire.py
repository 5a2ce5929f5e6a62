"""Golden streams of every provider over real sockets, whole and broken off: the whole answer, or a typed error."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from benchmarks.faults.socket_server import Close, Send, SocketServer, Step, chunked, http_head
from rag_engine.error_handler import RetryPolicy
from rag_engine.errors import ConnectionLostError, IncompleteResponseError, LanguageModelError
from rag_engine.llm import open_model
from rag_engine.llm.providers.provider_data import provider_data
from rag_engine.llm.transport import WireLimits
from rag_engine.types.generation import Completion, CompletionDone, CompletionEvent
from tests.contracts.test_dialect import NAMES, assert_whole, taken, text_of

LIMITS = WireLimits(deadline=10.0, first_byte=5.0, idle=5.0)
End = Callable[[bytes, str], list[Step]]


def close_delimited(data: bytes, media_type: str) -> list[Step]:
    """The end of the connection is that of the body: nothing but the events says whether it was whole."""
    return [Send(http_head(200, {"content-type": media_type, "connection": "close"}) + data), Close()]


def chunked_without_end(data: bytes, media_type: str) -> list[Step]:
    return [*chunked([data], media_type=media_type, end=False), Close()]


def chunked_in_order(data: bytes, media_type: str) -> list[Step]:
    return chunked([data], media_type=media_type)


def reset(data: bytes, media_type: str) -> list[Step]:
    return [*chunked([data], media_type=media_type, end=False), Close(reset=True)]


def cuts_of(raw: bytes) -> list[int]:
    """A sample, closer where the end is."""
    spread = range(0, len(raw), max(1, len(raw) // 5))
    return sorted({*spread, len(raw) - 60, len(raw) - 20, *range(len(raw) - 4, len(raw) + 1)})


async def read(name: str, url: str, count: int) -> list[tuple[list[CompletionEvent], Exception | None]]:
    """So many calls, one after another, by one model: what each handed out, and how it ended."""
    _, facts, _, prompt, _ = taken(name)
    provider = facts["provider"]
    model = open_model(
        f"{provider}/{facts['model']}",
        base_url=url + urlsplit(provider_data(provider).base_url).path,
        api_version=facts["api_version"],
        key="key-of-the-test",
        limits=LIMITS,
        policy=RetryPolicy(attempts=1),
    )
    calls: list[tuple[list[CompletionEvent], Exception | None]] = []
    async with model:
        for _ in range(count):
            events: list[CompletionEvent] = []
            failure: Exception | None = None
            try:
                async for event in model.stream(prompt):
                    events += [event]  # also what came before a failure
            except LanguageModelError as error:
                failure = error
            calls.append((events, failure))
    return calls


def assert_done(events: list[CompletionEvent], facts: dict[str, Any], *, usage_told: bool) -> None:
    done: list[Completion] = [event.completion for event in events if isinstance(event, CompletionDone)]
    assert len(done) == 1
    assert isinstance(events[-1], CompletionDone)
    assert text_of(events) == facts["text"]
    assert_whole(done[0], facts, usage_told=usage_told)


@pytest.mark.parametrize("end", [chunked_in_order, close_delimited])
@pytest.mark.parametrize("name", NAMES)
def test_a_whole_stream_over_a_socket_says_what_was_recorded_with_it(name: str, end: End) -> None:
    raw, facts, spoken, _, _ = taken(name)
    with SocketServer(lambda request, number: end(raw, spoken.framing.value)) as server:
        ((events, failure),) = asyncio.run(read(name, server.url, 1))
    if "error" in facts:
        assert isinstance(failure, LanguageModelError)
        assert failure.code == facts["error"]
        return
    assert failure is None
    assert_done(events, facts, usage_told=facts["usage"]["source"] == "reported")


@pytest.mark.parametrize("end", [close_delimited, chunked_in_order, chunked_without_end, reset])
@pytest.mark.parametrize("name", NAMES)
def test_a_stream_that_breaks_off_on_the_wire_is_the_whole_answer_or_a_typed_error(name: str, end: End) -> None:
    raw, facts, spoken, _, _ = taken(name)
    cuts = cuts_of(raw)
    with SocketServer(lambda request, number: end(raw[: cuts[number]], spoken.framing.value)) as server:
        calls = asyncio.run(read(name, server.url, len(cuts)))
    finished = 0
    for cut, (events, failure) in zip(cuts, calls, strict=True):
        if failure is None:
            finished += 1
            assert "error" not in facts, cut
            assert_done(events, facts, usage_told=False)
            continue
        assert isinstance(failure, LanguageModelError)
        # A reset may overtake the answer's head.
        lost = (IncompleteResponseError, ConnectionLostError) if end is reset else IncompleteResponseError
        assert isinstance(failure, lost) or failure.code == facts.get("error"), cut
        assert failure.provider == facts["provider"]
        assert failure.attempts
        assert "error" in facts or facts["text"].startswith(text_of(events))
        assert not any(isinstance(event, CompletionDone) for event in events)
    assert finished < len(cuts)
