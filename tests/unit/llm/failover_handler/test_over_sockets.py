"""The failover handler over real connections: what servers see of it, and what the ledger is told."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.faults.socket_server import Close, ReceivedRequest, SocketServer, Step, Wait, chunked, whole
from rag_engine.ledger import UsageLedger
from rag_engine.llm import open_model
from rag_engine.llm.deployment import Deployment
from rag_engine.protocols import CallLedger
from rag_engine.types.generation import Completion, CompletionEvent, StreamRestarted
from tests.unit.llm.failover_handler.members import QUESTION, assert_nothing_left, handler, outcomes, plan, shown

Reply = Callable[[ReceivedRequest, int], Iterable[Step]]


def event(text: str | None, finish: str | None = None) -> bytes:
    delta = {} if text is None else {"content": text}
    body = {"id": "a", "model": "gpt-4.1-mini", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def streamed(*pieces: str, cut: bool = False) -> list[Step]:
    """An answer in pieces; or only the first of them, and then no connection."""
    if cut:
        return [*chunked([event(piece) for piece in pieces], end=False), Close(reset=True)]
    used = {"id": "a", "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}}
    ending = [event(None, "stop"), b"data: " + json.dumps(used).encode() + b"\n\n", b"data: [DONE]\n\n"]
    return chunked([*[event(piece) for piece in pieces], *ending])


def opened(name: str, url: str, ledger: CallLedger | None = None) -> Deployment:
    model = open_model("openai/gpt-4.1-mini", base_url=f"{url}/v1", key="sk-of-nobody-0123456789", ledger=ledger)
    return Deployment(name, model, model.profile)


async def close(*deployments: Deployment) -> None:
    for one in deployments:
        await one.model.aclose()  # type: ignore[attr-defined]


def test_a_cut_stream_is_begun_anew_elsewhere_and_each_call_is_billed_apart(tmp_path: Path) -> None:
    ledger = UsageLedger(tmp_path / "usage.sqlite")

    async def read(first_url: str, second_url: str) -> list[CompletionEvent]:
        first, second = opened("first", first_url, ledger), opened("second", second_url, ledger)
        try:
            return [one async for one in handler(attempts=1).stream(QUESTION, plan(first, second))]
        finally:
            await close(first, second)
            assert_nothing_left()

    with (
        SocketServer(lambda *_: streamed("Within 3", "0 da", cut=True)) as cutting,
        SocketServer(lambda *_: streamed("Within ", "14 days.")) as well,
    ):
        events = asyncio.run(read(cutting.url, well.url))
    done = events[-1].completion  # type: ignore[union-attr]
    assert shown(events) == done.text == "Within 14 days."
    assert sum(isinstance(one, StreamRestarted) for one in events) == 1
    assert [deployment for deployment, _ in outcomes(done)] == ["first", "second"]
    assert done.attempts[1].usage.input_tokens == 9
    ledger.flush()
    (total,) = ledger.totals("call")
    assert (total.attempts, total.failed) == (2, 1)
    ledger.close()


def test_a_whole_answer_survives_a_dead_port_an_error_and_a_cut(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        dead_url = f"http://127.0.0.1:{taken.getsockname()[1]}"

    async def ask(failing_url: str, cutting_url: str, well_url: str) -> Completion:
        urls = {"dead": dead_url, "failing": failing_url, "cutting": cutting_url, "well": well_url}
        deployments = [opened(name, url) for name, url in urls.items()]
        try:
            return await handler(attempts=1).complete(QUESTION, plan(*deployments))
        finally:
            await close(*deployments)
            assert_nothing_left()

    oops = b'{"error": {"message": "oops", "type": "server_error"}}'
    with (
        SocketServer(lambda *_: whole(500, oops)) as failing,
        SocketServer(lambda *_: streamed("Within 3", cut=True)) as cutting,
        SocketServer(lambda *_: streamed("Within ", "14 days.")) as well,
    ):
        answer = asyncio.run(ask(failing.url, cutting.url, well.url))
        assert [len(server.requests) for server in (failing, cutting, well)] == [1, 1, 1]
    assert answer.text == "Within 14 days."
    assert [deployment for deployment, _ in outcomes(answer)] == ["dead", "failing", "cutting", "well"]


def test_a_server_that_says_nothing_is_left_in_time_and_its_connection_is_closed() -> None:
    async def ask(silent_url: str, well_url: str) -> tuple[Completion, float]:
        silent, well = opened("silent", silent_url), opened("well", well_url)
        loop = asyncio.get_running_loop()
        since = loop.time()
        try:
            return await handler(first_token_seconds=0.3).complete(QUESTION, plan(silent, well)), loop.time() - since
        finally:
            await close(silent, well)
            assert_nothing_left()

    def silence(_: ReceivedRequest, __: int) -> Iterable[Step]:
        yield Wait(1.0)
        for _piece in range(50):  # a closed connection is noticed when something is sent
            yield from streamed("Too late.")[:1]
            yield Wait(0.01)

    with SocketServer(silence) as slow, SocketServer(lambda *_: streamed("Within ", "14 days.")) as well:
        answer, seconds = asyncio.run(ask(slow.url, well.url))
        assert answer.text == "Within 14 days."
        assert 0.3 <= seconds < 5
        assert outcomes(answer) == [("silent", "first_byte_timeout"), ("well", "stop")]
        deadline = 100
        while not slow.abandoned and deadline:
            deadline -= 1
            slow._closing.wait(0.05)
        assert slow.abandoned == 1
