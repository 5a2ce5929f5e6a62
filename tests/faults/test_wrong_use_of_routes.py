"""What users get wrong in a routes file: each mistake is one line that says where and how to mend it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.journeys.conftest import rag  # noqa: F401 - a fixture

GOOD = '[deployments.near]\nmodel = "ollama/llama3.1"\n[routes.main]\nmodels = ["near"]\n'
MISTAKES = {
    "a misspelt key": ('[deployments.far]\nmodle = "openai/x"\n', "deployments.far: unknown key modle", "model,"),
    "a misspelt table": ("[route.other]\nmodels = []\n", "unknown key route", "deployments, providers, routes"),
    "a wrong type": ("[breaker]\nleast_calls = 2.5\n", "breaker.least_calls is 2.5", "whole number from 1"),
    "a number out of range": ("[breaker]\nfailing_share = 50\n", "breaker.failing_share is 50", "above 0 to 1"),
    "a deployment that there is not": ('[routes.r]\nmodels = ["neer"]\n', "no deployment 'neer'", "perhaps 'near'"),
    "a route that there is not": ('[routes.r]\nmodels = ["route/mian"]\n', "no 'route/mian'", "perhaps 'route/main'"),
    "a provider that there is not": ('[routes.r]\nmodels = ["opneai/x"]\n', "'opneai/x'", "one of: anthropic"),
    "a route to itself": (
        '[routes.r]\nmodels = ["route/s"]\n[routes.s]\nmodels = ["route/r"]\n', "leads to itself", "take route/r out",
    ),
    "no models": ("[routes.r]\nmodels = []\n", "routes.r.models is empty", "name at least one model"),
    "two of one name": ('[routes.main]\nmodels = ["near"]\n', "twice", "give one of them another"),
    "a strategy that there is not": (
        '[routes.r]\nmodels = ["near"]\nstrategy = "cheapest"\n', "routes.r", "cost",
    ),
    "an address that is none": (
        '[deployments.far]\nmodel = "openai/x"\nbase_url = "localhost:80"\n[routes.r]\nmodels = ["far"]\n',
        "deployments.far", "https://HOST/PATH",
    ),
    "a key file that is not there": (
        '[deployments.far]\nmodel = "openai/x"\nkey_file = "no.key"\n[routes.r]\nmodels = ["far"]\n',
        "deployments.far", "holds the key and nothing else",
    ),
    "no model": ("[deployments.far]\norder = 1\n", "deployments.far: model is missing", "add model ="),
    "no TOML": ("[routes.r\n", "is no TOML", "mend the file"),
}  # fmt: skip


@pytest.fixture
def said(rag: Any, tmp_path: Path) -> Any:  # noqa: F811
    """What ``rag route`` says over a routes file."""

    def with_file(routes: str, *, model: str = "route/main", more: str = "") -> Any:
        (tmp_path / "routes.toml").write_text(routes)
        (tmp_path / "rag.toml").write_text(f'[llm]\nmodel = "{model}"\nroutes_file = "routes.toml"\n{more}')
        return rag("route", "Why?")

    return with_file


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_file_is_one_line_with_its_mend(said: Any, mistake: str) -> None:
    written, what, mend = MISTAKES[mistake]
    outcome = said(GOOD + written)
    assert outcome.status == 2
    assert outcome.out == ""
    assert outcome.err.count("\n") == 1
    assert "routes.toml" in outcome.err
    assert what in outcome.err
    assert mend in outcome.err


def test_the_file_without_mistakes_is_taken(said: Any) -> None:
    assert said(GOOD).status == 0


def test_a_file_that_is_not_there_is_named(rag: Any, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "rag.toml").write_text('[llm]\nmodel = "route/main"\nroutes_file = "nowhere.toml"\n')
    outcome = rag("route", "Why?")
    assert outcome.status == 2
    assert "nowhere.toml" in outcome.err
    assert "llm.routes_file" in outcome.err


@pytest.mark.parametrize(
    ("model", "more", "what"),
    [
        ("route/mian", "", "perhaps 'route/main'"),
        ("route/main", 'base_url = "http://127.0.0.1:9"\n', "llm.base_url"),
        ("route/main", 'fallbacks = ["route/main"]\n', "a second time"),
        ("route/main", 'fallbacks = ["extractive"]\n', "extractive"),
        ("extractive", 'fallbacks = ["near"]\n', "llm.model"),
        ("near", 'fallbacks = ["gpt-of-nobody"]\n', "gpt-of-nobody"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(said: Any, model: str, more: str, what: str) -> None:
    outcome = said(GOOD, model=model, more=more)
    assert outcome.status == 2
    assert outcome.err.count("\n") == 1
    assert what in outcome.err


def test_a_route_without_a_file_says_which_setting_is_missing(rag: Any, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "rag.toml").write_text('[llm]\nmodel = "route/main"\n')
    outcome = rag("route", "Why?")
    assert outcome.status == 2
    assert "llm.routes_file" in outcome.err


def test_an_unknown_route_task_or_nothing_to_route_is_wrong_usage(said: Any, rag: Any, tmp_path: Path) -> None:  # noqa: F811
    said(GOOD)
    assert "routes: main" in rag("route", "Why?", "--route", "mian").err
    assert rag("route", "Why?", "--task", "singing").status == 2
    assert rag("models", "--probe").status == 2
    assert rag("models", "--health", "--task", "code").status == 2
    (tmp_path / "rag.toml").write_text("")
    outcome = rag("route", "Why?")
    assert outcome.status == 2
    assert "llm.model" in outcome.err
