"""Ctrl-C: a clean end with a line that says what is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path


def test_an_interrupted_ingest_says_so_and_goes_on_from_there(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    for number in range(3000):
        (folder / f"{number}.txt").write_text(f"Text number {number} is about nothing much. " * 40, encoding="utf-8")
    environment = os.environ | {
        "RAG_ENGINE_ROOT": str(tmp_path / "indexes"),
        "RAG_ENGINE__INGESTION__BATCH_CHUNKS": "8",
    }
    command = [sys.executable, "-m", "rag_engine.cli", "ingest", "docs"]
    # A process started in the background ignores the signal; a user's does not.
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )  # fmt: skip
    catalog = tmp_path / "indexes" / "default" / "rag.lock.json"
    while not catalog.exists():
        assert process.poll() is None, process.communicate()
        try:
            process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            continue
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert err == "rag: interrupted; what was committed is kept, and the same command goes on from there\n"
