"""The end of an answer of which nothing more is wanted: its connection serves again, and nobody waits long for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

import pytest

from benchmarks.faults.socket_server import Close, ReceivedRequest, Send, SocketServer, Step, Wait, chunked
from rag_engine.llm.transport import EventStream, Transport, WireLimits, WireRequest

LAST = [b"data: a\n\n", b"data: last\n\n"]
END = Send(b"0\r\n\r\n")
PATIENCE = 0.3
MARGIN = 1.0


class CountingServer(SocketServer):
    """Counts the connections that it accepted."""

    connections = 0

    def _serve(self, connection: object) -> None:
        self.connections += 1
        super()._serve(connection)  # type: ignore[arg-type]


async def asked_up_to_the_last_event(transport: Transport, url: str, patience: float) -> None:
    async with transport.stream(WireRequest(url, b"{}")) as stream:
        came = ""
        async for events in stream.events(EventStream()):
            came = events[-1].data
            if came == "last":
                break
        assert came == "last"
        await stream.finish(patience)


def connections_of_two(steps: Iterable[Step], *, patience: float = PATIENCE, deadline: float = 5.0) -> int:
    """How many connections two calls took, one after the other."""

    async def main() -> None:
        transport = Transport(limits=WireLimits(deadline=deadline))
        for _ in range(2):
            await asked_up_to_the_last_event(transport, server.url, patience)
        await transport.aclose()

    def reply(request: ReceivedRequest, number: int) -> list[Step]:
        return list(steps)

    with CountingServer(reply) as server:
        began = time.monotonic()
        asyncio.run(main())
        assert time.monotonic() - began < 2 * min(patience, deadline) + MARGIN
        return server.connections


def test_a_connection_serves_again_though_the_mark_that_ends_its_answer_comes_late() -> None:
    assert connections_of_two([*chunked(LAST, end=False), Wait(0.02), END]) == 1


def test_a_connection_serves_again_though_more_comes_behind_the_last_event() -> None:
    behind = chunked([*LAST, b": nothing\n\n", b"data: more\n\n"], end=False)
    assert connections_of_two([*behind, Wait(0.02), Send(b"3\r\n: b\r\n"), END]) == 1


def test_without_patience_a_late_end_costs_a_connection() -> None:
    assert connections_of_two([*chunked(LAST, end=False), Wait(0.2), END], patience=0.0) == 2


@pytest.mark.parametrize(
    "behind",
    [
        pytest.param([Wait(30)], id="silence"),
        pytest.param([Send(b"5\r\n: ab\n\r\n")] * 200_000, id="a-flood"),
        pytest.param([Close()], id="closed"),
        pytest.param([Wait(0.02), Close(reset=True)], id="reset"),
        pytest.param([Send(b"no chunk of HTTP\r\n\r\n")], id="no-http"),
    ],
)
def test_whatever_comes_behind_the_last_event_is_no_fault_and_holds_nobody_up(behind: list[Step]) -> None:
    assert connections_of_two([*chunked(LAST, end=False), *behind]) == 2


def test_the_deadline_of_the_call_is_the_end_of_patience() -> None:
    assert connections_of_two([*chunked(LAST, end=False), Wait(30)], patience=60.0, deadline=0.4) == 2
