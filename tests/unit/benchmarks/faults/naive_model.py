"""A client as one is written in a hurry, over bare sockets: it believes whatever comes. The benches must see that."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

from rag_engine.types.generation import Attempt, Completion, CompletionDone, FinishReason, Prompt, TextDelta, Usage

ONE_ATTEMPT = (Attempt("gpt-test", "stop", 0.0),)


class NaiveModel:
    """Speaks OpenAI's form; the end of the connection is the end of an answer."""

    def __init__(self, url: str, *, key: str = "", say_key: bool = False) -> None:
        self._url = urlsplit(url)
        self._key = key
        self._say_key = say_key

    async def complete(self, prompt: Prompt) -> Completion:
        """Whatever stands in the body."""
        body = json.loads(await self._body(prompt, stream=False))
        return _completion(body["choices"][0]["message"]["content"], body.get("usage") or {})

    async def stream(self, prompt: Prompt) -> AsyncIterator[TextDelta | CompletionDone]:
        """Whatever stands in the events."""
        text, usage = "", {}
        for event in (await self._body(prompt, stream=True)).split("\n\n"):
            if not event.startswith("data: {"):
                continue
            chunk = json.loads(event.removeprefix("data: "))
            usage = chunk.get("usage") or usage
            for choice in chunk.get("choices", ()):
                delta = choice["delta"].get("content") or ""
                text += delta
                yield TextDelta(delta)
        yield CompletionDone(_completion(text, usage))

    async def aclose(self) -> None:
        """Nothing is held."""

    async def _body(self, prompt: Prompt, *, stream: bool) -> str:
        head, body = await exchange(str(self._url.hostname), int(self._url.port or 80), prompt.content, stream=stream)
        if self._say_key:
            raise ValueError(f"{head} with {self._key}")
        return body.decode("utf-8", "replace")


def _completion(text: str, usage: dict[str, Any]) -> Completion:
    counted = Usage(usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0))
    return Completion(text, "gpt-test", FinishReason.STOP, counted, attempts=ONE_ATTEMPT)


async def exchange(host: str, port: int, content: str, *, stream: bool) -> tuple[str, bytes]:
    """The first line of an answer and its body; chunks are put together, whatever is amiss with them."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        messages = [{"role": "user", "content": content}]
        body = json.dumps({"model": "gpt-test", "messages": messages, "stream": stream}).encode()
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        first = head.partition("\r\n")[0]
        if "transfer-encoding: chunked" in head:
            return first, await _chunks(reader)
        if "content-length: " in head:
            length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
            try:
                return first, await reader.readexactly(length)
            except asyncio.IncompleteReadError as error:
                return first, error.partial
        return first, await reader.read()
    finally:
        writer.close()


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    try:
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readuntil(b"\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    return body
