"""Twenty-three faults of a server of OpenAI's form, and what is right for each: for every contender the same.

A call is right where the whole right answer or a clear error comes, within the time allowed, with no more calls than
are stated, and with no exception of a parser. A part of an answer that ends like an answer is never right.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.faults import wire_openai as openai
from benchmarks.faults.socket_server import (
    Close,
    ReceivedRequest,
    Reply,
    Send,
    Step,
    Wait,
    chunked,
    http_head,
    whole,
)
from benchmarks.faults.wire_outcomes import Judge, judge

TIMEOUT_SECONDS = 1.5
HALF = len(openai.words_of(openai.TEXT)) // 2
PAGE = b"<!doctype html><html><head><title>502</title></head><body><h1>Bad gateway</h1></body></html>"


@dataclass(frozen=True)
class WireCase:
    """A fault or a scenario: what the server does, how often it is asked and with how many seconds, what is right."""

    name: str
    does: str
    right: str
    reply: Reply
    judge: Judge
    stream: bool = False
    timeout: float = TIMEOUT_SECONDS
    asks: int = 1


def always(steps: Iterable[Step]) -> Reply:
    """The same to every request."""
    made = tuple(steps)
    return lambda _request, _number: made


def once(steps: Iterable[Step], *, times: int = 1) -> Reply:
    """The steps for the first requests; to the others the whole answer, streamed where a stream is asked for."""
    made = tuple(steps)
    return lambda request, number: made if number < times else answer_to(request)


def answer_to(request: ReceivedRequest) -> list[Step]:
    """The right answer."""
    if b'"stream":true' in request.body.replace(b" ", b""):
        return chunked(openai.stream())
    return body(openai.completion())


def body(value: object, *, status: int = 200, **headers: str) -> list[Step]:
    """A body of JSON."""
    return whole(status, openai.as_json(value), **headers)


def close_delimited(pieces: Iterable[bytes]) -> list[Step]:
    """A stream whose end is that of the connection."""
    head = http_head(200, {"content-type": "text/event-stream", "connection": "close"})
    return [Send(head + openai.joined(list(pieces))), Close()]


def dripping(data: bytes, *, every: float, total: float) -> list[Step]:
    """The bytes in equal pieces over ``total`` seconds."""
    size = -(-len(data) // int(total / every))
    return [step for place in range(0, len(data), size) for step in (Send(data[place : place + size]), Wait(every))]


def slow_body() -> list[Step]:
    """A whole answer's body, a few bytes at a time over twelve seconds."""
    data = openai.as_json(openai.completion())
    head = http_head(200, {"content-type": "application/json", "content-length": str(len(data))})
    return [Send(head), *dripping(data, every=0.25, total=12)]


def short_body() -> list[Step]:
    """A body that ends before its stated length."""
    data = openai.as_json(openai.completion())
    head = http_head(200, {"content-type": "application/json", "content-length": str(len(data))})
    return [Send(head + data[: len(data) // 2]), Close()]


def heartbeats() -> list[Step]:
    """Comments and nothing else, over nine seconds."""
    return [
        *chunked([], end=False),
        *[step for _ in range(18) for step in (Send(b"d\r\n: keep-alive\n\r\n"), Wait(0.5))],
        Close(),
    ]


_BEGUN = openai.begun(words=HALF)
_NO_WHOLE = "an error: what came is a part, and nobody can tell what is missing"
_RETRY = "the answer, after one more call"
_MONEY = "an error after one call: to ask again buys nothing, and each call counts"
_error = judge(error=True)
_either = judge(whole=openai.TEXT, error=True)
_answer_again = judge(whole=openai.TEXT, calls=2, at_least=2)

FAULTS: tuple[WireCase, ...] = (
    WireCase(
        "clean_end",
        "a stream ends in order, without a reason to stop",
        _NO_WHOLE,
        always(chunked(_BEGUN)),
        _error,
        True,
    ),
    WireCase(
        "close_delimited_cut",
        "a stream without length just ends",
        _NO_WHOLE,
        always(close_delimited(_BEGUN)),
        _error,
        True,
    ),
    WireCase(
        "no_done",
        "the reason to stop comes, [DONE] does not",
        "the whole answer: the reason to stop is its end",
        always(chunked([*openai.begun(), openai.finished()])),
        judge(whole=openai.TEXT),
        True,
    ),
    WireCase(
        "reset",
        "a reset midway",
        _NO_WHOLE,
        always([*chunked(_BEGUN, end=False), Wait(0.05), Close(reset=True)]),
        _error,
        True,
    ),
    WireCase(
        "chunked_cut",
        "the chunk that ends the body is left out",
        _NO_WHOLE,
        always([*chunked(_BEGUN, end=False), Close()]),
        _error,
        True,
    ),
    WireCase(
        "error_in_stream",
        "midway the server reports an error",
        "that error",
        always(chunked([*_BEGUN, openai.data_event(openai.error("The server had an error", type="server_error"))])),
        _error,
        True,
    ),
    WireCase(
        "stall",
        "a stream stops and stays open",
        "an error within the time allowed",
        always([*chunked(_BEGUN, end=False), Wait(20)]),
        _error,
        True,
    ),
    WireCase(
        "malformed_event",
        "an event of the stream is no JSON, and its words are lost",
        "an error of the library's, not of its parser",
        always(chunked([*_BEGUN, b'data: {"choices":[{"delta":{"content":" lost\n\n', openai.finished(), openai.DONE])),
        _error,
        True,
    ),
    WireCase(
        "whole_to_stream",
        "a whole answer where a stream was asked for",
        "the whole answer or an error, not an empty one",
        always(body(openai.completion())),
        _either,
        True,
    ),
    WireCase(
        "empty_stream",
        "[DONE] and nothing else",
        "an error: nothing is no answer",
        always(chunked([openai.DONE])),
        _error,
        True,
    ),
    WireCase(
        "heartbeats",
        "comments only, for nine seconds",
        "an error within the time allowed",
        always(heartbeats()),
        _error,
        True,
    ),
    WireCase(
        "page", "status 200 and an HTML page", "an error", always(whole(200, PAGE, media_type="text/html")), _error
    ),
    WireCase(
        "malformed_body",
        "a body that is no JSON",
        "an error of the library's, not of its parser",
        always(whole(200, openai.as_json(openai.completion())[:-30] + b"!")),
        _error,
    ),
    WireCase(
        "no_choices",
        "no choices",
        "an error: nothing is no answer",
        always(body(openai.completion(choices=[]))),
        _error,
    ),
    WireCase(
        "filtered",
        "a filter cut the answer",
        "an error, or the part with a reason to stop that tells",
        always(body(openai.completion("The capital of", finish="content_filter"))),
        judge(error=True, told=True),
    ),
    WireCase("short_body", "the body ends before its length", _NO_WHOLE, always(short_body()), _error),
    WireCase(
        "retry_after",
        "429, retry-after: 1, then the answer",
        f"{_RETRY}, a second later",
        once(body(openai.error("slow down", type="requests", code="rate_limit_exceeded"), status=429, retry_after="1")),
        judge(whole=openai.TEXT, calls=2, at_least=2, gap=0.95),
    ),
    WireCase(
        "retry_after_ms",
        "429, retry-after-ms: 300, then the answer",
        f"{_RETRY}, 0.3 seconds later",
        once(
            body(
                openai.error("slow down", type="requests", code="rate_limit_exceeded"), status=429, retry_after_ms="300"
            )
        ),
        judge(whole=openai.TEXT, calls=2, at_least=2, gap=0.28),
    ),
    WireCase(
        "retry_after_a_day",
        "429, retry-after: 86400",
        "an error within the time allowed",
        always(
            body(
                openai.error("slow down", type="requests", code="rate_limit_exceeded"), status=429, retry_after="86400"
            )
        ),
        _error,
    ),
    WireCase(
        "unavailable_once",
        "503 once, then the answer",
        _RETRY,
        once(body(openai.error("The server is overloaded", type="server_error"), status=503)),
        _answer_again,
    ),
    WireCase(
        "insufficient_quota",
        "429, type and code insufficient_quota",
        _MONEY,
        always(
            body(
                openai.error("You exceeded your current quota", type="insufficient_quota", code="insufficient_quota"),
                status=429,
            )
        ),
        judge(error=True, calls=1),
    ),
    WireCase(
        "credit_exhausted",
        "429, type insufficient_quota, code credit_balance_exhausted",
        _MONEY,
        always(
            body(
                openai.error(
                    "Your credit balance is used up", type="insufficient_quota", code="credit_balance_exhausted"
                ),
                status=429,
            )
        ),
        judge(error=True, calls=1),
    ),
    WireCase(
        "slow_body",
        "a body that drips for twelve seconds",
        "an error within the time allowed",
        always(slow_body()),
        _error,
    ),
)
