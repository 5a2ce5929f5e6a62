"""A primary provider that breaks as a scenario says, and a fallback that is well: both over real sockets."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, TypeAlias

from benchmarks.faults import wire_openai as openai
from benchmarks.faults.failover_verdicts import FALLBACK, PRIMARY, Arrival
from benchmarks.faults.socket_server import ReceivedRequest, Send, SocketServer, Step, Wait, http_head, whole

TEXT = " ".join(f"{word}{number}" for number in range(10) for word in ("a", "gate", "that", "breaks", "is", "none"))
WORDS = openai.words_of(TEXT)
MODELS: Mapping[str, str] = {PRIMARY: "gpt-primary", FALLBACK: "gpt-fallback"}
INPUT_TOKENS = 21
USAGE = (INPUT_TOKENS, len(WORDS))


@dataclass(frozen=True, slots=True)
class Timing:
    """A scenario's seconds: the faults', and the limits that every contender is given. ``pace`` is between words."""

    retry_after: float = 2.0
    first_word: float = 20.0
    stall: float = 30.0
    silence: float = 120.0
    down: float = 60.0
    apart: float = 4.0
    back_within: float = 30.0
    pace: float = 0.015
    first_word_limit: float = 10.0
    idle_limit: float = 30.0
    cooldown: float = 30.0
    deadline: float = 120.0


FULL = Timing()
# A fifth of the waits that are long; those that a provider asks for, and contenders' own between tries, stay as long.
BRIEF = Timing(
    first_word=4.0,
    stall=6.0,
    silence=24.0,
    down=12.0,
    apart=0.8,
    back_within=6.0,
    first_word_limit=2.0,
    pace=0.003,
    idle_limit=6.0,
    cooldown=6.0,
    deadline=60.0,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of a request when its answer is made: its number among the provider's, from 0, and the seconds
    since the scenario began."""

    number: int
    seconds: float
    stream: bool
    timing: Timing


# What a provider does, in a word or two, and the steps; None for the whole answer.
Answering: TypeAlias = tuple[str, Iterable[Step]] | None
Behaviour: TypeAlias = Callable[[Asked], Answering]


@dataclass
class Providers:
    """The two while they are entered. ``primary`` may be replaced at any time."""

    primary: Behaviour
    timing: Timing
    arrivals: list[Arrival] = field(default_factory=list)
    refuses_parts: bool = False

    def __enter__(self) -> Providers:
        self.began = time.monotonic()
        self._servers = {
            name: SocketServer(self._reply_of(name), requests=[]).__enter__() for name in (PRIMARY, FALLBACK)
        }
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers.values():
            server.__exit__(kind, error, trace)

    def url(self, provider: str) -> str:
        """Where one of them is."""
        return self._servers[provider].url

    def _reply_of(self, provider: str) -> Callable[[ReceivedRequest, int], Iterable[Step]]:
        def reply(request: ReceivedRequest, number: int) -> Iterable[Step]:
            seconds = time.monotonic() - self.began
            body = json.loads(request.body)
            asked = Asked(number, seconds, bool(body.get("stream")), self.timing)
            answering = self.primary(asked) if provider == PRIMARY else self._fallback(body)
            action, steps = answering or ("200", answer(MODELS[provider], stream=asked.stream, pace=self.timing.pace))
            self.arrivals.append(Arrival(provider, seconds, action))
            return steps

        return reply

    def _fallback(self, body: Mapping[str, Any]) -> Answering:
        if self.refuses_parts and body["messages"][-1]["role"] == "assistant":
            return "400 part sent back", refusal(400, "This model does not go on with a part of an answer.")
        return None


def well(_: Asked) -> Answering:
    """It answers."""
    return None


def answer(model: str, *, stream: bool, pace: float) -> list[Step]:
    """The whole right answer."""
    if stream:
        return [*begun(model, pace=pace), *ended(model)]
    return whole(200, openai.as_json(openai.completion(TEXT, model=model, usage=_USAGE)))


def begun(
    model: str, *, pace: float, words: int | None = None, instead: Mapping[int, bytes] | None = None
) -> list[Step]:
    """A stream's head and words, the first ``words`` of them; ``instead`` are bytes sent before a word of a number."""
    steps: list[Step] = [Send(STREAM_HEAD), *_event(openai.chunk({"role": "assistant", "content": ""}, model=model))]
    for number, word in enumerate(WORDS[:words]):
        if instead and number in instead:
            steps += _piece(instead[number])
        steps += _event(openai.chunk({"content": word}, model=model))
        steps.append(Wait(pace))
    return steps


def ended(model: str, *, done: bool = True) -> list[Step]:
    """A stream's end, with the usage and, unless it is left out, the mark behind everything."""
    steps = _event(openai.chunk({}, finish="stop", model=model))
    steps += _event(openai.chunk({}, model=model) | {"choices": [], "usage": _USAGE})
    return [*steps, *(_piece(openai.DONE) if done else []), Send(b"0\r\n\r\n")]


def refusal(
    status: int, message: str, *, kind: str = "invalid_request_error", code: str | None = None, **headers: str
) -> list[Step]:
    """An error's answer."""
    return whole(status, openai.as_json(openai.error(message, type=kind, code=code)), **headers)


STREAM_HEAD = http_head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
_USAGE = {
    "prompt_tokens": INPUT_TOKENS,
    "completion_tokens": len(WORDS),
    "total_tokens": INPUT_TOKENS + len(WORDS),
}


def _event(value: object) -> list[Step]:
    return _piece(openai.data_event(value))


def _piece(data: bytes) -> list[Step]:
    return [Send(b"%x\r\n%b\r\n" % (len(data), data))]


def actions(arrivals: Sequence[Arrival]) -> str:
    """Who was asked when and what came, in a line."""
    return ", ".join(f"{arrival.seconds:.2f} s {arrival.provider} {arrival.action}" for arrival in arrivals)
