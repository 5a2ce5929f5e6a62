"""Bytes as they come: each read fills the same memory, and what was kept of the one before must stay as it was."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import random
import socket
import ssl
import tracemalloc
import weakref

import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.faults.socket_server import SocketServer, whole
from rag_engine.llm.transport import Transport, WireLimits, WireRequest
from rag_engine.llm.transport.line import Line

SECONDS = 5.0


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


async def line_and_other_end() -> tuple[Line, socket.socket]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    loop = asyncio.get_running_loop()
    line = Line(loop)
    await loop.create_connection(lambda: line, sock=ours)
    return line, theirs


async def closed(line: Line, other_end: socket.socket) -> None:
    line.abort()
    other_end.close()
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def due() -> float:
    return asyncio.get_running_loop().time() + SECONDS


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(1, 200_000), min_size=1, max_size=6), seed=st.integers(0, 1 << 16))
def test_whatever_is_sent_in_whatever_pieces_is_received_as_it_was(sizes: list[int], seed: int) -> None:
    sent = [random.Random(seed + place).randbytes(size) for place, size in enumerate(sizes)]

    async def main() -> bytes:
        line, other_end = await line_and_other_end()

        async def send() -> None:
            for piece in sent:
                await asyncio.get_running_loop().sock_sendall(other_end, piece)

        sending = asyncio.create_task(send())
        received = []
        while sum(map(len, received)) < sum(sizes):
            data = await line.receive(due())
            assert data
            received.append(data)  # kept: what comes next must not be written over it
        await sending
        await closed(line, other_end)
        return b"".join(received)

    assert asyncio.run(main()) == b"".join(sent)


def test_what_comes_while_nobody_asks_is_bounded_and_comes_whole_once_somebody_does() -> None:
    sent = random.Random(7).randbytes(4 << 20)

    async def main() -> bytes:
        line, other_end = await line_and_other_end()
        sending = asyncio.create_task(asyncio.get_running_loop().sock_sendall(other_end, sent))
        await asyncio.sleep(0.2)
        assert not sending.done()  # whoever does not read makes the other side wait
        received = b""
        while len(received) < len(sent):
            received += await line.receive(due()) or b""
        await sending
        await closed(line, other_end)
        return received

    assert asyncio.run(main()) == sent


def test_a_few_bytes_take_no_more_memory_than_a_few_bytes_while_they_are_read() -> None:
    async def main() -> int:
        line, other_end = await line_and_other_end()
        other_end.send(b"warm")
        await line.receive(due())
        tracemalloc.start()
        try:
            for _ in range(50):
                other_end.send(b"data: a\n\n")
                assert await line.receive(due()) == b"data: a\n\n"
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            await closed(line, other_end)

    assert asyncio.run(main()) < 64 << 10


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_body_of_many_reads_comes_byte_for_byte_also_over_tls(authority: trustme.CA, encrypted: bool) -> None:
    body = random.Random(3).randbytes(3_000_001)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(serving)

    async def main() -> list[str]:
        transport = Transport(limits=WireLimits(deadline=20.0), verify=trusting)
        try:
            replies = [await transport.send(WireRequest(server.url, b"{}")) for _ in range(3)]
            return [hashlib.sha256(reply.body).hexdigest() for reply in replies]
        finally:
            await transport.aclose()

    with SocketServer(lambda request, number: whole(200, body), tls=serving if encrypted else None) as server:
        assert asyncio.run(main()) == [hashlib.sha256(body).hexdigest()] * 3


def test_each_wait_ends_at_its_own_time_whether_the_one_before_was_due_earlier_or_later() -> None:
    async def main() -> None:
        line, other_end = await line_and_other_end()
        loop = asyncio.get_running_loop()
        for before, seconds in ((SECONDS, 0.1), (0.15, 0.4)):
            other_end.send(b"a")
            await asyncio.sleep(0)
            assert await line.receive(loop.time() + before) == b"a"
            began = loop.time()
            assert await line.receive(began + seconds) is None
            assert began + seconds - 0.02 <= loop.time() < began + SECONDS - 1
        await closed(line, other_end)

    asyncio.run(main())


def test_a_line_that_was_closed_leaves_no_timer_that_holds_it() -> None:
    async def main() -> Line | None:
        line, other_end = await line_and_other_end()
        waiting = asyncio.create_task(line.receive(due() + 1000))
        await asyncio.sleep(0.01)
        await closed(line, other_end)
        assert await waiting == b""
        told = weakref.ref(line)
        del line, waiting
        gc.collect()
        return told()

    assert asyncio.run(main()) is None
