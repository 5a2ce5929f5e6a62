"""Answers written by a provider's model over a real socket: cited, proven, billed, traced; and what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faults.socket_server import ReceivedRequest, SocketServer, Step, whole
from rag_engine import Engine
from rag_engine.error_handler import default_aggregator
from rag_engine.errors import InvalidKeyError

KEY = "sk-of-nobody-0123456789"
QUESTION = "Within how many days are refunds paid?"


def written(text: str, *, finish: str = "stop") -> bytes:
    return json.dumps(
        {
            "id": "answer-1",
            "object": "chat.completion",
            "model": "gpt-4.1-mini-2025-04-14",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}],
            "usage": {"prompt_tokens": 200, "completion_tokens": 10, "total_tokens": 210},
        }
    ).encode()


class Provider:
    """What the server answers next; the last stays."""

    def __init__(self) -> None:
        self.replies: list[list[Step]] = [whole(200, written("Within 14 days [1]."))]

    def __call__(self, request: ReceivedRequest, number: int) -> Iterable[Step]:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def server(provider: Provider) -> Iterator[SocketServer]:
    with SocketServer(provider) as running:
        yield running


@pytest.fixture
def asked(rag: Any, shop: Path, server: SocketServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """``rag`` over an ingested shop, with the server as OpenAI."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    (tmp_path / "rag.toml").write_text(f'[llm]\nmodel = "openai/gpt-4.1-mini"\nbase_url = "{server.url}/v1"\n')
    assert rag("ingest", "shop").status == 0
    return rag


def test_a_written_answer_is_cited_proven_billed_and_traced(asked: Any, server: SocketServer) -> None:
    answer = asked("ask", QUESTION, "--json").json
    assert answer["answer"] == "Within 14 days [1]."
    (citation,) = answer["citations"]
    assert "14 days" in citation["text"]
    assert answer["usage"]["input_tokens"] == 200
    assert answer["usage"]["cost"] > 0
    assert [attempt["outcome"] for attempt in answer["attempts"]] == ["stop"]
    (request,) = server.requests
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert "Refunds are paid within 14 days" in json.loads(request.body)["messages"][-1]["content"]

    (total,) = asked("usage", "--json").json["totals"]
    assert (total["attempts"], total["input_tokens"], total["cost"]) == (1, 200, answer["usage"]["cost"])
    trace = asked("trace", answer["trace"], "--json").out
    assert "chat gpt-4.1-mini" in trace
    assert "14 days" not in trace


def test_a_fault_that_passes_is_tried_again_and_both_attempts_are_shown(asked: Any, provider: Provider) -> None:
    provider.replies.insert(0, whole(500, b'{"error": {"message": "oops", "type": "server_error"}}'))
    answer = asked("ask", QUESTION, "--json").json
    assert [attempt["outcome"] for attempt in answer["attempts"]] == ["server", "stop"]
    (total,) = asked("usage", "--by", "model", "--json").json["totals"]
    assert (total["key"], total["calls"], total["attempts"], total["failed"]) == ("openai/gpt-4.1-mini", 1, 2, 1)


def test_a_refused_key_is_said_without_the_key(asked: Any, provider: Provider) -> None:
    body = {"error": {"message": f"Incorrect API key provided: {KEY}", "code": "invalid_api_key", "type": "x"}}
    provider.replies = [whole(401, json.dumps(body).encode())]
    outcome = asked("ask", QUESTION)
    assert outcome.status == 1
    assert "key" in outcome.err
    assert KEY not in outcome.out + outcome.err


def test_no_key_names_the_variable_that_it_belongs_into(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    outcome = asked("ask", QUESTION)
    assert outcome.status == 1
    assert "OPENAI_API_KEY" in outcome.err


def test_a_budget_stops_the_call_before_it_is_made(asked: Any, server: SocketServer, tmp_path: Path) -> None:
    with (tmp_path / "rag.toml").open("a") as file:
        file.write("budget_per_day = 0.000001\n")
    outcome = asked("ask", QUESTION)
    assert outcome.status == 1
    assert "budget" in outcome.err
    assert server.requests == []


def test_a_cut_answer_is_not_shown_as_a_whole_one(asked: Any, provider: Provider) -> None:
    provider.replies = [whole(200, written("Within 14", finish="length"))]
    outcome = asked("ask", QUESTION)
    assert outcome.status == 1
    assert "Within 14" not in outcome.out
    assert "max_output_tokens" in outcome.err


def test_a_refusal_is_an_abstention(asked: Any, provider: Provider) -> None:
    body = json.loads(written(""))
    body["choices"][0]["message"] = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
    provider.replies = [whole(200, json.dumps(body).encode())]
    answer = asked("ask", QUESTION, "--json").json
    assert answer["abstained"]
    assert answer["citations"] == []


def test_a_key_in_the_settings_file_works_and_is_warned_of(
    asked: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with (tmp_path / "rag.toml").open("a") as file:
        file.write(f'key = "{KEY}"\n')
    assert asked("ask", QUESTION).status == 0
    assert "rag.toml holds a key in clear" in caplog.text
    assert KEY not in caplog.text


@pytest.mark.parametrize("model", ["nobody/x", "openai", "gpt-unheard-of"])
def test_a_model_that_nobody_has_is_named_with_the_providers(asked: Any, tmp_path: Path, model: str) -> None:
    (tmp_path / "rag.toml").write_text(f'[llm]\nmodel = "{model}"\n')
    outcome = asked("ask", QUESTION)
    assert outcome.status == 2
    assert model in outcome.err


def test_nothing_was_called_says_so(rag: Any, shop: Path) -> None:
    rag("ingest", "shop")
    assert "no language model was called" in rag("usage").out
    assert rag("usage", "--by", "colour").status == 2


def test_the_engine_says_how_its_parts_and_models_did(asked: Any, provider: Provider, tmp_path: Path) -> None:
    default_aggregator().reset()
    provider.replies = [whole(401, b'{"error": {"message": "no", "code": "invalid_api_key", "type": "x"}}')]
    with Engine.open(tmp_path / "indexes" / "default") as engine:
        engine.search(QUESTION)
        with pytest.raises(InvalidKeyError):
            engine.ask(QUESTION)
        health = {part.component: part for part in engine.health()}
    assert health["search"].rates.errors == 0
    assert health["ask"].rates.share == 1.0
    (noted,) = [health["openai/gpt-4.1-mini"].last_error]
    assert noted is not None
    assert (noted.code, noted.provider) == ("invalid_key", "openai")
    assert KEY not in repr(health)
