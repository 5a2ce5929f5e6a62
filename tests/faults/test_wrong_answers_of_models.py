"""Answers that are none, by what stands in the provider's place, and calls that are many or given up."""

from __future__ import annotations

import asyncio
import json

import pytest

from benchmarks.faults.socket_server import Close, ReceivedRequest, SocketServer, Step, Wait, chunked, whole
from benchmarks.faults.wire_golden import Golden
from benchmarks.faults.wire_matrix import GOLDEN
from benchmarks.faults.wire_openai import TEXT, as_json, completion, stream
from benchmarks.faults.wire_places import open_sockets
from rag_engine.errors import (
    BadResponseError,
    ProviderFailureError,
)
from rag_engine.types.generation import Completion, Prompt, UsageSource
from tests.faults.test_wrong_use_of_models import PROVIDERS, STREAMED, answer_of, asked, opened

PAGE = b"<!doctype html><html><body><h1>Sign in to the network</h1></body></html>"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@STREAMED
@PROVIDERS
def test_an_answer_that_is_not_utf8_is_none(golden: Golden, streamed: bool) -> None:
    if streamed:
        pieces = [piece.replace(b"Paris", b"Par\xff\xfeis") for piece in golden.pieces]
        assert pieces != list(golden.pieces)
        steps = chunked(pieces, media_type=golden.media_type)
    else:
        steps = whole(200, as_json(golden.reply).replace(b"Paris", b"Par\xff\xfeis"))
    error, requests = answer_of(golden, steps, streamed=streamed, attempts=3)
    assert isinstance(error, BadResponseError)
    assert error.provider == golden.provider
    assert len(requests) == 1


@pytest.mark.parametrize("number", [b"-23", b"-1e3", b"1" + b"0" * 30])
@STREAMED
@PROVIDERS
def test_usage_below_zero_or_beyond_all_measure_is_estimated(golden: Golden, streamed: bool, number: bytes) -> None:
    if streamed:
        pieces = [piece.replace(b":23", b":" + number) for piece in golden.pieces]
        assert pieces != list(golden.pieces)
        steps = chunked(pieces, media_type=golden.media_type)
    else:
        steps = whole(200, as_json(golden.reply).replace(b":23", b":" + number))
    answer, _ = answer_of(golden, steps, streamed=streamed)
    assert isinstance(answer, Completion)
    assert answer.text == TEXT
    assert answer.usage.source is UsageSource.ESTIMATED
    assert 0 < answer.usage.output_tokens < 200
    assert 0 < answer.usage.input_tokens < 200


@STREAMED
@PROVIDERS
def test_a_page_in_place_of_an_answer_is_none(golden: Golden, streamed: bool) -> None:
    for media_type in ("text/html", "application/json", golden.media_type):
        error, requests = answer_of(golden, whole(200, PAGE, media_type=media_type), streamed=streamed, attempts=3)
        assert isinstance(error, ProviderFailureError), media_type
        assert "Sign in" not in error.public_message
        assert len(requests) <= 3
    error, requests = answer_of(golden, whole(502, PAGE, media_type="text/html"), streamed=streamed, attempts=3)
    assert isinstance(error, ProviderFailureError)
    assert error.status == 502
    assert len(requests) == len(error.attempts) == 3


@pytest.mark.parametrize("status", [200, 502])
def test_a_proxy_that_answers_with_a_page_is_no_provider(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with opened(GOLDEN[0], "http://provider.invalid") as model:
            await model.complete(Prompt.plain("Why?"))

    with SocketServer(lambda request, number: whole(status, PAGE, media_type="text/html")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        with pytest.raises(ProviderFailureError) as raised:
            asyncio.run(main())
    assert len(proxy.requests) == 1
    assert raised.value.provider == "openai"
    assert "Sign in" not in raised.value.public_message


@STREAMED
def test_calls_at_the_same_time_have_each_its_own_answer(streamed: bool) -> None:
    def reply(request: ReceivedRequest, number: int) -> list[Step]:
        question = json.loads(request.body)["messages"][-1]["content"]
        if streamed:
            pieces = [piece.replace(b"France", question.encode()) for piece in stream()]
            return [Wait(0.01 * (number % 3)), *chunked(pieces)]
        return [Wait(0.01 * (number % 3)), *whole(200, as_json(completion()).replace(b"France", question.encode()))]

    async def main() -> list[Completion]:
        async with opened(GOLDEN[0], server.url) as model:
            calls = [asked(model, Prompt.plain(f"Country-{number}"), streamed=streamed) for number in range(40)]
            return await asyncio.gather(*calls)

    with SocketServer(reply) as server:
        answers = asyncio.run(main())
    assert [answer.text for answer in answers] == [TEXT.replace("France", f"Country-{number}") for number in range(40)]


@pytest.mark.parametrize("begun", [False, True], ids=["before the answer", "midway in it"])
@STREAMED
def test_a_cancelled_call_leaves_no_socket_and_no_task(streamed: bool, begun: bool) -> None:
    golden = GOLDEN[0]
    first = golden.answer(stream=streamed)[: 4 if streamed else 0] if begun else []
    if begun and not streamed:
        first = chunked([as_json(golden.reply)[:40]], media_type="application/json", end=False)

    async def main() -> None:
        before = open_sockets()
        async with opened(golden, server.url, attempts=3) as model:
            task = asyncio.create_task(asked(model, Prompt.plain("Why?"), streamed=streamed))
            while not server.requests:
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            # Not only when the model is closed. The server, which still waits, has the other end of the connection.
            for _ in range(100):
                if open_sockets() <= before + 1 and asyncio.all_tasks() == {asyncio.current_task()}:
                    break
                await asyncio.sleep(0.01)
            assert asyncio.all_tasks() == {asyncio.current_task()}
            assert open_sockets() == before + 1
        assert len(server.requests) == 1

    with SocketServer(lambda request, number: [*first, Wait(20.0), Close()]) as server:
        asyncio.run(main())
