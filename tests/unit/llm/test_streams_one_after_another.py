"""Streams of an opened model over real sockets: what one leaves to the next."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from benchmarks.faults.socket_server import ReceivedRequest, Send, SocketServer, Step, Wait, chunked
from rag_engine.llm import open_model
from rag_engine.types.generation import CompletionDone, Prompt

MARGIN = 1.0


class CountingServer(SocketServer):
    """Counts the connections that it accepted."""

    connections = 0

    def _serve(self, connection: object) -> None:
        self.connections += 1
        super()._serve(connection)  # type: ignore[arg-type]


def openai_stream() -> list[bytes]:
    choices = [
        {"index": 0, "delta": {"role": "assistant", "content": "Paris"}, "finish_reason": None},
        {"index": 0, "delta": {}, "finish_reason": "stop"},
    ]
    events = [json.dumps({"id": "c", "model": "m", "choices": [choice]}) for choice in choices]
    return [f"data: {event}\n\n".encode() for event in (*events, "[DONE]")]


def two_answers(behind: list[Step]) -> tuple[list[str], int]:
    """Texts of two streams, and how many connections they took."""

    async def main() -> list[str]:
        texts = []
        async with open_model("openai/gpt-4o-mini", base_url=f"{server.url}/v1", key="sk-test-0123456789") as model:
            for _ in range(2):
                events = [event async for event in model.stream(Prompt.plain("Which city?"))]
                texts += [event.completion.text for event in events if isinstance(event, CompletionDone)]
        return texts

    def reply(request: ReceivedRequest, number: int) -> list[Step]:
        return [*chunked(openai_stream(), end=False), *behind]

    with CountingServer(reply) as server:
        return asyncio.run(main()), server.connections


def test_streams_share_a_connection_though_their_end_comes_behind_the_last_event() -> None:
    assert two_answers([Wait(0.005), Send(b"0\r\n\r\n")]) == (["Paris", "Paris"], 1)


@pytest.mark.parametrize("behind", [[Wait(30)], [Send(b"what is this\r\n")]], ids=["silence", "no-http"])
def test_an_answer_is_whole_and_soon_there_whatever_comes_behind_it(behind: list[Step]) -> None:
    began = time.monotonic()
    assert two_answers(behind) == (["Paris", "Paris"], 2)
    assert time.monotonic() - began < MARGIN
