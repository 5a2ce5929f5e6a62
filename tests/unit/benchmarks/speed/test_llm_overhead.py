"""The comparison of what clients cost: its server, its programs, and its figures."""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

import pytest

from benchmarks.speed.llm_contenders import BASELINE, FLOOR, OURS, Contender, ContenderError
from benchmarks.speed.llm_overhead import LEAST_MS, Samples, figures, percentile, times_ours
from benchmarks.speed.llm_server import running_server


def test_each_way_gets_the_whole_answer_of_the_server_whole_and_streamed() -> None:
    # A program ends where the answer is not what was sent.
    with running_server() as url, Contender(OURS, Path(sys.executable), url, (OURS, BASELINE, FLOOR)) as program:
        assert program.start["rss_mb"] > 1
        assert program.start["import_ms"] >= program.start["library_ms"] > 0
        for way in program.ways:
            for kind in ("whole", "stream", "slow"):
                batch = program.batch(way, kind, 2)
                assert len(batch["seconds"]) == 2
                assert len(batch["first"]) == (0 if kind == "whole" else 2)
                assert batch["processor"] > 0
            # Chunks came one by one: over a hundred of them, each a millisecond after the one before.
            assert min(batch["seconds"]) > 0.1 > max(batch["first"])


def test_a_program_that_gets_no_answer_says_why() -> None:
    contender = Contender(OURS, Path(sys.executable), "http://127.0.0.1:9", (BASELINE,))
    with pytest.raises(ContenderError, match=r"ended with status 1: .*Connect"), contender:
        pass


def samples(whole: float, chunk: float) -> dict[str, Samples]:
    stream = Samples([chunk * 100] * 3, [chunk] * 3, [chunk * 100])
    return {"whole": Samples([whole] * 9 + [whole * 10], [], [whole]), "stream": stream, "slow": stream}


def test_what_is_added_is_added_to_raw_httpx_in_the_same_program() -> None:
    values = defaultdict(Samples)
    for way, of in {OURS: samples(0.0015, 30e-6), BASELINE: samples(0.001, 20e-6)}.items():
        values.update({(way, kind): one for kind, one in of.items()})

    told = figures(values)

    assert told[OURS]["call_ms_p50"] == pytest.approx(1.5)
    assert told[OURS]["call_ms_p99"] == pytest.approx(15)
    assert told[OURS]["chunk_us"] == pytest.approx(30)
    assert told[OURS]["added_call_ms_p50"] == pytest.approx(0.5)
    assert told[OURS]["added_chunk_us"] == pytest.approx(10)
    assert set(told[BASELINE].values()) >= {0.0}


def test_a_ratio_counts_less_than_the_clock_tells_apart_as_that() -> None:
    added = {"call_processor_ms": 1.0, "chunk_us": 2.0, "chunk_processor_us": 4.0}
    ours = {f"added_{name}": value for name, value in added.items()} | {"added_call_ms_p50": -3.0}
    other = {f"added_{name}": 20 * value for name, value in added.items()} | {"added_call_ms_p50": 2.0}

    ratios = times_ours({OURS: ours, "other": other}, "other")

    assert ratios == {
        "call_ms_p50": 2.0 / LEAST_MS,
        "call_processor_ms": 20.0,
        "chunk_us": 20.0,
        "chunk_processor_us": 20.0,
    }


@pytest.mark.parametrize(("share", "value"), [(0.5, 51), (0.99, 100), (1.0, 100), (0.0, 1)])
def test_a_percentile_is_a_value_of_the_sample(share: float, value: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == value
