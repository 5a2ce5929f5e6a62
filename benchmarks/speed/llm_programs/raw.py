"""The two ways below every library: httpx with nothing over it, and a socket that is only read to the end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import harness


class RawHttpx:
    """An AsyncClient and json.loads. Nothing is checked."""

    def __init__(self, base_url: str) -> None:
        try:
            import httpx
        except ImportError:  # OpenAI's SDK stands on the one that follows it
            import httpx2 as httpx
        self._client = httpx.AsyncClient(
            headers={"authorization": f"Bearer {harness.KEY}"}, timeout=60, trust_env=False
        )
        self._url = f"{base_url}/chat/completions"

    async def whole(self, question: str) -> str:
        reply = await self._client.post(self._url, json=_body(question, stream=False))
        text: str = json.loads(reply.content)["choices"][0]["message"]["content"]
        return text

    async def pieces(self, question: str) -> AsyncIterator[str]:
        async with self._client.stream("POST", self._url, json=_body(question, stream=True)) as reply:
            async for line in reply.aiter_lines():
                if line.startswith("data: {"):
                    choices = json.loads(line[6:])["choices"]
                    if choices and (text := choices[0]["delta"].get("content")):
                        yield text


class BareSocket:
    """Sends what httpx sends and reads what comes, up to its last bytes: the floor that server and loopback set."""

    def __init__(self, base_url: str) -> None:
        self._port = int(base_url.rsplit(":", 1)[1].partition("/")[0])
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def whole(self, question: str) -> str:
        reader = await self._sent(question, stream=False)
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(int(head.rpartition(b":")[2]))
        text: str = json.loads(body)["choices"][0]["message"]["content"]
        return text

    async def pieces(self, question: str) -> AsyncIterator[str]:
        reader = await self._sent(question, stream=True)
        await reader.readuntil(b"\r\n\r\n")
        came = b""
        while not came.endswith(b"0\r\n\r\n"):
            piece = await reader.read(1 << 16)
            came += piece
            yield " word" * piece.count(b'"content": " word"')

    async def _sent(self, question: str, *, stream: bool) -> asyncio.StreamReader:
        if self._open is None:
            self._open = await asyncio.open_connection("127.0.0.1", self._port)
        body = json.dumps(_body(question, stream=stream)).encode()
        self._open[1].write(b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        return self._open[0]


def _body(question: str, *, stream: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"model": harness.MODEL, "messages": harness.messages(question)}
    return {**body, "stream": True, "stream_options": {"include_usage": True}} if stream else body
