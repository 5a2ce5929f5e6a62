"""What a provider's own client sends and reads, beside what a dialect does: over a real socket, nothing replaced."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from benchmarks.faults.socket_server import ReceivedRequest, SocketServer, Step, chunked, whole
from rag_engine.llm.providers.dialect import Dialect, Framing, Target
from rag_engine.llm.transport import EventStream, JsonLines, ServerEvent
from rag_engine.types.generation import Completion, CompletionEvent, Prompt

Read = TypeVar("Read")
# What every client of HTTP says of itself and of the connection, and none says the same way.
OF_THE_CONNECTION = frozenset({"host", "connection", "content-length", "accept-encoding", "user-agent", "accept"})


@dataclass(frozen=True)
class Request:
    """A request as it counts: the path, its parameters in any order, headers in lower case, and the body as JSON."""

    path: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


def json_reply(body: object, *, status: int = 200, **headers: str) -> list[Step]:
    """A whole answer of JSON."""
    return whole(status, json.dumps(body).encode(), **headers)


def stream_reply(raw: bytes, *, media_type: str = "text/event-stream") -> list[Step]:
    """A stream, sent in one piece."""
    return chunked([raw], media_type=media_type)


def asked_by_client(call: Callable[[str], Read], *, reply: Iterable[Step]) -> tuple[Request, Read]:
    """What a client sends when ``call`` is given the server's address, and what it reads from the reply.

    The one request is expected: a client that tries again shows itself here.
    """
    steps = list(reply)
    with SocketServer(lambda _request, _number: steps) as server:
        read = call(server.url)
    (received,) = server.requests
    assert received.method == "POST"
    return _request_of(received), read


def asked_by_dialect(
    dialect: Dialect, prompt: Prompt, target: Target, *, stream: bool = False, base_path: str = ""
) -> Request:
    """What ours sends for the same, but for the headers with the key and the media types, which are the model's.
    ``base_path`` is the path that the base address has already."""
    split = urlsplit(base_path + dialect.path(target, stream=stream))
    headers = {name.lower(): value for name, value in dialect.headers(prompt, target).items()}
    body = json.loads(json.dumps(dialect.body(prompt, target, stream=stream), allow_nan=False))
    return Request(split.path, dict(parse_qsl(split.query)), headers, body)


def assert_same_request(theirs: Request, ours: Request, *, theirs_alone: Mapping[str, str]) -> None:
    """Body, path and parameters are equal, and every header of ours is among theirs.

    ``theirs_alone`` names headers of theirs that ours does not send, each with the reason; a name that ends in ``*``
    stands for all that begin so. One that never comes is an error of the list, but for those of the form ``*``.
    """
    assert ours.body == theirs.body
    assert (ours.path, ours.parameters) == (theirs.path, theirs.parameters)
    assert {name: theirs.headers.get(name) for name in ours.headers} == dict(ours.headers)
    unexplained = set(theirs.headers) - set(ours.headers) - OF_THE_CONNECTION
    starts = tuple(name.removesuffix("*") for name in theirs_alone if name.endswith("*"))
    unexplained = {name for name in unexplained if not (starts and name.startswith(starts))}
    assert unexplained <= set(theirs_alone), f"headers that nobody explains: {sorted(unexplained - set(theirs_alone))}"
    absent = {name for name in theirs_alone if not name.endswith("*")} - set(theirs.headers)
    assert not absent, f"explained, and not sent: {sorted(absent)}"


def events_of(raw: bytes, framing: Framing) -> list[ServerEvent]:
    """The events of a stream's bytes."""
    return (EventStream() if framing is Framing.SERVER_SENT_EVENTS else JsonLines()).feed(raw)


def read_stream(
    dialect: Dialect, prompt: Prompt, target: Target, pieces: Sequence[bytes]
) -> tuple[list[CompletionEvent], Completion]:
    """What ours makes of a stream that comes in pieces and then ends: the deltas, and the whole."""
    assembler = dialect.assembler(prompt, target)
    reader = EventStream() if dialect.framing is Framing.SERVER_SENT_EVENTS else JsonLines()
    deltas: list[CompletionEvent] = []
    for piece in pieces:
        for event in reader.feed(piece):
            if assembler.ended:
                return deltas, assembler.completion()
            deltas.extend(assembler.feed(event))
    return deltas, assembler.completion()


def _request_of(received: ReceivedRequest) -> Request:
    split = urlsplit(received.path)
    return Request(split.path, dict(parse_qsl(split.query)), received.headers, json.loads(received.body))
