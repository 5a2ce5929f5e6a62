"""Compiled models in the user's cache folder: made once, whole or absent, and never the reason for a failure."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rag_engine.embedding import SentenceTransformerEmbedder, embedding_path, find_model, open_embedder
from rag_engine.embedding.compiled import RUNTIMES, CompiledEmbedder, CompiledModels
from rag_engine.embedding.model_source import ModelFiles

MakeModel = Callable[..., Path]
TEXTS = ["How are refunds paid?", "cells have walls", "", "refund " * 300]


@pytest.fixture
def files(tiny_model: MakeModel) -> ModelFiles:
    return find_model(str(tiny_model(0)))


@pytest.fixture(scope="module")
def made(tiny_model: MakeModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder in which the tiny model is compiled."""
    cache = tmp_path_factory.mktemp("cache")
    assert isinstance(opened(find_model(str(tiny_model(0))), cache), CompiledEmbedder)
    return cache


@pytest.fixture
def cache(made: Path, tmp_path: Path) -> Path:
    """A copy of that folder, which the test may spoil."""
    return Path(shutil.copytree(made, tmp_path / "cache"))


def opened(files: ModelFiles, cache: Path) -> CompiledEmbedder | SentenceTransformerEmbedder:
    embedder = open_embedder(files, runtime="auto", cache=cache, batch_size=32)
    assert isinstance(embedder, (CompiledEmbedder, SentenceTransformerEmbedder))
    return embedder


def programs(cache: Path) -> list[Path]:
    return sorted((cache / "compiled").glob("*/*.program"))


def test_a_compiled_model_answers_as_the_original(files: ModelFiles, cache: Path) -> None:
    compiled, original = opened(files, cache), SentenceTransformerEmbedder(files=files)
    for mine, theirs in (
        (compiled.embed(TEXTS), original.embed(TEXTS)),
        (compiled.embed_queries(TEXTS), original.embed_queries(TEXTS)),
    ):
        assert (mine * theirs).sum(axis=1).min() > 0.9
    assert compiled.identity.runtime != original.identity.runtime
    assert compiled.identity.weights == original.identity.weights


def test_it_is_compiled_once(files: ModelFiles, cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    opened(files, cache)
    assert "compiling" not in caplog.text


def test_the_choice_and_what_was_measured_are_told(files: ModelFiles, cache: Path) -> None:
    path = embedding_path(files, runtime="auto", cache=cache)
    assert path.documents.partition(" ")[0] in RUNTIMES
    assert path.questions.partition(" ")[0] in RUNTIMES
    assert "measured on this machine" in path.why
    assert set(path.candidates) == set(RUNTIMES)


def test_nothing_is_compiled_to_tell_what_would_run(files: ModelFiles, tmp_path: Path) -> None:
    assert "not compiled yet" in embedding_path(files, runtime="auto", cache=tmp_path).documents
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", ["cut short", "other bytes", "no manifest", "half a manifest"])
def test_a_damaged_model_is_not_used(files: ModelFiles, cache: Path, damage: str) -> None:
    program = programs(cache)[0]
    manifest = program.parent / "manifest.json"
    match damage:
        case "cut short":
            program.write_bytes(program.read_bytes()[:1000])
        case "other bytes":
            program.write_bytes(bytes(program.stat().st_size))
        case "no manifest":
            manifest.unlink()
        case _:
            manifest.write_text(manifest.read_text()[:40])
    assert "not compiled yet" in embedding_path(files, runtime="auto", cache=cache).documents


def test_a_damaged_model_is_compiled_anew(files: ModelFiles, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    models = CompiledModels(tmp_path, runtimes=("onnxruntime-fp32",), threads=1)
    folder = models.find_or_compile(files).folder
    (folder / "onnxruntime-fp32.program").write_bytes(b"damage")
    caplog.clear()
    found = models.find_or_compile(files)
    assert "is damaged" in caplog.text
    assert found.manifest is not None
    assert CompiledEmbedder(files=files, folder=found.folder, manifest=found.manifest).embed(TEXTS).shape == (4, 32)


def test_a_model_compiled_for_other_weights_or_threads_or_runtimes_is_not_taken(
    files: ModelFiles, tiny_model: MakeModel, cache: Path
) -> None:
    other = find_model(str(tiny_model(1)))
    threads = len(os.sched_getaffinity(0))
    models = CompiledModels(cache / "compiled", runtimes=RUNTIMES, threads=threads)
    assert models.find(files) is not None
    assert models.find(other) is None
    assert CompiledModels(cache / "compiled", runtimes=RUNTIMES, threads=threads + 1).find(files) is None
    assert CompiledModels(cache / "compiled", runtimes=RUNTIMES[:2], threads=threads).find(files) is None


def test_where_the_cache_cannot_be_written_the_original_runs(
    files: ModelFiles, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")
    embedder = opened(files, tmp_path / "file")
    assert isinstance(embedder, SentenceTransformerEmbedder)
    assert "cannot be used" in caplog.text
    assert embedder.embed(["a text"]).shape == (1, 32)


def test_where_no_runtime_is_installed_the_original_runs(files: ModelFiles, tmp_path: Path) -> None:
    found = CompiledModels(tmp_path, runtimes=("absent-int8",), threads=1).find_or_compile(files)
    assert found.manifest is None
    assert "no runtime is installed" in str(found.refusal)


def test_a_model_that_cannot_be_compiled_is_tried_once(files: ModelFiles, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(files.folder, tmp_path / "model"))
    # Pooling that leaves the prompt out depends on the text, which a graph of token ids does not see.
    pooling = next(folder.glob("*Pooling*/config.json"))
    pooling.write_text(json.dumps(json.loads(pooling.read_text()) | {"include_prompt": False}))
    prompts = folder / "config_sentence_transformers.json"
    prompts.write_text(json.dumps(json.loads(prompts.read_text()) | {"prompts": {"query": "query: ", "document": ""}}))
    cache, other = tmp_path / "cache", find_model(str(folder))
    embedder = open_embedder(other, runtime="onnxruntime-fp32", cache=cache, batch_size=32)
    assert isinstance(embedder, SentenceTransformerEmbedder)
    path = embedding_path(other, runtime="onnxruntime-fp32", cache=cache)
    assert "sentence-transformers" in path.documents
    assert "leaves the prompt out" in path.why
    assert np.isfinite(embedder.embed(["a text"])).all()


_COMPILE = """
import sys
from pathlib import Path
from rag_engine.embedding import find_model
from rag_engine.embedding.compiled import CompiledModels
models = CompiledModels(Path(sys.argv[2]), runtimes=("onnxruntime-fp32",), threads=1)
print(models.find_or_compile(find_model(sys.argv[1])).manifest.documents)
"""


def compiling(files: ModelFiles, cache: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _COMPILE, str(files.folder), str(cache)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_of_two_processes_one_compiles_also_after_a_third_was_killed_at_it(files: ModelFiles, tmp_path: Path) -> None:
    killed = compiling(files, tmp_path)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("unfinished-*")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()

    both = [compiling(files, tmp_path) for _ in range(2)]
    told = [process.communicate(timeout=300) for process in both]
    assert [out.strip() for out, _ in told] == ["onnxruntime-fp32"] * 2
    assert sum("compiling" in errors for _, errors in told) == 1
    assert not list(tmp_path.glob("unfinished-*"))
