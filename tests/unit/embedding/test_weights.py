"""Digests of weights that are remembered."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from rag_engine.embedding import WeightDigests


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"some weights")
    return path


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_the_digest_is_the_files(tmp_path: Path, weights: Path) -> None:
    digests = WeightDigests(tmp_path / "cache" / "weights.json")
    assert digests.of(weights) == digests.of(weights) == digest(b"some weights")


def test_other_bytes_of_the_same_size_and_time_have_another_digest(tmp_path: Path, weights: Path) -> None:
    digests = WeightDigests(tmp_path / "weights.json")
    os.utime(weights, (1_000_000, 1_000_000))
    digests.of(weights)
    weights.write_bytes(b"SOME WEIGHTS")
    os.utime(weights, (1_000_000, 1_000_000))
    assert digests.of(weights) == digest(b"SOME WEIGHTS")


@pytest.mark.parametrize("content", [b"no json", b"[]", b'{"%s": [1, 2]}'])
def test_a_damaged_memory_is_passed_over(tmp_path: Path, weights: Path, content: bytes) -> None:
    file = tmp_path / "weights.json"
    file.write_bytes(content.replace(b"%s", str(weights).encode()))
    assert WeightDigests(file).of(weights) == digest(b"some weights")


def test_a_memory_that_cannot_be_written_is_done_without(tmp_path: Path, weights: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert WeightDigests(tmp_path / "file" / "weights.json").of(weights) == digest(b"some weights")
