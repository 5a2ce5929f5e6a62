"""What our wire costs beside raw httpx: a plain call, and a chunk of a stream, both against one server by turns.

``python -m benchmarks.speed.wire --json``. The server has a process of its own, so that its work is not counted; CPU
time of ours is told beside the clock's, as it is the steadier figure on a shared machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection

BODY = b'{"answer": "yes"}'
EVENT = b'data: {"choices": [{"delta": {"content": "x"}}]}\n\n'
EVENTS = 1_000


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(2)
            if head.startswith(b"POST /stream "):
                writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
                for _ in range(EVENTS):
                    writer.write(b"%x\r\n%b\r\n" % (len(EVENT), EVENT))
                    await asyncio.sleep(0)
                writer.write(b"0\r\n\r\n")
            else:
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(BODY), BODY))
    writer.close()


def _serve(tell: Connection) -> None:
    async def main() -> None:
        async with await asyncio.start_server(_answer, "127.0.0.1", 0) as listener:
            tell.send(listener.sockets[0].getsockname()[1])
            await listener.serve_forever()

    asyncio.run(main())


async def _timed(times: int, **contenders: Callable[[], Awaitable[int]]) -> dict[str, dict[str, float]]:
    """Medians of seconds, by turns; the first tenth is not counted."""
    clock: dict[str, list[float]] = {name: [] for name in contenders}
    processor: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(times + times // 10):
        for name, work in contenders.items():
            began, used = time.perf_counter(), time.process_time()
            await work()
            processor[name].append(time.process_time() - used)
            clock[name].append(time.perf_counter() - began)
    return {
        name: {
            "clock": statistics.median(clock[name][times // 10 :]),
            "processor": statistics.median(processor[name][times // 10 :]),
        }
        for name in contenders
    }


async def measure(port: int, *, calls: int, streams: int) -> dict[str, object]:
    """Milliseconds a call, microseconds a chunk."""
    import httpx

    from rag_engine.llm.transport import EventStream, Transport, WireRequest
    from rag_engine.types.secret import Secret

    url, key = f"http://127.0.0.1:{port}", Secret("sk-benchmark")
    headers = {"authorization": "Bearer sk-benchmark", "content-type": "application/json"}
    transport = Transport()
    async with httpx.AsyncClient(timeout=60) as client:

        async def our_call() -> int:
            return len((await transport.send(WireRequest(f"{url}/call", b"{}", key=key))).body)

        async def raw_call() -> int:
            return len((await client.post(f"{url}/call", content=b"{}", headers=headers)).content)

        async def our_stream() -> int:
            async with transport.stream(WireRequest(f"{url}/stream", b"{}", key=key)) as stream:
                return sum([len(events) async for events in stream.events(EventStream())])

        async def raw_stream() -> int:
            async with client.stream("POST", f"{url}/stream", content=b"{}", headers=headers) as response:
                return sum([len(piece) async for piece in response.aiter_raw()])

        if await our_stream() != EVENTS or await raw_stream() != EVENTS * len(EVENT):
            raise RuntimeError("a stream did not come whole")
        plain = await _timed(calls, ours=our_call, httpx=raw_call)
        streamed = await _timed(streams, ours=our_stream, httpx=raw_stream)
    await transport.aclose()
    return {
        "call_ms": {name: {kind: round(s * 1e3, 3) for kind, s in of.items()} for name, of in plain.items()},
        "chunk_us": {name: {k: round(s / EVENTS * 1e6, 2) for k, s in of.items()} for name, of in streamed.items()},
    }


def import_ms(module: str) -> float:
    """Median of five new interpreters, their own start not counted."""
    code = f"import time; began = time.perf_counter(); import {module}; print(time.perf_counter() - began)"
    runs = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(5)
    ]
    return round(statistics.median(runs) * 1e3, 1)


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000)
    parser.add_argument("--streams", type=int, default=20, help=f"of {EVENTS} chunks each")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=_serve, args=(theirs,), daemon=True)
    server.start()
    try:
        figures = asyncio.run(measure(ours.recv(), calls=arguments.calls, streams=arguments.streams))
    finally:
        server.terminate()
        server.join()
    figures["import_ms"] = {name: import_ms(name) for name in ("rag_engine.llm.transport", "httpx")}
    print(json.dumps(figures) if arguments.json else "\n".join(f"{name}: {value}" for name, value in figures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
