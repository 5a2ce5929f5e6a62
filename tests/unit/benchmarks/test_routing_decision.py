"""The measurement of decisions measures every strategy, and says which is which."""

from __future__ import annotations

import json

import pytest

from benchmarks.routing import decision
from rag_engine.llm.router import STRATEGIES


def test_every_strategy_has_a_row_for_every_size(capsys: pytest.CaptureFixture[str]) -> None:
    decision.main(["--json", "--calls", "3", "--deployments", "2", "5", "--open", "0.5"])
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["strategy"], row["deployments"]) for row in rows] == [
        (name, size) for size in (2, 5) for name in STRATEGIES
    ]
    assert all(row["median_us"] > 0 and row["whole_us"] > 0 for row in rows)
