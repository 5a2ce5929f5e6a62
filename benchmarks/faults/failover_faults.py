"""What a failing primary does, fault by fault."""

from __future__ import annotations

from benchmarks.faults.failover_providers import (
    MODELS,
    STREAM_HEAD,
    Answering,
    Asked,
    Behaviour,
    answer,
    begun,
    ended,
    refusal,
)
from benchmarks.faults.failover_verdicts import PRIMARY
from benchmarks.faults.socket_server import Close, Send, Wait

MODEL = MODELS[PRIMARY]
CUT_AFTER, STALL_AFTER, MALFORMED_AT = 40, 20, 10
MALFORMED = b'data: {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [{"delta": {"content": \n\n'


def once(behaviour: Behaviour) -> Behaviour:
    """That for the first request, then the answer."""
    return lambda asked: behaviour(asked) if asked.number == 0 else None


def overloaded(_: Asked) -> Answering:
    """503."""
    steps = refusal(
        503, "The engine is overloaded now. Please try again later.", kind="server_error", code="overloaded"
    )
    return "503", steps


def limited(asked: Asked) -> Answering:
    """429 with the seconds to wait."""
    seconds = asked.timing.retry_after
    steps = refusal(
        429, "Rate limit reached.", kind="rate_limit_error", code="rate_limit_exceeded", retry_after=f"{seconds:g}"
    )
    return f"429 retry-after {seconds:g}", steps


def limited_without_header(_: Asked) -> Answering:
    """429 without them."""
    return "429", refusal(429, "Rate limit reached.", kind="rate_limit_error", code="rate_limit_exceeded")


def broken(_: Asked) -> Answering:
    """500."""
    return "500", refusal(500, "The server had an error.", kind="server_error")


def reset(_: Asked) -> Answering:
    """The connection is reset before anything is said."""
    return "reset", [Close(reset=True)]


def silent(asked: Asked) -> Answering:
    """Nothing is said."""
    return "silence", [Wait(asked.timing.silence), Close()]


def late(asked: Asked) -> Answering:
    """The head comes at once, the first word late."""
    steps = answer(MODEL, stream=asked.stream, pace=asked.timing.pace)
    wait = Wait(asked.timing.first_word)
    return f"first word after {wait.seconds:g} s", [Send(STREAM_HEAD), wait, *steps[1:]] if asked.stream else [
        wait,
        *steps,
    ]


def cut(asked: Asked) -> Answering:
    """A stream ends in the middle, without the end of its body."""
    return f"cut after {CUT_AFTER} words", [*begun(MODEL, pace=asked.timing.pace, words=CUT_AFTER), Close()]


def stalled(asked: Asked) -> Answering:
    """A stream stops in the middle, and is closed much later."""
    steps = [*begun(MODEL, pace=asked.timing.pace, words=STALL_AFTER), Wait(asked.timing.stall), Close()]
    return f"silence after {STALL_AFTER} words", steps


def malformed(asked: Asked) -> Answering:
    """A whole stream, with an event among the others that is no JSON."""
    steps = begun(MODEL, pace=asked.timing.pace, instead={MALFORMED_AT: MALFORMED})
    return "an event that is no JSON", [*steps, *ended(MODEL)]


def without_done(asked: Asked) -> Answering:
    """A whole stream without the mark behind everything."""
    return "200 without [DONE]", [*begun(MODEL, pace=asked.timing.pace), *ended(MODEL, done=False)]


def too_long(_: Asked) -> Answering:
    """400: the prompt is longer than the window."""
    message = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9631 tokens."
    return "400 context length", refusal(400, message, code="context_length_exceeded")


def filtered(_: Asked) -> Answering:
    """400: a filter refuses the prompt."""
    message = "Your request was rejected as a result of our safety system."
    return "400 content policy", refusal(400, message, code="content_policy_violation")


def flapping(asked: Asked) -> Answering:
    """503 for a time, then the answers."""
    return (
        overloaded(asked)
        if asked.seconds < asked.timing.down
        else ("200 again", answer(MODEL, stream=asked.stream, pace=asked.timing.pace))
    )
