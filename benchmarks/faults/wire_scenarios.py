"""Sixteen scenarios of failing providers, as far as one client without a second provider can show them."""

from __future__ import annotations

import json
import time

from benchmarks.faults import wire_openai as openai
from benchmarks.faults.socket_server import Close, ReceivedRequest, Reply, Send, Step, Wait, chunked, http_head
from benchmarks.faults.wire_faults import WireCase, always, answer_to, body, once
from benchmarks.faults.wire_outcomes import Evidence, is_clear, judge

WORDS = [f" word{number}" for number in range(60)]
SIXTY = "".join(WORDS).strip()
FORTY = openai.begun(SIXTY, words=40)
USAGE = (openai.INPUT_TOKENS, openai.OUTPUT_TOKENS)
FLAP_SECONDS = 2.0
FLAP_ASKS = 20
_rate_limited = openai.error("slow down", type="requests", code="rate_limit_exceeded")
_overloaded = openai.error("The server is overloaded", type="server_error")
_error = judge(error=True)


def _flapping() -> Reply:
    since = [0.0]

    def reply(request: ReceivedRequest, number: int) -> list[Step]:
        if number == 0:
            since[0] = time.monotonic()
        if time.monotonic() - since[0] < FLAP_SECONDS:
            return body(_overloaded, status=503)
        return answer_to(request)

    return reply


def _counted(evidence: Evidence) -> str:
    wrong = judge(whole=openai.TEXT)(evidence)
    return wrong or ("" if evidence.outcomes[0].usage == USAGE else f"usage told as {evidence.outcomes[0].usage}")


def _counted_over_attempts(evidence: Evidence) -> str:
    attempts = evidence.outcomes[0].attempts
    wrong = _counted(evidence)
    if wrong or attempts is None:
        return wrong
    return "" if attempts == len(evidence.requests) else f"{attempts} attempts told of {len(evidence.requests)}"


def _started_anew(evidence: Evidence) -> str:
    for request in evidence.requests:
        roles = [message["role"] for message in json.loads(request.body)["messages"]]
        if "assistant" in roles:
            return "the part was sent back to be continued"
    return judge(whole=openai.TEXT, error=True)(evidence)


def _served_after_flap(evidence: Evidence) -> str:
    failed = [outcome for outcome in evidence.outcomes if outcome.text is None]
    if any(not is_clear(outcome) for outcome in failed):
        return f"raw {next(outcome.error[0] for outcome in failed if not is_clear(outcome))}"
    if any(outcome.text not in (None, openai.TEXT) for outcome in evidence.outcomes):
        return "a wrong text passed for an answer"
    # How many calls fall into the flap is a matter of pace; what began after it must all be answered.
    if len(failed) > len(evidence.outcomes) // 2:
        return f"{len(failed)} of {len(evidence.outcomes)} calls not served"
    if any(outcome.text is None for outcome in evidence.outcomes[len(failed) :]):
        return "a call failed after another was served"
    tries = len(evidence.requests)
    return "" if tries <= 45 else f"{tries} tries for {len(evidence.outcomes)} calls"


_head = http_head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})

SCENARIOS: tuple[WireCase, ...] = (
    WireCase(
        "S01",
        "429 with retry-after: 2, once",
        "the answer, asked for again after 1.8 s at the earliest",
        once(body(_rate_limited, status=429, retry_after="2")),
        judge(whole=openai.TEXT, calls=2, at_least=2, gap=1.8),
        timeout=5,
    ),
    WireCase(
        "S02",
        "429 without a header, always",
        "an error after at most 4 calls in 3 s",
        always(body(_rate_limited, status=429)),
        judge(error=True, calls=4),
        timeout=3,
    ),
    WireCase(
        "S03",
        "500, once",
        "the answer, after one more call",
        once(body(openai.error("oops", type="server_error"), status=500)),
        judge(whole=openai.TEXT, calls=2, at_least=2),
        timeout=3,
    ),
    WireCase(
        "S04",
        "503, always",
        "an error after at most 6 calls",
        always(body(_overloaded, status=503)),
        judge(error=True, calls=6),
        timeout=3,
    ),
    WireCase(
        "S05",
        "a reset before the head, once",
        "the answer, after one more call",
        once([Close(reset=True)]),
        judge(whole=openai.TEXT, calls=2, at_least=2),
        timeout=3,
    ),
    WireCase("S06", "silence", "an error within the time allowed", always([Wait(30)]), _error),
    WireCase(
        "S07",
        "the first word comes after 20 s",
        "an error within the time allowed",
        always([Send(_head), Wait(20), *chunked(openai.stream())[1:]]),
        _error,
        stream=True,
    ),
    WireCase(
        "S08",
        "a stream is cut after 40 of 60 words",
        "an error: a part is no answer",
        always([*chunked(FORTY, end=False), Close()]),
        _error,
        stream=True,
    ),
    WireCase(
        "S09",
        "a stream stops after 40 of 60 words and stays open",
        "an error within the time allowed",
        always([*chunked(FORTY, end=False), Wait(30)]),
        _error,
        stream=True,
    ),
    WireCase(
        "S10",
        "an event between the others is no JSON",
        "an error, or the whole answer without garbage",
        always(chunked([*openai.begun()[:5], b"data: {not JSON\n\n", *openai.begun()[5:], *openai.stream()[-3:]])),
        judge(whole=openai.TEXT, error=True),
        stream=True,
    ),
    WireCase(
        "S11",
        "a whole stream with its usage, without [DONE]",
        "the whole answer and its usage",
        always(chunked(openai.stream()[:-1])),
        _counted,
        stream=True,
    ),
    WireCase(
        "S12",
        "400 context_length_exceeded",
        "an error after one call: the same is too long again",
        always(body(openai.error("maximum context length is 8192 tokens", code="context_length_exceeded"), status=400)),
        judge(error=True, calls=1),
    ),
    WireCase(
        "S13",
        "400 of a content filter",
        "that error after one call: no way around is tried",
        always(body(openai.error("rejected by our content policy", code="content_policy_violation"), status=400)),
        judge(error=True, calls=1),
    ),
    WireCase(
        "S14",
        "a stream is cut, a part sent back is refused",
        "an error, or the answer from a new beginning",
        always([*chunked(openai.begun(words=10), end=False), Close()]),
        _started_anew,
        stream=True,
    ),
    WireCase(
        "S15",
        f"{FLAP_ASKS} calls to a server that is down for the first {FLAP_SECONDS:g} s",
        "clear errors until it is back, then answers only; at most 45 tries",
        _flapping(),
        _served_after_flap,
        asks=FLAP_ASKS,
    ),
    WireCase(
        "S16",
        "503 once, then the answer",
        "the answer's own usage, and the attempts where they are told",
        once(body(_overloaded, status=503)),
        _counted_over_attempts,
    ),
)
