"""Answers of several models over real sockets: one dies, another answers; and what is known of them afterwards."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faults.socket_server import Close, ReceivedRequest, SocketServer, Step, Wait, chunked, whole
from rag_engine import Engine, Prompt, open_routes

QUESTION = "Within how many days are refunds paid?"
TEXT = "Within 14 days [1]."
USAGE = {"prompt_tokens": 200, "completion_tokens": 10, "total_tokens": 210}


def answering(request: ReceivedRequest, text: str = TEXT) -> list[Step]:
    """The answer as it was asked for, whole or as a stream."""
    choice: dict[str, Any] = {"index": 0, "finish_reason": "stop"}
    body = json.loads(request.body)
    model = body["model"]
    if not body.get("stream"):
        choice["message"] = {"role": "assistant", "content": text}
        return whole(200, json.dumps({"id": "a", "model": model, "choices": [choice], "usage": USAGE}).encode())
    events: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": piece}, "finish_reason": None}]}
        for piece in (text[:6], text[6:])
    ]
    events.append({"choices": [choice | {"delta": {}}]})
    events.append({"choices": [], "usage": USAGE})
    told = [b"data: " + json.dumps({"id": "a", "model": model, **event}).encode() + b"\n\n" for event in events]
    return chunked([*told, b"data: [DONE]\n\n"])


class Provider:
    """What a server does next: answers, breaks off or waits."""

    def __init__(self) -> None:
        self.does = "answer"

    def __call__(self, request: ReceivedRequest, number: int) -> Iterable[Step]:
        if self.does == "die":
            return [Close(reset=True)]
        if self.does == "hang":
            return [Wait(60.0), Close()]
        if self.does == "stop midway":
            return [*answering(request)[:2], Close(reset=True)]
        return answering(request)


@pytest.fixture
def first() -> Provider:
    return Provider()


@pytest.fixture
def second() -> Provider:
    return Provider()


@pytest.fixture
def servers(first: Provider, second: Provider) -> Iterator[tuple[SocketServer, SocketServer]]:
    with SocketServer(first) as one, SocketServer(second) as other:
        yield one, other


def write_routes(folder: Path, one: str, other: str, *, more: str = "") -> None:
    (folder / "routes.toml").write_text(
        f'[deployments.paris]\nmodel = "openai/gpt-4.1-mini"\nbase_url = "{one}/v1"\n{more}'
        f'[deployments.dublin]\nmodel = "openai/gpt-4.1"\nbase_url = "{other}/v1"\norder = 1\n'
        '[routes.support]\nmodels = ["paris", "dublin"]\nattempts = 1\ndeadline_seconds = 20\n'
        "[breaker]\nleast_calls = 1\nopen_seconds = 300\nlongest_open_seconds = 300\n"
    )
    (folder / "rag.toml").write_text('[llm]\nmodel = "route/support"\nroutes_file = "routes.toml"\n')


@pytest.fixture
def asked(
    rag: Any, shop: Path, servers: tuple[SocketServer, SocketServer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Any:
    """``rag`` over an ingested shop, with the two servers as a route."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-nobody-0123456789")
    write_routes(tmp_path, servers[0].url, servers[1].url)
    assert rag("ingest", "shop").status == 0
    return rag


def health_in_a_new_process(folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "rag_engine.cli", "models", "--health", "--json"],
        cwd=folder, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return {row["deployment"]: row for row in json.loads(done.stdout)["deployments"]}


def test_the_first_answers_and_nobody_else_is_asked(
    asked: Any, servers: tuple[SocketServer, SocketServer], tmp_path: Path
) -> None:
    answer = asked("ask", QUESTION, "--json").json
    assert (answer["answer"], answer["model"]) == (TEXT, "gpt-4.1-mini")
    assert [(one["deployment"], one["outcome"]) for one in answer["attempts"]] == [("paris", "stop")]
    assert servers[1].requests == []
    health = health_in_a_new_process(tmp_path)["paris"]
    assert (health["state"], health["failures"], health["calls"]) == ("closed", 0, 1)
    assert health["first_token_seconds"] > 0


def test_where_the_first_dies_the_second_answers_with_proven_citations_and_both_are_billed_apart(
    asked: Any, first: Provider, tmp_path: Path
) -> None:
    first.does = "die"
    answer = asked("ask", QUESTION, "--json").json
    assert (answer["answer"], answer["model"]) == (TEXT, "gpt-4.1")
    (citation,) = answer["citations"]
    assert "14 days" in citation["text"]
    assert [(one["deployment"], one["outcome"]) for one in answer["attempts"]] == [
        ("paris", "connection_lost"),
        ("dublin", "stop"),
    ]
    totals = {total["key"]: total for total in asked("usage", "--by", "model", "--json").json["totals"]}
    assert (totals["openai/gpt-4.1-mini"]["attempts"], totals["openai/gpt-4.1-mini"]["failed"]) == (1, 1)
    assert (totals["openai/gpt-4.1"]["attempts"], totals["openai/gpt-4.1"]["failed"]) == (1, 0)
    assert len(asked("usage", "--by", "call", "--json").json["totals"]) == 1

    text = asked("ask", QUESTION).out
    assert "failed attempts" not in text  # it is not asked again: its breaker is open
    (tmp_path / "answer.json").write_text(json.dumps(answer))
    assert asked("verify", "answer.json").status == 0


def test_failed_attempts_are_named_below_the_answer(asked: Any, first: Provider) -> None:
    first.does = "die"
    assert "failed attempts: paris (connection_lost)" in asked("ask", QUESTION).out


def test_an_answer_cut_midway_is_given_whole_by_the_other(asked: Any, first: Provider) -> None:
    first.does = "stop midway"
    answer = asked("ask", QUESTION, "--json").json
    assert answer["answer"] == TEXT
    assert [one["deployment"] for one in answer["attempts"]] == ["paris", "dublin"]


def test_a_new_process_knows_the_open_breaker_asks_elsewhere_and_a_probe_closes_it(
    asked: Any, first: Provider, servers: tuple[SocketServer, SocketServer], tmp_path: Path
) -> None:
    first.does = "die"
    asked("ask", QUESTION)
    health = health_in_a_new_process(tmp_path)
    assert (health["paris"]["state"], health["paris"]["cause"]) == ("open", "connection_lost")
    assert time.time() < health["paris"]["until"] <= time.time() + 300
    assert (health["dublin"]["state"], health["dublin"]["routes"]) == ("closed", ["support"])
    assert "left alone for" in asked("models", "--health").out

    explained = asked("route", QUESTION, "--explain", "--json").json
    assert explained["chosen"] == "dublin"
    paris = next(one for one in explained["candidates"] if one["deployment"] == "paris")
    assert paris["failed"] == "health"

    first.does = "answer"
    before = len(servers[0].requests)
    assert asked("ask", QUESTION, "--json").json["model"] == "gpt-4.1"
    assert len(servers[0].requests) == before
    probed = {row["deployment"]: row for row in asked("models", "--health", "--probe", "--json").json["deployments"]}
    assert (probed["paris"]["probed"], probed["paris"]["state"]) == ("ok", "closed")
    assert health_in_a_new_process(tmp_path)["paris"]["state"] == "closed"
    assert asked("ask", QUESTION, "--json").json["model"] == "gpt-4.1-mini"


def test_where_nothing_listens_the_error_names_both_causes_and_says_what_to_do(asked: Any, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        ports = one.getsockname()[1], other.getsockname()[1]
    write_routes(tmp_path, *(f"http://127.0.0.1:{port}" for port in ports))
    outcome = asked("ask", QUESTION)
    assert outcome.status == 1
    assert outcome.out == ""
    assert outcome.err.count("\n") == 1
    assert "paris: connection_refused" in outcome.err
    assert "dublin: connection_refused" in outcome.err
    assert "rag models --health" in outcome.err


def test_a_process_that_was_killed_midway_keeps_nobody_from_asking_again(
    asked: Any, first: Provider, servers: tuple[SocketServer, SocketServer], tmp_path: Path
) -> None:
    first.does = "hang"
    process = subprocess.Popen(
        [sys.executable, "-m", "rag_engine.cli", "ask", QUESTION], cwd=tmp_path, stdout=subprocess.DEVNULL
    )
    try:
        ends = time.monotonic() + 60
        while not servers[0].requests and process.poll() is None and time.monotonic() < ends:
            time.sleep(0.02)
        assert servers[0].requests
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    first.does = "answer"
    answer = asked("ask", QUESTION, "--json").json
    assert (answer["answer"], len(answer["attempts"])) == (TEXT, 1)
    assert health_in_a_new_process(tmp_path)["paris"]["state"] == "closed"


def test_a_model_and_its_fallbacks_answer_without_a_routes_file(
    asked: Any,
    first: Provider,
    servers: tuple[SocketServer, SocketServer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first.does = "die"
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", servers[1].url)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "of-nobody-0123456789")
    (tmp_path / "rag.toml").write_text(
        f'[llm]\nmodel = "openai/gpt-4.1-mini"\nbase_url = "{servers[0].url}/v1"\nattempts = 1\n'
        'fallbacks = ["azure/gpt-4.1"]\n'
    )
    answer = asked("ask", QUESTION, "--json").json
    assert answer["answer"] == TEXT
    assert [(one["deployment"], one["outcome"]) for one in answer["attempts"]] == [
        ("openai/gpt-4.1-mini", "connection_lost"),
        ("azure/gpt-4.1", "stop"),
    ]
    assert "authorization" not in servers[1].requests[0].headers


def test_the_engine_probes_in_the_background_while_it_answers_and_leaves_nothing_behind(
    asked: Any, first: Provider, servers: tuple[SocketServer, SocketServer], tmp_path: Path
) -> None:
    write_routes(tmp_path, servers[0].url, servers[1].url, more="probe_seconds = 1\n")
    text = (tmp_path / "routes.toml").read_text().replace("_seconds = 300", "_seconds = 1")
    (tmp_path / "routes.toml").write_text(text)
    first.does = "die"

    async def main() -> tuple[str, str]:
        tasks = asyncio.all_tasks()
        async with Engine.open(tmp_path / "indexes" / "default") as engine:
            failed = await engine.aask(QUESTION)
            first.does = "answer"
            asked_for = len(servers[0].requests)
            async with asyncio.timeout(30):
                while len(servers[0].requests) == asked_for:
                    await asyncio.sleep(0.05)
                while engine.standings()[0].health.state != "closed":
                    await asyncio.sleep(0.05)
            well = await engine.aask(QUESTION)
        assert asyncio.all_tasks() == tasks
        return failed.model, well.model

    threads = threading.active_count()
    assert asyncio.run(main()) == ("gpt-4.1", "gpt-4.1-mini")
    assert threading.active_count() <= threads + 1  # a pool's thread may be kept
    sampled = [json.loads(request.body) for request in servers[0].requests]
    assert any(1 in (body.get("max_tokens"), body.get("max_completion_tokens")) for body in sampled)


def test_routes_are_asked_from_python(
    first: Provider, servers: tuple[SocketServer, SocketServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-nobody-0123456789")
    write_routes(tmp_path, servers[0].url, servers[1].url)
    first.does = "die"

    async def main() -> None:
        async with open_routes(tmp_path / "routes.toml") as routes:
            completion = await routes["support"].complete(Prompt.plain("Why?"))
            assert completion.text == TEXT
            written = [event async for event in routes["support"].stream(Prompt.plain("Why?"))]
            assert written[-1].completion.text == TEXT  # type: ignore[union-attr]

    asyncio.run(main())


def test_an_evaluation_that_learns_remembers_how_good_each_models_answers_were_and_a_route_goes_by_it(
    asked: Any, first: Provider, tmp_path: Path
) -> None:
    gold = tmp_path / "gold"
    gold.mkdir()
    start = "# Refunds\n\nRefunds are paid within 14 days to the card".index("14 days")
    span = {"doc": "shop/refunds.md", "start": start, "end": start + 7, "text": "14 days"}
    questions = [
        {"id": "q1", "question": QUESTION, "answers": ["14 days"], "doc": "shop/refunds.md", "spans": [span]},
        {"id": "q2", "question": "Who was the shop's first customer?", "answerable": False},
    ]
    (gold / "questions.jsonl").write_text("".join(json.dumps(question) + "\n" for question in questions))
    learned = asked("eval", "gold", "--learn", "--answers", "--json").json["learned"]
    assert learned["openai/gpt-4.1-mini"] == 2
    first.does = "die"
    learned = asked("eval", "gold", "--learn", "--answers", "--json").json["learned"]
    assert learned["openai/gpt-4.1"] == 2

    text = (tmp_path / "routes.toml").read_text().replace("attempts = 1", 'attempts = 1\nstrategy = "learned"')
    (tmp_path / "routes.toml").write_text(text)
    candidates = asked("route", QUESTION, "--explain", "--json").json["candidates"]
    assert [one["quality"]["observations"] for one in candidates] == [2, 2]


def test_a_ledger_that_cannot_be_used_keeps_nobody_from_asking(asked: Any, first: Provider, tmp_path: Path) -> None:
    first.does = "die"
    (tmp_path / "indexes" / "default" / "routing.sqlite").mkdir()
    for _ in range(2):
        answer = asked("ask", QUESTION, "--json").json
        assert [one["deployment"] for one in answer["attempts"]] == ["paris", "dublin"]
    assert asked("models", "--health").status == 0
    assert asked("models", "--health", "--probe", "--json").json["deployments"][0]["probed"] == "connection_lost"


def test_the_models_of_the_route_that_answers_are_the_configured_ones(asked: Any) -> None:
    rows = asked("models", "--json").json["models"]
    assert {row["name"] for row in rows if row["configured"]} == {"openai/gpt-4.1-mini", "openai/gpt-4.1"}
    assert not [row for row in rows if row["name"].startswith("route/")]


def test_a_deployment_without_its_key_is_shown_as_such(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    rows = asked("models", "--health", "--probe", "--json").json["deployments"]
    assert [(row["cause"], row["probed"]) for row in rows] == [("missing_key", "missing_key")] * 2
    assert "missing_key" in asked("models", "--health").out
