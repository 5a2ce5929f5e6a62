"""``rag route``: who would answer, and why not the others. Nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faults.socket_server import SocketServer, whole
from tests.journeys.conftest import rag  # noqa: F401 - a fixture

QUESTION = "Why is the sky blue?"


@pytest.fixture
def routed(rag: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:  # noqa: F811
    """``rag`` with two deployments of a server's, of which nothing is to come to it."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-nobody-0123456789")

    def refused(request: object, number: int) -> Any:
        return whole(500, b"{}")

    with SocketServer(refused) as server:
        (tmp_path / "routes.toml").write_text(
            f'[deployments.near]\nmodel = "ollama/llama3.1"\nbase_url = "{server.url}"\ntags = ["eu"]\n'
            '[deployments.far]\nmodel = "openai/gpt-5.2"\nbase_url = "http://models.example.com/v1"\n'
            '[routes.main]\nmodels = ["far", "near"]\n[routes.private]\nmodels = ["far", "near"]\nlocal_only = true\n'
        )
        (tmp_path / "rag.toml").write_text('[llm]\nmodel = "route/main"\nroutes_file = "routes.toml"\n')
        yield rag
        assert server.requests == []


def test_it_names_who_would_be_asked_first(routed: Any) -> None:
    outcome = routed("route", QUESTION)
    assert outcome.status == 0
    assert outcome.out.startswith("far (openai/gpt-5.2)")
    assert "near" not in outcome.out
    fields = routed("route", QUESTION, "--json").json
    assert (fields["route"], fields["strategy"], fields["chosen"]) == ("route/main", "priority", "far")
    assert fields["model"] == "openai/gpt-5.2"
    assert "candidates" not in fields


def test_explaining_shows_every_deployment_with_its_place_or_its_failed_check(routed: Any) -> None:
    outcome = routed("route", QUESTION, "--explain", "--local-only")
    assert outcome.status == 0
    assert outcome.out.startswith("near")
    assert "privacy" in outcome.out
    near, far = routed("route", QUESTION, "--explain", "--json", "--tag", "eu").json["candidates"]
    assert (near["deployment"], near["place"], near["failed"]) == ("near", 1, None)
    assert (far["deployment"], far["place"], far["failed"]) == ("far", None, "tags")
    assert far["cost"] > 0
    assert far["reason"]


def test_a_model_whose_key_is_not_there_is_left_and_the_next_one_named(
    routed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    near, far = routed("route", QUESTION, "--explain", "--json").json["candidates"]
    assert (near["deployment"], near["place"]) == ("near", 1)
    assert (far["deployment"], far["place"], far["failed"]) == ("far", None, "key")
    assert "OPENAI_API_KEY" in far["reason"]


def test_a_route_is_chosen_by_its_name_and_a_task_is_taken_as_said(routed: Any) -> None:
    fields = routed("route", QUESTION, "--route", "private", "--task", "code", "--json").json
    assert (fields["route"], fields["chosen"], fields["task"]) == ("route/private", "near", "code")
    assert routed("route", QUESTION, "--route", "route/private", "--json").json["chosen"] == "near"


def test_where_no_model_would_answer_each_says_why_and_the_status_is_1(routed: Any) -> None:
    outcome = routed("route", QUESTION, "--tag", "moon")
    assert outcome.status == 1
    assert "no model would answer" in outcome.out
    assert outcome.out.count("moon") == 2
    assert routed("route", QUESTION, "--tag", "moon", "--json").json["chosen"] is None


def test_a_single_model_and_its_fallbacks_are_a_route(rag: Any, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "rag.toml").write_text('[llm]\nmodel = "ollama/llama3.1"\n')
    assert rag("route", QUESTION, "--json").json["chosen"] == "ollama/llama3.1"
    (tmp_path / "rag.toml").write_text('[llm]\nmodel = "openai/gpt-5.2"\nfallbacks = ["ollama/llama3.1"]\n')
    assert rag("route", QUESTION, "--local-only", "--json").json["chosen"] == "ollama/llama3.1"


def test_an_empty_question_is_wrong_usage(routed: Any) -> None:
    assert routed("route", " ").status == 2
