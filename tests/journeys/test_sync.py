"""An index in step with a folder: what is left out, and watching."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any


def test_what_becomes_left_out_is_gone_and_what_was_not_asked_for_stays(rag: Any, tmp_path: Path) -> None:
    for name in ("docs/a.md", "docs/b.md", "docs/drafts/c.md", "other/d.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"# Page {name}\n\nThis is about the page {name}.")
    assert rag("ingest", "docs", "other", "--json").json["documents"]["added"] == 4
    (tmp_path / "docs/.ragignore").write_text("drafts/\n")
    counts = rag("ingest", "docs", "--exclude", "b.*", "--json").json["documents"]
    assert (counts["deleted"], counts["unchanged"]) == (2, 1)
    assert rag("status", "--json").json["documents"] == 2
    counts = rag("ingest", "docs", "--include", "*.md", "--include", "x.txt", "--json").json["documents"]
    assert (counts["added"], counts["unchanged"]) == (1, 1)
    assert rag("ingest", "docs", "--include", "!", "--json").status == 2


def test_copies_are_told_of(rag: Any, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for name in "ab":
        (tmp_path / "docs" / f"{name}.md").write_text("# Refunds\n\nA refund is paid within ten days.")
    assert "1 copies" in rag("ingest", "docs").out
    (result,) = rag("search", "refund", "--mode", "lexical", "--json").json["results"]
    assert (result["document"], result["sources"]) == (
        "docs/a.md",
        [str(tmp_path / "docs/a.md"), str(tmp_path / "docs/b.md")],
    )
    assert rag("status", "--json").json["copies"] == 1
    (tmp_path / "docs/b.md").unlink()
    rag("ingest", "docs")
    (result,) = rag("search", "refund", "--mode", "lexical", "--json").json["results"]
    assert "sources" not in result


def test_watching_keeps_in_step_until_it_is_interrupted(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text("# Refunds\n\nA refund is paid within ten days.")
    environment = os.environ | {
        "RAG_ENGINE_ROOT": str(tmp_path / "indexes"),
        "RAG_ENGINE__INGESTION__WATCH_SECONDS": "0.2",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "rag_engine.cli", "watch", "docs", "--json"],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )  # fmt: skip
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["documents"]["added"] == 1
    (tmp_path / "docs/b.md").write_text("# Delivery\n\nA parcel waits ten days.")
    assert json.loads(process.stdout.readline())["documents"]["added"] == 1
    (tmp_path / "docs/a.md").unlink()
    assert json.loads(process.stdout.readline())["documents"]["deleted"] == 1
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert err == "rag: interrupted; what was committed is kept, and the same command goes on from there\n"
