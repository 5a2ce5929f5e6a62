"""A server that answers in OpenAI's form as fast as one process can: what a client costs shows beside it.

Every answer is made beforehand; a request is looked through only for its length and for what it wants.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import re
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

CHUNKS = 100
TEXT = " word" * CHUNKS
# A question with this word in it is answered with one chunk a millisecond.
SLOWLY = "slowly"
_SECONDS_BETWEEN = 0.001
_MODEL = "gpt-4o-mini"
_USAGE = {"prompt_tokens": 900, "completion_tokens": CHUNKS, "total_tokens": 900 + CHUNKS}
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_STREAM = re.compile(rb'"stream": *true')


def whole_answer() -> bytes:
    """An answer with its head."""
    message = {"role": "assistant", "content": TEXT, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    body = json.dumps({**_head("chat.completion"), "choices": [choice], "usage": _USAGE}).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


def streamed_answer() -> list[bytes]:
    """The pieces of a streamed one, each as it is written: the head, the chunks with text, and the end."""
    events: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {"content": " word"}, "finish_reason": None}]} for _ in range(CHUNKS)
    ]
    events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    events.append({"choices": [], "usage": _USAGE})
    written = [json.dumps({**_head("chat.completion.chunk"), **event}) for event in events]
    pieces = [b"data: %b\n\n" % event.encode() for event in written] + [b"data: [DONE]\n\n"]
    return [
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
        *(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces),
        b"0\r\n\r\n",
    ]


def _head(kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1_700_000_000, "model": _MODEL}


class _Answering(asyncio.Protocol):
    """One connection; requests come one after another."""

    def __init__(self, whole: bytes, pieces: list[bytes]) -> None:
        self._whole = whole
        self._pieces = pieces
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or len(body) < (int(length[1]) if length else 0):
            return
        self._received = b""
        if _STREAM.search(body):
            self._write(iter(self._pieces), _SECONDS_BETWEEN if SLOWLY.encode() in body else 0.0)
        else:
            self._transport.write(self._whole)

    def _write(self, pieces: Iterator[bytes], seconds_between: float) -> None:
        piece = next(pieces, None)
        if piece is None or self._transport.is_closing():
            return
        self._transport.write(piece)
        loop = asyncio.get_running_loop()
        if seconds_between:
            loop.call_later(seconds_between, self._write, pieces, seconds_between)
        else:
            loop.call_soon(self._write, pieces, seconds_between)


def _serve(tell: Connection) -> None:
    async def main() -> None:
        whole, pieces = whole_answer(), streamed_answer()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Answering(whole, pieces), "127.0.0.1", 0)
        tell.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


@contextmanager
def running_server() -> Iterator[str]:
    """Its address, while it runs in a process of its own."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()
