"""One writer at a time, across real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rag_engine.errors import IndexLockedError
from rag_engine.index import writer_lock

HOLDER = """
import sys, pathlib
from rag_engine.index import writer_lock
with writer_lock(pathlib.Path(sys.argv[1]), wait_seconds=10, purpose="a long ingest"):
    print("held", flush=True)
    sys.stdin.read()
"""


def start_holder(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_writer_waits_and_is_told_who_writes(tmp_path: Path) -> None:
    with start_holder(tmp_path) as holder:
        with (
            pytest.raises(IndexLockedError) as raised,
            writer_lock(tmp_path, wait_seconds=0.1, purpose="another"),
        ):
            pass
        assert f"process {holder.pid} " in raised.value.message
        assert "a long ingest" in raised.value.message
        assert raised.value.retryable
        holder.communicate("")
    with writer_lock(tmp_path, wait_seconds=10, purpose="another"):
        pass


def test_the_lock_of_a_killed_writer_is_free(tmp_path: Path) -> None:
    with start_holder(tmp_path) as holder:
        holder.kill()
    with writer_lock(tmp_path, wait_seconds=10, purpose="the next one"):
        assert f'"pid": {os.getpid()}' in (tmp_path / "writer.json").read_text()
    assert not (tmp_path / "writer.json").exists()


def test_a_second_writer_gets_the_lock_when_the_first_one_ends(tmp_path: Path) -> None:
    with start_holder(tmp_path) as holder:
        second = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with second:
            holder.communicate("")
            assert second.communicate("")[0] == "held\n"


def test_two_threads_of_one_process_exclude_each_other_too(tmp_path: Path) -> None:
    with (
        writer_lock(tmp_path, wait_seconds=1, purpose="first"),
        pytest.raises(IndexLockedError),
        writer_lock(tmp_path, wait_seconds=0.1, purpose="second"),
    ):
        pass


def test_a_note_that_cannot_be_read_names_another_process(tmp_path: Path) -> None:
    with writer_lock(tmp_path, wait_seconds=1, purpose="first"):
        (tmp_path / "writer.json").write_text("{")
        with (
            pytest.raises(IndexLockedError, match="another process"),
            writer_lock(tmp_path, wait_seconds=0.1, purpose="second"),
        ):
            pass
