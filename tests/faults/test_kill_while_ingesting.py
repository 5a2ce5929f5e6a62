"""kill -9 at random moments: nothing that was committed is lost, nothing is doubled, nothing is half there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def test_twenty_killed_ingests_lose_nothing_and_end_like_a_fresh_one() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.faults.kill", "--kills", "20", "--commands", "0", "--files", "50", "--json"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    report = json.loads(done.stdout)
    assert report["examples"] == []
    assert done.returncode == 0, done.stderr
    assert report["kills"] == 20
    assert {report[fault] for fault in ("lost", "doubled", "half", "different", "stuck")} == {0}
    assert len(report["moments"]) >= 3
