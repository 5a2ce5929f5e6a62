"""The routes that settings make."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag_engine.errors import ConfigurationError
from rag_engine.llm.routes import SETTINGS_ROUTE, configured_table, open_route_table
from rag_engine.types.generation import Prompt


def test_the_model_and_its_fallbacks_are_a_route_in_their_order() -> None:
    table, answering = configured_table(
        model="openai/gpt-5.2", base_url="http://127.0.0.1:9/v1", fallbacks=("ollama/llama3.1",), attempts=1
    )
    routes = open_route_table(table, environment={"OPENAI_API_KEY": "sk-one"})
    first, second = routes[answering].deployments
    assert (answering, first.name, second.name) == (SETTINGS_ROUTE, "openai/gpt-5.2", "ollama/llama3.1")
    assert first.local  # by its address
    assert [one.place for one in routes[answering].decide(Prompt.plain("Why?")).candidates] == [1, 2]


def test_fallbacks_may_be_deployments_and_routes_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text('[deployments.near]\nmodel = "ollama/llama3.1"\n[routes.r]\nmodels = ["near"]\n')
    table, answering = configured_table(model="route/r", fallbacks=("near", "vllm/m"), routes_file=str(file))
    assert table.routes[answering].models == ("route/r", "near", "vllm/m")
    assert [one.name for one in open_route_table(table)[answering].deployments] == ["route/r", "near", "vllm/m"]


def test_a_route_of_the_file_answers_itself_where_there_are_no_fallbacks(tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text('[routes.r]\nmodels = ["ollama/llama3.1"]\n')
    table, answering = configured_table(model="route/r", routes_file=str(file))
    assert (list(table.routes), answering) == (["r"], "r")


def test_without_a_model_nothing_answers_and_the_files_routes_are_there(tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text('[routes.r]\nmodels = ["ollama/llama3.1"]\n')
    table, answering = configured_table(model="extractive", routes_file=str(file))
    assert (list(table.routes), answering) == (["r"], "")


def test_a_route_of_the_file_may_not_have_the_name_of_the_settings_own(tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text('[routes."llm.model"]\nmodels = ["ollama/llama3.1"]\n')
    with pytest.raises(ConfigurationError, match="settings' own"):
        configured_table(model="vllm/m", routes_file=str(file))
