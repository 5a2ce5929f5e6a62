"""A cell of the matrix: one fault of one provider, and what may come of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.faults.socket_server import Close, Reply, Send, Step, http_head, whole
from benchmarks.faults.wire_golden import Errors, Golden
from benchmarks.faults.wire_openai import as_json
from rag_engine.errors import BadResponseError, IncompleteResponseError
from rag_engine.types.generation import FinishReason

DEADLINE_SECONDS = 1.0
MARGIN_SECONDS = 0.05
ATTEMPTS = 3
MAX_BYTES = 1 << 20
MAX_HEADER_BYTES = 64 << 10
# No answer, or not all of one.
NO_ANSWER: Errors = (BadResponseError, IncompleteResponseError)


class Place(StrEnum):
    """Where a call is sent."""

    SERVER = "the scripted server"
    REFUSED = "a port where nobody listens"
    NO_NAME = "a name without an address"
    UNTRUSTED = "a server with a certificate that nobody vouches for"
    PLAIN = "https at a server without TLS"
    PROXY = "a host behind a proxy, which is the scripted server"
    ELSEWHERE = "the scripted server; another listens beside it"


class Act(StrEnum):
    """What the caller does."""

    ASK = "asks once"
    ASK_TWICE = "asks, waits a moment, asks again"
    CANCEL = "gives up while it waits"
    LEAVE = "leaves the stream after its first piece"


@dataclass(frozen=True)
class Cell:
    """One fault. ``whole`` allows the right answer, ``errors`` allows errors of these classes, ``finish`` is the only
    reason to stop with which an answer is right. ``calls`` is the most that may arrive, ``at_least`` the fewest.
    ``told`` says that the usage must be that of the golden answer. ``counted`` says that every call that arrived
    must stand among the attempts. ``tool`` offers a tool, and a call for it is the right answer."""

    name: str
    reply: Reply
    whole: bool = False
    errors: Errors = ()
    stream: bool = False
    finish: FinishReason | None = FinishReason.STOP
    calls: int = ATTEMPTS
    at_least: int = 1
    deadline: float = DEADLINE_SECONDS
    place: Place = Place.SERVER
    act: Act = Act.ASK
    told: bool = False
    counted: bool = True
    request_id: str = ""
    tool: bool = False


# The cells of one chapter for one provider.
Chapter = Callable[[Golden], Iterable[Cell]]


def always(steps: Iterable[Step]) -> Reply:
    """The same to every request."""
    made = tuple(steps)
    return lambda _request, _number: made


def then(steps: Iterable[Step], answer: Iterable[Step], *, times: int = 1) -> Reply:
    """The steps for the first requests, the answer to the others."""
    first, after = tuple(steps), tuple(answer)
    return lambda _request, number: first if number < times else after


def json_body(value: object, *, status: int = 200, **headers: str) -> list[Step]:
    """A whole answer of JSON."""
    return whole(status, as_json(value), **headers)


def streamed(golden: Golden, pieces: Iterable[bytes], *, end: bool = True, **headers: str) -> list[Step]:
    """The pieces as one body in chunks, each its own; without ``end`` the chunk that ends it is left out."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    head = http_head(200, {"content-type": golden.media_type, "transfer-encoding": "chunked", **named})
    steps: list[Step] = [Send(head), *(Send(b"%x\r\n%b\r\n" % (len(piece), piece)) for piece in pieces if piece)]
    return [*steps, Send(b"0\r\n\r\n")] if end else steps


def cut(steps: Iterable[Step], *, reset: bool = False) -> list[Step]:
    """The steps, and then the connection is closed."""
    return [*steps, Close(reset=reset)]
