"""Whole answers over real sockets: what comes, and how each fault ends."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import logging
import socket
import threading
import time
from collections.abc import Iterable
from contextlib import closing

import pytest

from benchmarks.faults.socket_server import (
    Close,
    ReceivedRequest,
    Send,
    SocketServer,
    Step,
    Wait,
    chunked,
    http_head,
    whole,
)
from rag_engine.error_handler import Phase
from rag_engine.errors import (
    BadResponseError,
    ConfigurationError,
    ConnectionLostError,
    ConnectionRefusedByHostError,
    ConnectTimeoutError,
    DeadlineExceededError,
    FirstByteTimeoutError,
    IncompleteResponseError,
    InvalidRequestError,
    LanguageModelError,
    MalformedKeyError,
    NameResolutionError,
    RedirectError,
    ResponseTooLargeError,
    SlowStreamError,
    StalledStreamError,
)
from rag_engine.llm.transport import Transport, WireLimits, WireReply, WireRequest
from rag_engine.types.secret import Secret

KEY = Secret("sk-never-shown-7f3a")
QUICK = WireLimits(deadline=5.0, connect=1.0, first_byte=0.3, idle=0.3, write=0.3)
MARGIN = 0.5  # generous: the machine is shared


def request_to(url: str, **more: object) -> WireRequest:
    return WireRequest(url, b'{"q": 1}', key=KEY, provider="openai", model="m", **more)  # type: ignore[arg-type]


def ask(url: str, limits: WireLimits = QUICK, **more: object) -> WireReply:
    async def main() -> WireReply:
        transport = Transport(limits=limits)
        try:
            return await transport.send(request_to(url, **more))
        finally:
            await transport.aclose()

    return asyncio.run(main())


def answer_of(*steps: Step, limits: WireLimits = QUICK) -> WireReply:
    with SocketServer(lambda request, number: steps) as server:
        return ask(f"{server.url}/v1?secret=query-value", limits)


def fault_of(*steps: Step, limits: WireLimits = QUICK) -> LanguageModelError:
    began = time.monotonic()
    with pytest.raises(LanguageModelError) as caught:
        answer_of(*steps, limits=limits)
    assert time.monotonic() - began < limits.deadline + MARGIN
    error = caught.value
    assert (error.provider, error.model) == ("openai", "m")
    shown = f"{error!s} {error!r} {error.hint} {error.__cause__!r} {error.__context__!r}"
    assert KEY.reveal() not in shown
    assert "query-value" not in shown
    return error


def test_the_request_has_the_key_once_and_its_length_and_asks_for_gzip_alone() -> None:
    with SocketServer(lambda request, number: whole(200, b"{}")) as server:
        ask(f"{server.url}/v1/chat?api-version=1", headers={"X-Extra": "yes"})
        (seen,), host = server.requests, f"127.0.0.1:{server.port}"
    assert (seen.method, seen.path, seen.body) == ("POST", "/v1/chat?api-version=1", b'{"q": 1}')
    assert seen.headers["authorization"] == f"Bearer {KEY.reveal()}"
    assert seen.headers["content-length"] == "8"
    assert seen.headers["accept-encoding"] == "gzip"
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["x-extra"] == "yes"
    assert seen.headers["host"] == host


def test_a_key_in_a_header_of_its_own_is_sent_bare() -> None:
    with SocketServer(lambda request, number: whole(200, b"{}")) as server:
        ask(server.url, key_header="x-api-key")
        (seen,) = server.requests
    assert seen.headers["x-api-key"] == KEY.reveal()
    assert "authorization" not in seen.headers


@pytest.mark.parametrize(
    "status", [200, 201, 400, 401, 402, 404, 407, 408, 409, 413, 422, 425, 429, 498, 500, 503, 529]
)
def test_any_status_but_a_redirect_is_returned_with_its_body(status: int) -> None:
    reply = answer_of(*whole(status, b'{"error": "x"}', retry_after="7"))
    assert (reply.status, reply.body, reply.headers["retry-after"]) == (status, b'{"error": "x"}', "7")
    assert reply.media_type == "application/json"


def test_an_answer_without_content_is_one() -> None:
    assert answer_of(Send(http_head(204))) == WireReply(204, {}, b"")


def test_heads_that_only_inform_are_passed_over() -> None:
    informed = Send(http_head(100) + http_head(103, {"link": "</x>"}))
    assert answer_of(informed, *whole(200, b"{}")).body == b"{}"


@pytest.mark.parametrize("body", [b"", b"x" * 300_000], ids=["empty", "long"])
def test_a_body_comes_whole_by_length_by_chunks_by_close_and_packed(body: bytes) -> None:
    assert answer_of(*whole(200, body)).body == body
    assert answer_of(*chunked([body[:7], body[7:]])).body == body
    assert answer_of(Send(http_head(200) + body), Close()).body == body
    assert answer_of(*whole(200, gzip.compress(body), content_encoding="gzip")).body == body


def test_a_body_of_a_hundred_megabytes_comes_whole_where_the_cap_lets_it() -> None:
    piece = b"%x\r\n%b\r\n" % (1 << 20, bytes(1 << 20))
    steps = [Send(http_head(200, {"transfer-encoding": "chunked"})), *[Send(piece)] * 100, Send(b"0\r\n\r\n")]
    limits = WireLimits(deadline=60, max_bytes=100 << 20)
    assert len(answer_of(*steps, limits=limits).body) == 100 << 20
    assert isinstance(
        fault_of(*steps, limits=WireLimits(deadline=60, max_bytes=(100 << 20) - 1)), ResponseTooLargeError
    )


def test_bytes_that_are_no_utf8_are_handed_on_as_they_are() -> None:
    assert answer_of(*whole(200, b'{"a": "\xff\xfe"}')).body == b'{"a": "\xff\xfe"}'


HEAD = http_head(200, {"content-length": "10"})
PACKED = gzip.compress(json.dumps({"answer": "whole" * 100}).encode())
FAULTS: dict[str, tuple[Iterable[Step], type[LanguageModelError], Phase]] = {
    "closed at once": ([Close()], ConnectionLostError, Phase.HEADERS),
    "reset at once": ([Close(reset=True)], ConnectionLostError, Phase.HEADERS),
    "closed within the head": ([Send(b"HTTP/1.1 200 OK\r\nconte"), Close()], ConnectionLostError, Phase.HEADERS),
    "silent": ([Wait(9)], FirstByteTimeoutError, Phase.HEADERS),
    "silent within the head": ([Send(b"HTTP/1.1 200"), Wait(9)], FirstByteTimeoutError, Phase.HEADERS),
    "only informing, forever": (
        [step for _ in range(40) for step in (Send(http_head(100)), Wait(0.02))],
        FirstByteTimeoutError,
        Phase.HEADERS,
    ),
    "body closed midway": ([Send(HEAD + b"12345"), Close()], IncompleteResponseError, Phase.BODY),
    "body reset midway": ([Send(HEAD + b"12345"), Wait(0.05), Close(reset=True)], IncompleteResponseError, Phase.BODY),
    "body silent midway": ([Send(HEAD + b"12345"), Wait(9)], StalledStreamError, Phase.BODY),
    "chunks closed midway": ([*chunked([b"12345"], end=False), Close()], IncompleteResponseError, Phase.BODY),
    "chunks without their end": ([*chunked([b"12345"], end=False), Wait(9)], StalledStreamError, Phase.BODY),
    "chunk closed midway": (
        [Send(http_head(200, {"transfer-encoding": "chunked"}) + b"ff\r\n123"), Close()],
        IncompleteResponseError,
        Phase.BODY,
    ),
    "chunk size that is none": (
        [Send(http_head(200, {"transfer-encoding": "chunked"}) + b"zz\r\n123\r\n0\r\n\r\n")],
        BadResponseError,
        Phase.BODY,
    ),
    "chunk longer than it says": (
        [Send(http_head(200, {"transfer-encoding": "chunked"}) + b"2\r\n12345\r\n0\r\n\r\n")],
        BadResponseError,
        Phase.BODY,
    ),
    "chunk size without end": (
        [Send(http_head(200, {"transfer-encoding": "chunked"}) + b"1" * (300 << 10)), Wait(9)],
        BadResponseError,
        Phase.BODY,
    ),
    "gzip cut": (whole(200, PACKED[:-9], content_encoding="gzip"), IncompleteResponseError, Phase.BODY),
    "gzip that is none": (whole(200, b"{}", content_encoding="gzip"), BadResponseError, Phase.BODY),
    "packing not asked for": (whole(200, b"{}", content_encoding="br"), BadResponseError, Phase.HEADERS),
    "not HTTP": ([Send(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")], BadResponseError, Phase.HEADERS),
    "TLS alert": ([Send(b"\x15\x03\x01\x00\x02\x02\x0a")], BadResponseError, Phase.HEADERS),
    "two lengths": (
        [Send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}")],
        BadResponseError,
        Phase.HEADERS,
    ),
    "length that is none": ([Send(http_head(200, {"content-length": "-1"}))], BadResponseError, Phase.HEADERS),
    "header without colon": ([Send(b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n")], BadResponseError, Phase.HEADERS),
    "switches protocols": ([Send(http_head(101, {"upgrade": "websocket"}))], BadResponseError, Phase.HEADERS),
    "huge header": (
        [Send(http_head(200, {"x-huge": "h" * (300 << 10), "content-length": "2"}) + b"{}")],
        ResponseTooLargeError,
        Phase.HEADERS,
    ),
    "headers without end": (
        [Send(b"HTTP/1.1 200 OK\r\n"), *[Send(b"x-more: %b\r\n" % (b"h" * 1000))] * 400, Wait(9)],
        ResponseTooLargeError,
        Phase.HEADERS,
    ),
    "length over the cap": (
        [Send(http_head(200, {"content-length": str(1 << 40)})), Wait(9)],
        ResponseTooLargeError,
        Phase.HEADERS,
    ),
    "packed over the cap": (
        whole(200, gzip.compress(bytes(65 << 20)), content_encoding="gzip"),
        ResponseTooLargeError,
        Phase.BODY,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_what_it_is_and_never_an_answer(name: str) -> None:
    steps, kind, phase = FAULTS[name]
    error = fault_of(*steps)
    assert type(error) is kind, error
    assert error.phase == phase


@pytest.mark.parametrize("name", ["chunked", "length", "gzip"])
def test_an_answer_cut_at_any_byte_is_never_one(name: str) -> None:
    body = b'{"answer": "whole"}'
    steps = {
        "chunked": chunked([body[:4], body[4:]]),
        "length": whole(200, body),
        "gzip": whole(200, gzip.compress(body), content_encoding="gzip"),
    }[name]
    raw = b"".join(step.data for step in steps if isinstance(step, Send))

    def reply(request: ReceivedRequest, number: int) -> list[Step]:
        return [Send(raw[: int(request.path[1:])]), Close()]

    async def main() -> None:
        transport = Transport(limits=WireLimits(deadline=5))
        for end in range(len(raw)):
            with pytest.raises((ConnectionLostError, IncompleteResponseError)):
                await transport.send(request_to(f"{server.url}/{end}"))
        assert (await transport.send(request_to(f"{server.url}/{len(raw)}"))).body == body
        await transport.aclose()

    with SocketServer(reply) as server:
        asyncio.run(main())


DRIP = [step for _ in range(200) for step in (Send(b"x"), Wait(0.05))]


def test_a_dripping_body_ends_by_its_rate() -> None:
    limits = WireLimits(deadline=9, idle=1, minimum_rate=100, rate_window=0.4)
    assert isinstance(fault_of(Send(http_head(200)), *DRIP, limits=limits), SlowStreamError)


def test_a_dripping_body_ends_by_the_deadline() -> None:
    limits = WireLimits(deadline=0.6, idle=1, minimum_rate=0)
    assert isinstance(fault_of(Send(http_head(200)), *DRIP, limits=limits), DeadlineExceededError)


def test_a_dripping_head_ends_by_the_first_bytes_limit_and_by_the_deadline() -> None:
    assert isinstance(fault_of(*DRIP), FirstByteTimeoutError)
    assert isinstance(fault_of(*DRIP, limits=WireLimits(deadline=0.4)), DeadlineExceededError)


def test_silence_longer_than_the_rates_window_is_judged_by_the_idle_limit_alone() -> None:
    limits = WireLimits(deadline=9, idle=5, minimum_rate=100, rate_window=0.05)
    head = Send(http_head(200, {"content-length": "200"}) + b"x" * 100)
    assert len(answer_of(head, Wait(0.5), Send(b"y" * 100), limits=limits).body) == 200


def test_a_deadline_that_has_passed_sends_nothing() -> None:
    async def main() -> None:
        with pytest.raises(DeadlineExceededError):
            await Transport().send(request_to(server.url), deadline=asyncio.get_running_loop().time() - 1)

    with SocketServer(lambda request, number: whole(200, b"{}")) as server:
        asyncio.run(main())
        assert server.requests == []


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_the_key_goes_nowhere_else(status: int) -> None:
    with SocketServer(lambda request, number: whole(200, b"{}")) as other:
        error = fault_of(*whole(status, b"", location=f"{other.url.replace('127.0.0.1', 'localhost')}/steal?k=v"))
        assert other.requests == []
    assert isinstance(error, RedirectError)
    assert error.status == status
    assert "localhost" in str(error)
    assert "steal" not in str(error)


def test_nothing_listening_is_a_refusal() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectionRefusedByHostError) as caught:
        ask(f"http://127.0.0.1:{port}/")
    assert caught.value.phase == Phase.CONNECT
    with pytest.raises(ConnectionRefusedByHostError):
        ask(f"http://localhost:{port}/")  # more than one address


def test_the_second_address_of_a_name_is_tried_where_the_first_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with SocketServer(lambda request, number: whole(200, b"{}")) as server, closing(socket.socket()) as unused:
        unused.bind(("127.0.0.2", server.port))  # bound, and nobody listens

        def two(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (place, port)) for place in ("127.0.0.2", "127.0.0.1")]

        monkeypatch.setattr(socket, "getaddrinfo", two)
        assert ask(f"http://twofold.localhost:{server.port}").status == 200


def test_a_full_backlog_ends_as_no_connection_in_time() -> None:
    with closing(socket.create_server(("127.0.0.1", 0), backlog=0)) as listener:
        place = listener.getsockname()
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(place)
            fillers.append(filler)
        try:
            with pytest.raises(ConnectTimeoutError) as caught:
                ask(f"http://127.0.0.1:{place[1]}/", WireLimits(deadline=5, connect=0.3))
            assert caught.value.phase == Phase.CONNECT
            with pytest.raises(DeadlineExceededError):
                ask(f"http://127.0.0.1:{place[1]}/", WireLimits(deadline=0.3, connect=5))
        finally:
            for filler in fillers:
                filler.close()


def test_a_name_without_address_is_said_to_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NameResolutionError, match=r"nowhere\.localhost") as caught:
        ask("http://nowhere.localhost/")
    assert caught.value.phase == Phase.NAME_RESOLUTION


def test_a_name_that_no_resolver_takes_is_one_without_address() -> None:
    with pytest.raises(NameResolutionError):
        ask(f"http://{'a' * 70}.localhost/")


def test_a_name_server_that_never_answers_holds_neither_the_call_nor_the_loops_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released, ended = threading.Event(), threading.Event()

    def stuck(*_: object, **__: object) -> list[object]:
        released.wait(30)
        ended.set()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", stuck)
    with pytest.raises(ConnectTimeoutError) as caught:
        ask("http://slow.localhost/", WireLimits(deadline=5, connect=0.2))
    assert not ended.is_set()
    released.set()
    assert ended.wait(5)
    assert caught.value.phase == Phase.NAME_RESOLUTION


def test_a_server_that_reads_nothing_ends_the_call_by_the_write_limit() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        request = WireRequest(url, bytes(32 << 20), key=KEY)

        async def main(limits: WireLimits) -> None:
            await Transport(limits=limits).send(request)

        with pytest.raises(FirstByteTimeoutError) as caught:
            asyncio.run(main(QUICK))
        assert caught.value.phase == Phase.WRITE
        with pytest.raises(DeadlineExceededError):
            asyncio.run(main(WireLimits(deadline=0.3)))


def test_an_answer_before_the_request_was_taken_whole_is_read() -> None:
    refusal = b"".join(step.data for step in whole(413, b"{}") if isinstance(step, Send))

    async def main() -> WireReply:
        left = asyncio.Event()

        async def answer_early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(refusal)
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await reader.readexactly(64 << 20)  # until the client leaves
            writer.close()
            left.set()

        async with await asyncio.start_server(answer_early, "127.0.0.1", 0) as listener:
            port = listener.sockets[0].getsockname()[1]
            transport = Transport(limits=WireLimits(deadline=5))
            reply = await transport.send(WireRequest(f"http://127.0.0.1:{port}/", bytes(32 << 20)))
            await transport.aclose()
            await asyncio.wait_for(left.wait(), 5)
            return reply

    assert asyncio.run(main()).status == 413


@pytest.mark.parametrize("value", ["sk-x\n", "sk-\x00", "sk-€"])
def test_a_key_that_no_header_holds_is_not_sent(value: str) -> None:
    with SocketServer(lambda request, number: whole(200, b"{}")) as server:
        with pytest.raises(MalformedKeyError):
            asyncio.run(Transport().send(WireRequest(server.url, b"{}", key=Secret(value))))
        assert server.requests == []


@pytest.mark.parametrize(("name", "value"), [("x y", "1"), ("x", "a\r\nb: c"), ("x", "é"), ("", "1"), ("x:", "1")])
def test_a_header_that_cannot_be_sent_is_not(name: str, value: str) -> None:
    with SocketServer(lambda request, number: whole(200, b"{}")) as server:
        with pytest.raises(InvalidRequestError):
            ask(server.url, headers={name: value})
        assert server.requests == []


def test_a_url_that_is_none_is_a_setting_to_mend() -> None:
    with pytest.raises(ConfigurationError):
        ask("nonsense")


def test_no_log_holds_the_key_or_the_query(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        answer_of(*whole(200, b"{}"))
        for name in ("closed at once", "not HTTP", "header without colon", "gzip cut"):
            fault_of(*FAULTS[name][0])
    assert KEY.reveal() not in caplog.text
    assert "query-value" not in caplog.text


def test_a_key_that_the_answer_repeats_where_no_http_stands_is_not_in_the_error() -> None:
    fault_of(Send(b"HTTP/1.1 200 OK\r\nyour key " + KEY.reveal().encode() + b"\r\n\r\n"))
    fault_of(Send(KEY.reveal().encode() + b"\r\n\r\n"))
    fault_of(*whole(302, b"", location=f"http://{KEY.reveal()}.example/"))
    fault_of(*whole(200, b"", content_encoding=KEY.reveal()))
