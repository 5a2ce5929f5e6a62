"""Files with deployments and routes: what is read, and what is refused."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import ConfigurationError
from rag_engine.llm.circuit_breaker import BreakerPolicy
from rag_engine.llm.failover_handler import MidStream
from rag_engine.llm.rate_limit import RateLimits
from rag_engine.llm.router import STRATEGIES
from rag_engine.llm.routes import DeploymentEntry, RouteEntry, read_routes, read_routes_file

WHOLE = """
[deployments.paris]
model = "openai/gpt-5.2"
base_url = "https://paris.example.com/v1"
api_version = "v1"
key_variable = "PARIS_KEY"
weight = 2
order = 1
tags = ["eu", "fast"]
local = false
requests_per_minute = 600
input_tokens_per_minute = 400_000
output_tokens_per_minute = 50_000.5
concurrency = 8
budget_per_day = 20
probe_seconds = 60

[deployments.own]
model = "vllm/our-model"

[providers.openai]
budget_per_day = 100.0

[routes.support]
models = ["paris", "anthropic/claude-haiku-4-5", "route/private"]
strategy = "latency"
quality_floor = 0.5
local_only = false
tags = ["eu"]
for_longer = ["google/gemini-2.5-pro"]
for_refused = ["own"]
budget_per_day = 5
attempts = 3
deadline_seconds = 60
first_token_seconds = 8
hedge_quantile = 0.9
hedge_share = 0.1
mid_stream = "buffer"

[routes.private]
models = ["own"]
local_only = true

[breaker]
failing_share = 0.4
least_calls = 3
window_seconds = 20
open_seconds = 2
longest_open_seconds = 60
"""


def test_a_file_with_every_key_is_read_as_it_is_written() -> None:
    said = read_routes(WHOLE, file="routes.toml")
    paris = said.deployments["paris"]
    assert (paris.model, paris.base_url, paris.api_version) == ("openai/gpt-5.2", "https://paris.example.com/v1", "v1")
    assert (paris.key_variable, paris.key_file, paris.weight, paris.order) == ("PARIS_KEY", None, 2.0, 1)
    assert (paris.tags, paris.local) == (frozenset({"eu", "fast"}), False)
    assert paris.limits == RateLimits(600.0, 400_000.0, 50_000.5, 8)
    assert (paris.budget_per_day, paris.probe_seconds) == (20.0, 60.0)
    support = said.routes["support"]
    assert support.models == ("paris", "anthropic/claude-haiku-4-5", "route/private")
    assert (support.strategy, support.quality_floor, support.local_only) == ("latency", 0.5, False)
    assert (support.for_longer, support.for_refused) == (("google/gemini-2.5-pro",), ("own",))
    assert (support.attempts, support.deadline_seconds, support.first_token_seconds) == (3, 60.0, 8.0)
    assert (support.hedge_quantile, support.hedge_share, support.mid_stream) == (0.9, 0.1, MidStream.BUFFER)
    assert said.provider_budgets == {"openai": 100.0}
    assert (said.breaker.failing_share, said.breaker.least_calls, said.breaker.longest_open_seconds) == (0.4, 3, 60.0)


def test_what_is_not_said_has_its_default() -> None:
    said = read_routes('[routes.plain]\nmodels = ["openai/gpt-5.2"]', file="routes.toml")
    route = said.routes["plain"]
    assert (route.strategy, route.local_only, route.tags, route.attempts) == ("priority", False, frozenset(), None)
    assert said.deployments == {}


def test_a_key_file_is_seen_from_the_routes_file(tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text('[deployments.a]\nmodel = "openai/x"\nkey_file = "a.key"\n[routes.r]\nmodels = ["a"]\n')
    assert read_routes_file(file).deployments["a"].key_file == str(tmp_path / "a.key")


def test_a_longer_first_opening_raises_the_longest_one_that_nobody_said() -> None:
    said = read_routes('[routes.r]\nmodels = ["openai/x"]\n[breaker]\nopen_seconds = 100', file="routes.toml")
    assert said.breaker.longest_open_seconds == 100.0


@pytest.mark.parametrize(
    ("written", "place", "mend"),
    [
        ('[routes.a]\nmodels = ["route/a"]', "routes.a", "route/a -> route/a"),
        ('[routes.a]\nmodels = ["route/b"]\n[routes.b]\nmodels = ["route/c"]\n[routes.c]\nmodels = ["route/b"]',
         "routes.b", "route/b -> route/c -> route/b"),
        ('[routes.a]\nmodels = ["openai/x"]\nfor_longer = ["route/a"]', "routes.a", "route/a -> route/a"),
        ('[routes.a]\nmodels = ["openai/x"]\n[breaker]\nopen_seconds = 9\nlongest_open_seconds = 3',
         "breaker.longest_open_seconds", "at least open_seconds"),
        ('[routes.a]\nmodels = ["openai/x", "openai/x"]', "routes.a.models", "leave one of them out"),
        ('[deployments."a/b"]\nmodel = "openai/x"', "deployments.a/b", "no slash"),
        ('[deployments.a]\nmodel = "openai/x"\nkey_file = "k"\nkey_variable = "K"', "deployments.a", "leave one"),
        ("", "routes.toml", "[routes.NAME]"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_place_and_mend(written: str, place: str, mend: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_routes(written, file="routes.toml")
    assert place in raised.value.message
    assert mend in raised.value.public_message


@given(st.text(max_size=200))
def test_no_text_breaks_the_reading(text: str) -> None:
    with pytest.raises(ConfigurationError):
        read_routes(text, file="routes.toml")


@given(
    key=st.sampled_from(
        ["models", "strategy", "quality_floor", "local_only", "tags", "attempts", "deadline_seconds", "mid_stream"]
    ),
    value=st.sampled_from(["-1", "true", '""', "[]", "{}", "nan", "inf", '[["a"]]', "[1]", "1e400", "99"]),
)
def test_a_value_of_another_kind_is_refused_and_names_its_key_or_is_one_that_fits(key: str, value: str) -> None:
    models = "" if key == "models" else 'models = ["openai/x"]\n'
    try:
        read_routes(f"[routes.r]\n{models}{key} = {value}\n", file="routes.toml")
    except ConfigurationError as error:
        assert f"routes.r.{key}" in error.message  # noqa: PT017 - some of the values fit


def handbook() -> str:
    """The handbook's section on several models."""
    page = (Path(__file__).parents[4] / "docs" / "models.md").read_text(encoding="utf-8")
    return page.split("\n## Several models\n")[1].split("\n## ")[0]


def test_the_handbooks_example_is_read_and_its_routes_are_made() -> None:
    _, example = re.findall(r"```toml\n(.*?)```", handbook(), re.DOTALL)
    said = read_routes(example, file="routes.toml")
    assert list(said.routes) == ["support", "private", "cheap"]
    assert said.routes["cheap"].models[0] == "route/private"


def test_every_key_and_strategy_stands_in_the_handbook() -> None:
    text = handbook()
    for record in (DeploymentEntry, RouteEntry, RateLimits, BreakerPolicy):
        for field in fields(record):
            if field.name not in ("name", "place", "key", "limits"):
                assert f"`{field.name}`" in text, field.name
    for strategy in STRATEGIES:
        assert f"| `{strategy}` |" in text
