"""The command ``rag models``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rag_engine.cli.app import run
from rag_engine.types.models import ModelTask

KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY")
SECRET = "sk-never-shown-0123456789"


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder and without keys."""
    monkeypatch.chdir(tmp_path)
    for key in KEYS:
        monkeypatch.delenv(key, raising=False)


def rag(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = 0
    try:
        run(["models", *arguments])
    except SystemExit as ending:
        status = int(ending.code or 0)
    said = capsys.readouterr()
    return status, said.out, said.err


def rows(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, dict]:
    status, out, err = rag(capsys, "--json", *arguments)
    assert (status, err) == (0, "")
    return {row["name"]: row for row in json.loads(out)["models"]}


def test_each_model_has_every_key_and_the_configured_one_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    found = rows(capsys)
    keys = {
        "name", "aliases", "window", "max_output", "price", "abilities", "tokenizer", "exact", "fitness", "key",
        "known", "configured",
    }  # fmt: skip
    assert all(set(row) == keys for row in found.values())
    assert [name for name, row in found.items() if row["configured"]] == ["extractive/extractive"]
    assert set(found["openai/gpt-5.2"]["price"]) == {"input", "output", "cache_read", "cache_write", "as_of"}
    assert found["cohere/command-a-plus-05-2026"]["price"] is None


def test_a_key_is_told_to_be_there_or_not_and_nothing_of_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rows(capsys)["openai/gpt-5.2"]["key"] == {"needed": True, "places": ["OPENAI_API_KEY"], "set": False}
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    assert rows(capsys)["openai/gpt-5.2"]["key"]["set"]
    for arguments in ((), ("--json",)):
        _, out, err = rag(capsys, *arguments)
        assert SECRET not in out + err
        assert SECRET[3:9] not in out + err


def test_a_key_of_the_settings_counts_for_the_configured_provider(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RAG_ENGINE__LLM__MODEL", "openai/gpt-5.2")
    (tmp_path / "key").write_text(SECRET)
    monkeypatch.setenv("RAG_ENGINE__LLM__KEY_FILE", str(tmp_path / "key"))
    assert rows(capsys)["openai/gpt-5.2"]["key"] == {
        "needed": True, "places": ["OPENAI_API_KEY", "llm.key_file"], "set": True,
    }  # fmt: skip


def test_an_unknown_configured_model_stands_first_with_its_defaults(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_ENGINE__LLM__MODEL", "openai/gpt-99")
    found = rows(capsys)
    assert next(iter(found)) == "openai/gpt-99"
    assert (found["openai/gpt-99"]["known"], found["openai/gpt-99"]["price"]) == (False, None)
    assert "not known: defaults" in rag(capsys)[1]


def test_a_configured_name_that_is_none_does_not_stand_in_the_way(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_ENGINE__LLM__MODEL", "nonsense")
    assert not any(row["configured"] for row in rows(capsys).values())


def test_providers_and_tasks_choose_and_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert {name.split("/")[0] for name in rows(capsys, "--provider", "mistral")} == {"mistral"}
    for_code = rows(capsys, "--task", "code")
    fitness = [row["fitness"]["code"] for row in for_code.values()]
    assert fitness == sorted(fitness, reverse=True)
    assert "extractive/extractive" not in for_code
    assert set(rows(capsys, "--task", "code", "--provider", "mistral")) < set(for_code)


@pytest.mark.parametrize(
    ("option", "value", "told"), [("--provider", "nobody", "anthropic"), ("--task", "cooking", ModelTask.REASONING)]
)
def test_a_wrong_choice_is_wrong_usage_and_the_right_ones_are_named(
    capsys: pytest.CaptureFixture[str], option: str, value: str, told: str
) -> None:
    status, out, err = rag(capsys, option, value)
    assert (status, out) == (2, "")
    assert value in err
    assert told in err


def test_models_of_ones_own_are_listed_and_a_bad_file_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "models.toml"
    monkeypatch.setenv("RAG_ENGINE__LLM__MODELS_FILE", str(file))
    file.write_text('[models."local/mine"]\nwindow = 12_345\n')
    assert rows(capsys)["local/mine"]["window"] == 12_345
    assert "12,345" in rag(capsys)[1]
    file.write_text('[models."local/mine"]\nwindow = -1\n')
    status, out, err = rag(capsys)
    assert (status, out) == (2, "")
    assert "window is -1" in err


def test_the_list_loads_nothing_heavy() -> None:
    program = (
        "import sys\nfrom rag_engine.cli.app import run\n"
        "try: run(['models', '--json'])\nexcept SystemExit: pass\n"
        "print(*({'tiktoken', 'httpx', 'tenacity', 'torch', 'tokenizers'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == ""
