"""What is noted beside a compiled model."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rag_engine.embedding.compiled.manifest import Manifest, Measured, StoredFile


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "openvino-int8.program"
    path.write_bytes(b"weights " * 1000)
    return path


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path, program: Path) -> None:
    manifest = Manifest(
        "openvino-int8",
        "openvino-int8",
        2,
        {"openvino": "1.2"},
        {"openvino-int8": Measured(None, 1000, 2.5, 0.1, 0.99, 0.95, 0.9), "onnxruntime-int8": Measured("absent")},
        {"openvino-int8": StoredFile.of(program)},
    )
    manifest.write(tmp_path)
    assert Manifest.read(tmp_path) == manifest
    assert manifest.described("openvino-int8") == "openvino-int8 1.2"


def test_a_file_that_was_copied_is_whole(tmp_path: Path, program: Path) -> None:
    stored = StoredFile.of(program)
    os.utime(program, (1, 1))
    assert stored.is_whole(tmp_path)


@pytest.mark.parametrize("damage", [b"", b"weights " * 999, b"WEIGHTS " * 1000, None])
def test_a_file_that_was_damaged_is_not(tmp_path: Path, program: Path, damage: bytes | None) -> None:
    stored = StoredFile.of(program)
    if damage is None:
        program.unlink()
    else:
        program.write_bytes(damage)
        os.utime(program, (1, 1))
    assert not stored.is_whole(tmp_path)
