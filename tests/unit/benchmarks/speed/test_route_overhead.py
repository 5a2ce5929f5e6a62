"""The comparison of what routes add: its programs, and its figures."""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

import pytest

from benchmarks.speed.llm_contenders import OURS, Contender
from benchmarks.speed.llm_overhead import Samples
from benchmarks.speed.llm_server import running_server
from benchmarks.speed.route_overhead import BATCHES, BY_STREAM, PROGRAMS, WAYS, WIRE, figures, short_of


def test_each_way_gets_the_whole_answer_of_the_server_whole_and_streamed() -> None:
    # A program ends where the answer is not what was sent.
    with (
        running_server() as url,
        Contender(OURS, Path(sys.executable), url, WAYS[OURS], program=PROGRAMS[OURS]) as program,
    ):
        for way in program.ways:
            for kind, count in BATCHES.items():
                assert len(program.batch(way, kind, count)["seconds"]) == count


def test_what_is_added_is_added_to_the_wire_and_to_its_streams_where_whole_answers_are_read_as_such() -> None:
    samples: dict[tuple[str, str], Samples] = defaultdict(Samples)
    for way, whole, stream in ((WIRE, 0.001, 0.004), ("route_2", 0.0012, 0.0045), (BY_STREAM, 0.005, 0.006)):
        samples[way, "whole"].seconds += [whole] * 99 + [2 * whole] * 2
        samples[way, "stream"].seconds += [stream] * 101

    told = figures(samples, WIRE)

    assert told["route_2"]["added_whole_ms_p50"] == pytest.approx(0.2)
    assert told["route_2"]["added_whole_ms_p99"] == pytest.approx(0.4)
    assert told["route_2"]["added_stream_ms_p50"] == pytest.approx(0.5)
    assert told[BY_STREAM]["added_whole_ms_p50"] == pytest.approx(1.0)
    assert told[BY_STREAM]["added_stream_ms_p50"] == pytest.approx(2.0)
    assert told[WIRE]["added_whole_ms_p50"] == 0.0


def test_each_aim_that_is_missed_is_said() -> None:
    aims = {"p50": 0.35, "p99": 1.0}
    record = {f"worst_added_over_{base}_ms_{part}": aims[part] for base in ("transport", "httpx") for part in aims}
    record |= {"least_times_p50": 10.0}
    assert short_of(record) == []
    for name, value in record.items():
        missed = value * (0.9 if name == "least_times_p50" else 1.1)
        assert len(short_of({**record, name: missed})) == 1, name
    assert short_of({**record, "least_times_p50": None}) == []
