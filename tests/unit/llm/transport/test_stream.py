"""Streams over real sockets: events as they come, and how each fault ends."""

from __future__ import annotations

import asyncio
import gzip
import time
import tracemalloc
from collections.abc import Iterable

import pytest

from benchmarks.faults.socket_server import Close, Send, SocketServer, Step, Wait, chunked, http_head, whole
from rag_engine.error_handler import Phase
from rag_engine.errors import (
    BadResponseError,
    DeadlineExceededError,
    FirstByteTimeoutError,
    IncompleteResponseError,
    LanguageModelError,
    ResponseTooLargeError,
    SlowStreamError,
    StalledStreamError,
)
from rag_engine.llm.transport import EventStream, JsonLines, Transport, WireLimits, WireRequest

QUICK = WireLimits(deadline=5.0, first_byte=0.4, idle=0.3)
MARGIN = 0.5


async def events_of(transport: Transport, url: str) -> list[str]:
    request = WireRequest(url, b"{}", accept="text/event-stream", provider="openai", model="m")
    async with transport.stream(request) as stream:
        return [event.data async for events in stream.events(EventStream()) for event in events]


def read(*steps: Step, limits: WireLimits = QUICK) -> list[str]:
    async def main() -> list[str]:
        transport = Transport(limits=limits)
        try:
            return await events_of(transport, server.url)
        finally:
            await transport.aclose()

    with SocketServer(lambda request, number: steps) as server:
        return asyncio.run(main())


def fault_of(*steps: Step, limits: WireLimits = QUICK) -> LanguageModelError:
    began = time.monotonic()
    with pytest.raises(LanguageModelError) as caught:
        read(*steps, limits=limits)
    assert time.monotonic() - began < limits.deadline + MARGIN
    assert (caught.value.provider, caught.value.model) == ("openai", "m")
    return caught.value


def test_an_event_that_is_not_utf8_is_a_fault_of_the_provider_that_sent_it() -> None:
    error = fault_of(*chunked([b"data: a\n\n", b"data: Par\xff\xfeis\n\n", b"data: b\n\n"]))
    assert type(error) is BadResponseError
    assert error.phase == Phase.STREAM


def test_events_come_as_they_are_sent() -> None:
    assert read(*chunked([b"data: a\n\n", b"data: b\n", b"\ndata: c\n\n"])) == ["a", "b", "c"]


def test_events_come_while_the_answer_goes_on() -> None:
    async def main() -> str:
        transport = Transport(limits=QUICK)
        async with transport.stream(WireRequest(server.url, b"{}")) as stream:
            async for events in stream.events(EventStream()):
                return events[0].data
        return ""

    with SocketServer(lambda request, number: [*chunked([b"data: a\n\n"], end=False), Wait(9)]) as server:
        began = time.monotonic()
        assert asyncio.run(main()) == "a"
        assert time.monotonic() - began < 5


def test_a_packed_stream_is_unpacked() -> None:
    packed = gzip.compress(b"data: a\n\ndata: b\n\n")
    head = Send(http_head(200, {"content-encoding": "gzip", "content-length": str(len(packed))}))
    assert read(head, Send(packed[:25]), Wait(0.05), Send(packed[25:])) == ["a", "b"]


def test_an_answer_in_json_to_a_request_for_a_stream_is_read_whole() -> None:
    async def main() -> tuple[int, str, bytes]:
        transport = Transport(limits=QUICK)
        async with transport.stream(WireRequest(server.url, b"{}")) as stream:
            return stream.status, stream.headers["content-type"], await stream.read()

    with SocketServer(lambda request, number: whole(429, b'{"error": 1}')) as server:
        assert asyncio.run(main()) == (429, "application/json", b'{"error": 1}')


def test_lines_of_json_and_bare_pieces_can_be_read_too() -> None:
    async def main() -> tuple[list[str], bytes]:
        transport = Transport(limits=QUICK)
        async with transport.stream(WireRequest(server.url, b"{}")) as stream:
            lines = [event.data async for events in stream.events(JsonLines()) for event in events]
        async with transport.stream(WireRequest(server.url, b"{}")) as stream:
            pieces = b"".join([piece async for piece in stream.pieces()])
        await transport.aclose()
        return lines, pieces

    with SocketServer(lambda request, number: chunked([b'{"a"', b': 1}\n{"b": 2}\n'])) as server:
        assert asyncio.run(main()) == (['{"a": 1}', '{"b": 2}'], b'{"a": 1}\n{"b": 2}\n')


EVENT = chunked([b"data: a\n\n"], end=False)


def repeated(data: bytes, seconds: float, count: int = 400) -> list[Step]:
    return [step for _ in range(count) for step in (Send(b"%x\r\n%b\r\n" % (len(data), data)), Wait(seconds))]


FAULTS: dict[str, tuple[Iterable[Step], type[LanguageModelError]]] = {
    "closed midway": ([*EVENT, Close()], IncompleteResponseError),
    "reset midway": ([*EVENT, Wait(0.05), Close(reset=True)], IncompleteResponseError),
    "silent midway": ([*EVENT, Wait(9)], StalledStreamError),
    "no event at all": ([Send(http_head(200, {"transfer-encoding": "chunked"})), Wait(9)], FirstByteTimeoutError),
    "comments alone": ([*EVENT[:1], *repeated(b": wait\n\n", 0.05)], FirstByteTimeoutError),
    "comments alone midway": ([*EVENT, *repeated(b": wait\n\n", 0.05)], StalledStreamError),
    "pings alone": ([*EVENT[:1], *repeated(b"event: ping\ndata: {}\n\n", 0.05)], FirstByteTimeoutError),
    "an event in drips": ([*EVENT[:1], *repeated(b"x", 0.05)], FirstByteTimeoutError),
    "an event in drips midway": ([*EVENT, *repeated(b"x", 0.05)], StalledStreamError),
    "chunk size that is none": ([*EVENT, Send(b"!!\r\n")], BadResponseError),
    "gzip cut": (whole(200, gzip.compress(b"data: a\n\n")[:-4], content_encoding="gzip"), IncompleteResponseError),
    "gzip broken": (whole(200, b"\x1f\x8b\x08\x00" + bytes(30), content_encoding="gzip"), BadResponseError),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_what_it_is_and_the_stream_does_not_just_end(name: str) -> None:
    steps, kind = FAULTS[name]
    if name.startswith(("comments", "pings", "an event in drips")) and "midway" not in name:
        steps = [Send(http_head(200, {"transfer-encoding": "chunked"})), *list(steps)[1:]]
    error = fault_of(*steps)
    assert type(error) is kind, error
    assert error.phase == Phase.STREAM


def test_events_below_the_minimum_rate_end_the_stream() -> None:
    limits = WireLimits(deadline=9, first_byte=1, idle=1, minimum_rate=200, rate_window=0.3)
    assert isinstance(fault_of(*EVENT, *repeated(b"data: x\n\n", 0.05), limits=limits), SlowStreamError)


def test_the_deadline_ends_a_stream_that_goes_on_and_on() -> None:
    limits = WireLimits(deadline=0.6, minimum_rate=0)
    assert isinstance(fault_of(*EVENT, *repeated(b"data: x\n\n", 0.01), limits=limits), DeadlineExceededError)


def test_the_consumers_pauses_are_no_silence_of_the_server() -> None:
    async def main() -> int:
        transport = Transport(limits=WireLimits(deadline=9, idle=0.1, first_byte=0.1, rate_window=0.1, minimum_rate=1))
        count = 0
        async with transport.stream(WireRequest(server.url, b"{}")) as stream:
            async for _ in stream.events(EventStream()):
                count += 1
                await asyncio.sleep(0.2)
        await transport.aclose()
        return count

    steps = chunked([b"data: a\n\n"] * 3)
    with SocketServer(lambda request, number: [step for one in steps for step in (one, Wait(0.02))]) as server:
        assert asyncio.run(main()) >= 1


def test_the_consumers_pauses_count_for_the_deadline() -> None:
    async def main() -> None:
        transport = Transport(limits=WireLimits(deadline=0.3))
        async with transport.stream(WireRequest(server.url, b"{}")) as stream:
            async for _ in stream.events(EventStream()):
                await asyncio.sleep(0.5)

    with (
        SocketServer(lambda request, number: chunked([b"data: a\n\n"] * 3)) as server,
        pytest.raises(DeadlineExceededError),
    ):
        asyncio.run(main())


def test_one_event_over_the_cap_and_a_stream_over_the_cap_are_refused() -> None:
    async def main(reader: EventStream, limits: WireLimits) -> None:
        transport = Transport(limits=limits)
        request = WireRequest(server.url, b"{}", provider="openai")
        async with transport.stream(request) as stream:
            async for _ in stream.events(reader):
                pass

    with SocketServer(lambda request, number: chunked([b"data: " + b"x" * 5_000 + b"\n\n"] * 10)) as server:
        with pytest.raises(ResponseTooLargeError, match="openai: one event") as caught:
            asyncio.run(main(EventStream(max_event_bytes=1_000), QUICK))
        assert caught.value.provider == "openai"
        with pytest.raises(ResponseTooLargeError, match="20000 bytes"):
            asyncio.run(main(EventStream(), WireLimits(max_bytes=20_000)))


def test_a_slow_consumer_makes_the_server_wait_and_not_the_memory_grow() -> None:
    sent = 0

    def reply(request: object, number: int) -> Iterable[Step]:
        nonlocal sent
        yield Send(http_head(200))
        for _ in range(256):
            yield Send(bytes(1 << 20))
            sent += 1

    async def main() -> int:
        transport = Transport(limits=WireLimits(deadline=20, max_bytes=1 << 30))
        async with transport.stream(WireRequest(server.url, b"{}")) as stream:
            async for _ in stream.pieces():
                await asyncio.sleep(1)
                return tracemalloc.get_traced_memory()[0]
        return 0

    with SocketServer(reply) as server:
        tracemalloc.start()
        try:
            held = asyncio.run(main())
        finally:
            tracemalloc.stop()
    assert sent < 64  # what the sockets' own buffers take
    assert held < 16 << 20


def test_a_hundred_thousand_tiny_chunks_are_read_whole() -> None:
    chunk = b"9\r\ndata: x\n\n\r\n"
    steps = [Send(http_head(200, {"transfer-encoding": "chunked"})), Send(chunk * 100_000), Send(b"0\r\n\r\n")]
    assert len(read(*steps, limits=WireLimits(deadline=60))) == 100_000


def test_a_stream_is_read_once_and_not_after_its_end() -> None:
    async def main() -> None:
        transport = Transport(limits=QUICK)
        async with transport.stream(WireRequest(server.url, b"{}")) as stream:
            assert await stream.read() == b"{}"
            assert await stream.read() == b""
        async with transport.stream(WireRequest(server.url, b"{}")) as stream:
            pass
        with pytest.raises(RuntimeError, match="closed"):
            await stream.read()
        await transport.aclose()

    with SocketServer(lambda request, number: whole(200, b"{}")) as server:
        asyncio.run(main())
