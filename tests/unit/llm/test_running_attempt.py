"""What an attempt tells beside its answer: when its first piece was there, and what the provider's limits allow."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable

import pytest

from benchmarks.faults.socket_server import Close, ReceivedRequest, Send, SocketServer, Step, Wait, http_head, whole
from rag_engine.error_handler import RetryPolicy
from rag_engine.errors import LanguageModelError
from rag_engine.llm import open_model
from rag_engine.types.generation import Allowance, Attempt, Completion, CompletionDone, Prompt

LIMITS = {
    "x-ratelimit-remaining-requests": "41",
    "x-ratelimit-reset-requests": "6m0s",
    "x-ratelimit-remaining-tokens": "9000",
    "x-ratelimit-reset-tokens": "30s",
}
ANSWER = json.dumps(
    {
        "id": "c",
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1},
    }
).encode()
SECONDS_BEFORE_THE_FIRST_PIECE = 0.2


def stream_head() -> Send:
    return Send(http_head(200, {"content-type": "text/event-stream", "connection": "close", **LIMITS}))


def event(content: str | None, finish: str | None = None, **more: str) -> Send:
    delta = {**({} if content is None else {"content": content}), **more}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return Send(f"data: {json.dumps({'id': 'c', 'model': 'm', 'choices': [choice]})}\n\n".encode())


def asked(steps: Iterable[Step], *, stream: bool) -> Completion:
    """What an opened model makes of a server's steps."""

    def reply(request: ReceivedRequest, number: int) -> Iterable[Step]:
        return steps

    async def main(url: str) -> Completion:
        async with open_model(
            "vllm/qwen-test",
            base_url=f"{url}/v1",
            key="sk-of-nobody-0123456789",
            policy=RetryPolicy(attempts=1),
        ) as model:
            prompt = Prompt.plain("Which city?")
            if not stream:
                return await model.complete(prompt)
            events = [event async for event in model.stream(prompt)]
            done = events[-1]
            assert isinstance(done, CompletionDone)
            return done.completion

    with SocketServer(reply) as server:
        return asyncio.run(main(server.url))


def attempt_of(steps: Iterable[Step], *, stream: bool) -> Attempt:
    (attempt,) = asked(steps, stream=stream).attempts
    return attempt


def failed_attempt_of(steps: Iterable[Step], *, stream: bool) -> Attempt:
    with pytest.raises(LanguageModelError) as caught:
        asked(steps, stream=stream)
    (attempt,) = caught.value.attempts
    return attempt


def assert_told(allowance: Allowance | None) -> None:
    assert allowance is not None
    assert (allowance.requests, allowance.input_tokens, allowance.output_tokens) == (41, 9000, 9000)
    assert allowance.requests_reset == pytest.approx(360.0, abs=20.0)
    assert allowance.input_tokens_reset == pytest.approx(30.0, abs=20.0)


def test_an_answer_that_came_whole_tells_of_limits_and_of_no_first_piece() -> None:
    attempt = attempt_of(whole(200, ANSWER, **LIMITS), stream=False)
    assert_told(attempt.allowance)
    assert attempt.first_token_seconds is None


def test_a_stream_tells_when_its_first_piece_was_there() -> None:
    waits = Wait(SECONDS_BEFORE_THE_FIRST_PIECE)
    attempt = attempt_of(
        [stream_head(), event("", role="assistant"), waits, event("Pa"), waits, event("ris", "stop"), Close()],
        stream=True,
    )
    assert_told(attempt.allowance)
    assert attempt.first_token_seconds is not None
    assert attempt.first_token_seconds >= SECONDS_BEFORE_THE_FIRST_PIECE
    assert attempt.first_token_seconds <= attempt.seconds - SECONDS_BEFORE_THE_FIRST_PIECE / 2


def test_a_piece_of_what_it_thinks_is_a_first_piece() -> None:
    waits = Wait(SECONDS_BEFORE_THE_FIRST_PIECE)
    steps = [stream_head(), event(None, reasoning_content="Well,"), waits, event("Paris", "stop"), Close()]
    attempt = attempt_of(steps, stream=True)
    assert attempt.first_token_seconds is not None
    assert attempt.first_token_seconds <= attempt.seconds - SECONDS_BEFORE_THE_FIRST_PIECE / 2


def test_a_whole_answer_to_who_asked_for_a_stream_has_no_first_piece() -> None:
    attempt = attempt_of(whole(200, ANSWER, **LIMITS), stream=True)
    assert_told(attempt.allowance)
    assert attempt.first_token_seconds is None


def test_a_stream_without_a_piece_has_no_first_one() -> None:
    attempt = failed_attempt_of([stream_head(), event(None, "stop"), Close()], stream=True)
    assert attempt.first_token_seconds is None


def test_a_stream_that_is_cut_tells_both() -> None:
    attempt = failed_attempt_of([stream_head(), event("Pa"), Close()], stream=True)
    assert_told(attempt.allowance)
    assert attempt.first_token_seconds is not None
    assert 0 < attempt.first_token_seconds <= attempt.seconds


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [429, 500])
def test_a_refusal_tells_of_limits(status: int, stream: bool) -> None:
    body = json.dumps({"error": {"message": "Slow down", "type": "requests", "code": "rate_limit_exceeded"}}).encode()
    attempt = failed_attempt_of(whole(status, body, **LIMITS), stream=stream)
    assert_told(attempt.allowance)
    assert attempt.first_token_seconds is None


def test_headers_without_limits_tell_of_none() -> None:
    assert attempt_of(whole(200, ANSWER), stream=False).allowance is None


def test_a_reset_that_passed_while_the_answer_came_is_told_no_more() -> None:
    head = {"content-type": "text/event-stream", "connection": "close"}
    limits = {**LIMITS, "x-ratelimit-reset-tokens": "20ms"}
    steps = [Send(http_head(200, {**head, **limits})), Wait(0.1), event("Paris", "stop"), Close()]
    allowance = attempt_of(steps, stream=True).allowance
    assert allowance is not None
    assert allowance.requests == 41
    assert allowance.input_tokens is None


def test_an_answer_behind_a_byte_order_mark_is_read_and_one_that_is_no_utf8_is_refused() -> None:
    assert asked(whole(200, b"\xef\xbb\xbf" + ANSWER), stream=False).text == "Paris"
    with pytest.raises(LanguageModelError, match="no JSON"):
        asked(whole(200, ANSWER.replace(b"Paris", b"\xff")), stream=False)
