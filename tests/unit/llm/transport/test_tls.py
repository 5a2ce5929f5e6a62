"""Certificates and handshakes: nothing is sent to whom nobody vouches for."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import closing

import pytest
import trustme

from benchmarks.faults.socket_server import Close, Send, SocketServer, Wait, chunked, http_head, whole
from rag_engine.error_handler import Phase
from rag_engine.errors import (
    ConnectionLostError,
    ConnectTimeoutError,
    DeadlineExceededError,
    IncompleteResponseError,
    LanguageModelError,
    TlsError,
)
from rag_engine.llm.transport import EventStream, Transport, WireLimits, WireRequest
from rag_engine.types.secret import Secret

KEY = Secret("sk-never-shown")
LIMITS = WireLimits(deadline=5, connect=2)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture(scope="module")
def served_as(authority: trustme.CA) -> Callable[[str], ssl.SSLContext]:
    def context_for(name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        return context

    return context_for


Served = Callable[[str], ssl.SSLContext]


async def ask(url: str, verify: ssl.SSLContext | bool, limits: WireLimits = LIMITS, times: int = 1) -> list[bytes]:
    transport = Transport(limits=limits, verify=verify)
    try:
        request = WireRequest(url, b"{}", key=KEY, provider="openai")
        return [(await transport.send(request)).body for _ in range(times)]
    finally:
        await transport.aclose()


def test_a_server_with_a_certificate_that_is_trusted_is_asked(trusting: ssl.SSLContext, served_as: Served) -> None:
    answer = b"x" * 300_000
    with SocketServer(lambda request, number: whole(200, answer), tls=served_as("127.0.0.1")) as server:
        assert asyncio.run(ask(server.url, trusting, times=3)) == [answer] * 3


def test_a_stream_over_tls_comes_whole(trusting: ssl.SSLContext, served_as: Served) -> None:
    async def main() -> list[str]:
        async with Transport(limits=LIMITS, verify=trusting).stream(WireRequest(server.url, b"{}")) as stream:
            return [event.data async for events in stream.events(EventStream()) for event in events]

    with SocketServer(
        lambda request, number: chunked([b"data: %d\n\n" % n for n in range(50)]), tls=served_as("127.0.0.1")
    ) as server:
        assert asyncio.run(main()) == [str(number) for number in range(50)]


def test_a_certificate_that_nobody_vouches_for_is_refused_and_nothing_is_sent(served_as: Served) -> None:
    with SocketServer(lambda request, number: whole(200, b"{}"), tls=served_as("127.0.0.1")) as server:
        with pytest.raises(TlsError, match="certificate") as caught:
            asyncio.run(ask(server.url, True))
        assert server.requests == []
        assert asyncio.run(ask(server.url, False)) == [b"{}"]
    assert caught.value.phase == Phase.TLS
    assert not caught.value.retryable


def test_a_certificate_for_another_host_is_refused_and_nothing_is_sent(
    trusting: ssl.SSLContext, served_as: Served
) -> None:
    with SocketServer(lambda request, number: whole(200, b"{}"), tls=served_as("other.example")) as server:
        with pytest.raises(TlsError, match=r"127\.0\.0\.1"):
            asyncio.run(ask(server.url, trusting))
        assert server.requests == []


def test_a_server_without_tls_is_a_fault_of_the_handshake(trusting: ssl.SSLContext) -> None:
    async def speak_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def main() -> None:
        async with await asyncio.start_server(speak_plainly, "127.0.0.1", 0) as listener:
            with pytest.raises(TlsError):
                await ask(f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}", trusting)
            await asyncio.sleep(0.05)

    asyncio.run(main())


def test_a_handshake_that_stalls_ends_in_time(trusting: ssl.SSLContext) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(ConnectTimeoutError, match="handshake") as caught:
            asyncio.run(ask(url, trusting, WireLimits(deadline=5, connect=0.2)))
        assert caught.value.phase == Phase.TLS
        with pytest.raises(DeadlineExceededError):
            asyncio.run(ask(url, trusting, WireLimits(deadline=0.2, connect=5)))


def test_a_server_that_leaves_within_the_handshake_is_a_lost_connection(trusting: ssl.SSLContext) -> None:
    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def main() -> None:
        async with await asyncio.start_server(leave, "127.0.0.1", 0) as listener:
            with pytest.raises(ConnectionLostError) as caught:
                await ask(f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}", trusting)
            assert caught.value.phase == Phase.TLS
            await asyncio.sleep(0.05)

    asyncio.run(main())


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize(
    ("sent", "kind"),
    [(b"", ConnectionLostError), (http_head(200, {"content-length": "10"}) + b"12345", IncompleteResponseError)],
    ids=["before the head", "midway"],
)
def test_a_broken_connection_is_what_it_is_over_tls_too(
    trusting: ssl.SSLContext, served_as: Served, sent: bytes, kind: type[LanguageModelError], reset: bool
) -> None:
    steps = [*([Send(sent)] if sent else []), Wait(0.05), Close(reset=reset)]
    with SocketServer(lambda request, number: steps, tls=served_as("127.0.0.1")) as server, pytest.raises(kind):
        asyncio.run(ask(server.url, trusting))


def test_a_server_that_wants_a_certificate_of_ours_is_a_fault_of_tls(
    trusting: ssl.SSLContext, served_as: Served, authority: trustme.CA
) -> None:
    context = served_as("127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    with SocketServer(lambda request, number: whole(200, b"{}"), tls=context) as server:
        with pytest.raises((TlsError, ConnectionLostError)):
            asyncio.run(ask(server.url, trusting))
        assert server.requests == []


def test_the_authorities_are_read_once_and_not_before_they_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0
    create = ssl.create_default_context

    def counted(*arguments: object, **named: object) -> ssl.SSLContext:
        nonlocal made
        made += 1
        return create(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(ssl, "create_default_context", counted)

    async def main(transport: Transport, url: str) -> None:
        with pytest.raises(LanguageModelError):
            await transport.send(WireRequest(url, b"{}"))

    with SocketServer(lambda request, number: [Close()]) as server:
        transport = Transport(limits=WireLimits(deadline=5, connect=0.2))
        asyncio.run(main(transport, server.url))
        assert made == 0
        for _ in range(2):
            asyncio.run(main(transport, server.url.replace("http:", "https:")))
        assert made == 1
