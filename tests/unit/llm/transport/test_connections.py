"""Connections: kept, found stale, never mixed up, and closed with whatever ends the call."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

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
from rag_engine.errors import BadResponseError, ConnectionLostError, DeadlineExceededError, LanguageModelError
from rag_engine.llm.transport import EventStream, Transport, WireLimits, WireRequest

LIMITS = WireLimits(deadline=5.0)


class CountingServer(SocketServer):
    """Counts the connections that it accepted."""

    connections = 0

    def _serve(self, connection: object) -> None:
        self.connections += 1
        super()._serve(connection)  # type: ignore[arg-type]


def echo(request: ReceivedRequest, number: int) -> list[Step]:
    return whole(200, request.body)


async def ask(transport: Transport, url: str, body: bytes = b"{}") -> bytes:
    return (await transport.send(WireRequest(url, body))).body


def open_sockets() -> int:
    gc.collect()
    links = []
    for link in Path("/proc/self/fd").iterdir():
        try:
            links.append(str(link.readlink()))
        except OSError:
            continue
    return sum(link.startswith("socket:") for link in links)


def until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 5
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def test_calls_after_one_another_share_a_connection() -> None:
    async def main() -> None:
        transport = Transport(limits=LIMITS)
        for number in range(5):
            assert await ask(transport, server.url, b"%d" % number) == b"%d" % number
            async with transport.stream(WireRequest(server.url, b"{}")) as stream:
                assert [piece async for piece in stream.pieces()] == [b"{}"]
        await transport.aclose()

    with CountingServer(echo) as server:
        asyncio.run(main())
        assert server.connections == 1


def test_a_stream_left_after_its_last_event_keeps_the_connection_where_the_end_has_come() -> None:
    async def main() -> None:
        transport = Transport(limits=LIMITS)
        for _ in range(3):
            async with transport.stream(WireRequest(server.url, b"{}")) as stream:
                async for events in stream.events(EventStream()):
                    if events[-1].data == "[DONE]":
                        break
        await transport.aclose()

    one = b"".join(step.data for step in chunked([b"data: a\n\n", b"data: [DONE]\n\n"]) if isinstance(step, Send))
    with CountingServer(lambda request, number: [Send(one)]) as server:
        asyncio.run(main())
        assert server.connections == 1


@pytest.mark.parametrize("behind", [b"{}", b"\r\n", http_head(200, {"content-length": "2"}) + b"no"], ids=repr)
def test_what_comes_behind_an_answer_is_never_the_next_calls_answer(behind: bytes) -> None:
    def reply(request: ReceivedRequest, number: int) -> list[Step]:
        (step,) = whole(200, request.body)
        assert isinstance(step, Send)
        return [Send(step.data + behind)]

    async def main() -> None:
        transport = Transport(limits=LIMITS)
        for number in range(10):
            assert await ask(transport, server.url, b"%d" % number) == b"%d" % number
            await asyncio.sleep(0.01 * (number % 2))
        await transport.aclose()

    with CountingServer(reply) as server:
        asyncio.run(main())
        assert server.connections == 10


def test_what_comes_while_a_connection_is_kept_ends_it() -> None:
    def reply(request: ReceivedRequest, number: int) -> list[Step]:
        return [*whole(200, request.body), Wait(0.05), *whole(408, b"late")]

    async def main() -> None:
        transport = Transport(limits=LIMITS)
        assert await ask(transport, server.url, b"1") == b"1"
        await asyncio.sleep(0.2)
        assert await ask(transport, server.url, b"2") == b"2"
        await transport.aclose()

    with CountingServer(reply) as server:
        asyncio.run(main())
        assert server.connections == 2


def test_a_connection_that_the_server_closed_meanwhile_is_dialled_anew() -> None:
    async def main() -> None:
        transport = Transport(limits=LIMITS)
        for number in range(4):
            assert await ask(transport, server.url, b"%d" % number) == b"%d" % number
            await asyncio.sleep(0.05)
        await transport.aclose()

    with CountingServer(lambda request, number: [*whole(200, request.body), Close()]) as server:
        asyncio.run(main())
        assert server.connections == len(server.requests) == 4


def stale_after(first: list[Step], *, then: list[Step]) -> Callable[[ReceivedRequest, int], list[Step]]:
    """The first connection answers once and then does ``then`` with what comes; all others answer."""
    return lambda request, number: {0: first, 1: then}.get(number, whole(200, request.body))


@pytest.mark.parametrize("reset", [False, True])
def test_a_kept_connection_closed_as_the_call_went_out_is_dialled_anew_once(reset: bool) -> None:
    async def main() -> bytes:
        transport = Transport(limits=LIMITS)
        await ask(transport, server.url, b"1")
        try:
            return await ask(transport, server.url, b"2")
        finally:
            await transport.aclose()

    with CountingServer(stale_after(whole(200, b"1"), then=[Close(reset=reset)])) as server:
        assert asyncio.run(main()) == b"2"
        assert server.connections == 2
    with CountingServer(lambda request, number: [Close()] if number else whole(200, b"1")) as server:
        with pytest.raises(ConnectionLostError):
            asyncio.run(main())
        assert len(server.requests) == 3  # no more than once anew


def test_a_kept_connection_that_began_to_answer_is_not_asked_again() -> None:
    async def main() -> None:
        transport = Transport(limits=LIMITS)
        await ask(transport, server.url)
        with pytest.raises(ConnectionLostError):
            await ask(transport, server.url)
        await transport.aclose()

    with CountingServer(stale_after(whole(200, b"1"), then=[Send(b"HTT"), Close()])) as server:
        asyncio.run(main())
        assert len(server.requests) == 2


def test_a_new_connection_that_is_lost_is_not_dialled_anew() -> None:
    async def main() -> None:
        with pytest.raises(ConnectionLostError):
            await ask(Transport(limits=LIMITS), server.url)

    with CountingServer(lambda request, number: [Close()]) as server:
        asyncio.run(main())
        assert len(server.requests) == 1


def test_a_connection_is_not_kept_after_a_fault_or_where_the_server_says_so() -> None:
    def reply(request: ReceivedRequest, number: int) -> list[Step]:
        if number == 0:
            return [Send(b"nonsense\r\n\r\n")]
        return whole(200, request.body, connection="close")

    async def main() -> None:
        transport = Transport(limits=LIMITS)
        with pytest.raises(BadResponseError):
            await ask(transport, server.url)
        for _ in range(2):
            await ask(transport, server.url)
        await transport.aclose()

    with CountingServer(reply) as server:
        asyncio.run(main())
        assert server.connections == 3


def test_no_more_connections_are_open_than_allowed_and_whoever_waits_gets_a_turn() -> None:
    at_once, most, lock = 0, 0, threading.Lock()

    def reply(request: ReceivedRequest, number: int) -> Iterable[Step]:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        yield Wait(0.01)
        with lock:
            at_once -= 1
        yield from whole(200, request.body)

    async def main() -> None:
        transport = Transport(limits=LIMITS, connections=3)
        tasks = [asyncio.create_task(ask(transport, server.url, b"%d" % number)) for number in range(40)]
        await asyncio.sleep(0.03)
        for task in tasks[5:40:7]:
            task.cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(
            answer == b"%d" % number or isinstance(answer, asyncio.CancelledError)
            for number, answer in enumerate(answers)
        )
        assert sum(isinstance(answer, bytes) for answer in answers) >= 35
        await transport.aclose()

    with SocketServer(reply) as server:
        asyncio.run(main())
    assert most <= 3


def test_waiting_for_a_turn_ends_by_the_deadline() -> None:
    async def main() -> None:
        transport = Transport(limits=WireLimits(deadline=0.5), connections=1)
        async with transport.stream(WireRequest(server.url, b"{}"), deadline=asyncio.get_running_loop().time() + 9):
            with pytest.raises(DeadlineExceededError):
                await ask(transport, server.url)
        await transport.aclose()

    with SocketServer(lambda request, number: [*chunked([b"x"], end=False), Wait(9)]) as server:
        asyncio.run(main())


def test_an_unused_connection_is_closed_after_a_while() -> None:
    async def main() -> None:
        transport = Transport(limits=LIMITS, keep_alive=0.1)
        before = open_sockets()
        await ask(transport, server.url)
        await asyncio.sleep(0.4)
        assert open_sockets() <= before
        await ask(transport, server.url)
        await transport.aclose()

    with CountingServer(echo) as server:
        asyncio.run(main())
        assert server.connections == 2


def test_loops_one_after_another_have_connections_of_their_own_and_leave_none_open() -> None:
    transport = Transport(limits=LIMITS)
    with CountingServer(echo) as server:
        before = open_sockets()
        for number in range(3):
            assert asyncio.run(ask(transport, server.url, b"%d" % number)) == b"%d" % number
        assert server.connections == 3
        assert until(lambda: open_sockets() <= before)


def test_loops_in_several_threads_may_share_a_transport() -> None:
    transport, answers = Transport(limits=LIMITS), []

    async def several(number: int) -> None:
        answers.extend([await ask(transport, server.url, b"%d" % number) == b"%d" % number for _ in range(20)])

    with CountingServer(echo) as server:
        threads = [threading.Thread(target=lambda n=n: asyncio.run(several(n))) for n in range(4)]  # type: ignore[misc]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.connections == 4
    assert answers == [True] * 80


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_uses_no_connection_of_its_parents() -> None:
    transport = Transport(limits=LIMITS)

    async def main() -> None:
        assert await ask(transport, server.url, b"parent") == b"parent"
        child = os.fork()
        if child == 0:
            answer = b""
            try:
                answer = asyncio.run(ask(transport, server.url, b"child"))
            finally:
                os._exit(0 if answer == b"child" else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert await ask(transport, server.url, b"again") == b"again"

    with CountingServer(echo) as server:
        asyncio.run(main())
        assert server.connections == 2


STALLS: dict[str, list[Step]] = {
    "before the head": [Wait(9)],
    "within the head": [Send(b"HTTP/1.1 200 OK\r\n"), Wait(9)],
    "within the body": [*chunked([b"data: a\n\n"], end=False), Wait(9)],
}


@pytest.mark.parametrize("place", STALLS)
@pytest.mark.parametrize("streamed", [False, True])
def test_a_cancelled_call_closes_its_connection_and_the_server_sees_it(place: str, streamed: bool) -> None:
    seen = threading.Event()

    def reply(request: ReceivedRequest, number: int) -> Iterable[Step]:
        yield from STALLS[place][:-1]
        for _ in range(500):
            yield Wait(0.01)
            yield Send(b"")
            if gone():
                seen.set()
                return

    def gone() -> bool:
        (connection,) = server._open
        connection.setblocking(False)
        try:
            return connection.recv(1) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            connection.setblocking(True)

    async def read_stream(transport: Transport) -> None:
        async with transport.stream(WireRequest(server.url, b"{}")) as stream:
            async for _ in stream.pieces():
                pass

    async def main() -> None:
        transport = Transport(limits=LIMITS)
        call = read_stream(transport) if streamed else ask(transport, server.url)
        task = asyncio.create_task(call)  # type: ignore[arg-type]
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(seen.wait, 5)
        assert len(asyncio.all_tasks()) == 1

    with SocketServer(reply) as server:
        asyncio.run(main())


def test_a_stream_that_its_consumer_leaves_is_closed() -> None:
    async def main() -> None:
        transport = Transport(limits=LIMITS)
        before = open_sockets()
        async with transport.stream(WireRequest(server.url, b"{}")) as stream:
            async for _ in stream.events(EventStream()):
                break
        await asyncio.sleep(0.05)
        assert open_sockets() <= before + 1  # the server's own end

    with SocketServer(lambda request, number: [*chunked([b"data: a\n\n"], end=False), Wait(9)]) as server:
        asyncio.run(main())


def test_a_cancel_at_any_turn_of_the_loop_leaves_nothing_open() -> None:
    async def after(turns: int, task: asyncio.Task[bytes]) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()

    async def main() -> None:
        transport = Transport(limits=LIMITS, connections=2)
        for turns in range(40):
            task = asyncio.create_task(ask(transport, server.url.replace("127.0.0.1", "localhost"), b"x" * 100_000))
            await after(turns, task)
            await asyncio.wait([task])
            assert task.cancelled() or task.result() == b"x" * 100_000
        assert await ask(transport, server.url) == b"{}"
        await transport.aclose()
        assert len(asyncio.all_tasks()) == 1

    with SocketServer(echo) as server:
        before = open_sockets()
        asyncio.run(main())
        assert until(lambda: open_sockets() <= before)


def test_an_outer_timeout_is_the_callers_and_not_a_fault_of_the_provider() -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.1):
                await ask(Transport(limits=LIMITS), server.url)
        assert not isinstance(caught.value, LanguageModelError)

    with SocketServer(lambda request, number: [Wait(9)]) as server:
        asyncio.run(main())


def test_closing_ends_calls_under_way_and_the_transport_can_be_used_again() -> None:
    async def main() -> None:
        transport = Transport(limits=LIMITS)
        task = asyncio.create_task(ask(transport, server.url))
        await asyncio.sleep(0.1)
        await transport.aclose()
        with pytest.raises(ConnectionLostError):
            await task
        assert await ask(transport, server.url) == b"again"
        await transport.aclose()

    with SocketServer(lambda request, number: whole(200, b"again") if number else [Wait(9)]) as server:
        asyncio.run(main())
