"""Figures of operations, in this process."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine import tracing
from rag_engine.errors import ParsingError
from rag_engine.tracing import PerformanceMetric, PerformanceTracer, performance_of
from rag_engine.tracing.performance import DURATIONS_KEPT, OPERATIONS_KEPT, OTHERS, RUNS_KEPT


def test_a_span_is_counted_with_its_time() -> None:
    before = tracing.performance.seconds().get("a stage", 0.0)
    with tracing.span("a stage"):
        pass
    assert tracing.performance.seconds()["a stage"] > before


def test_a_failed_span_is_counted_as_failed_by_its_code_and_the_error_goes_on() -> None:
    with pytest.raises(ParsingError), tracing.span("a failing stage"):
        raise ParsingError("bad")
    row = next(row for row in tracing.performance.failing() if row.name == "a failing stage")
    assert row.failed == row.count == 1
    assert row.last_error == "parsing"


def test_the_report_begins_with_what_took_longest_in_all_and_tells_every_figure() -> None:
    tracer = PerformanceTracer()
    tracer.record("short", 0.1)
    for seconds in (3.0, 1.0, 2.0):
        tracer.record("long", seconds)
    first, second = tracer.report()
    assert (first.name, first.count, first.failed, first.seconds, first.mean) == ("long", 3, 0, 6.0, 2.0)
    assert (first.least, first.most, first.p50, first.p95, first.p99) == (1.0, 3.0, 2.0, 3.0, 3.0)
    assert second.name == "short"
    tracer.reset()
    assert tracer.report() == []
    assert tracer.runs() == []


def test_the_slowest_are_slow_on_average_not_in_all() -> None:
    tracer = PerformanceTracer()
    for _ in range(100):
        tracer.record("often", 0.1)
    tracer.record("once", 2.0)
    assert [row.name for row in tracer.report()] == ["often", "once"]
    assert [row.name for row in tracer.slowest()] == ["once", "often"]
    assert [row.name for row in tracer.slowest(1)] == ["once"]


def test_the_failing_come_by_their_share_of_failures_and_others_do_not() -> None:
    tracer = PerformanceTracer()
    for error in ("", "", "timeout"):
        tracer.record("sometimes", 0.1, error=error)
    tracer.record("always", 0.1, error="quota")
    tracer.record("never", 0.1)
    assert [(row.name, row.last_error) for row in tracer.failing()] == [("always", "quota"), ("sometimes", "timeout")]


def test_memory_stays_bounded_however_many_runs_and_names_there_are() -> None:
    tracer = PerformanceTracer()
    for number in range(OPERATIONS_KEPT + 50):
        tracer.record(f"operation {number}", 0.1)
    for _ in range(DURATIONS_KEPT * 3):
        tracer.record("operation 0", 0.1)
    rows = {row.name: row for row in tracer.report()}
    assert len(rows) == OPERATIONS_KEPT + 1
    assert rows[OTHERS].count == 50
    assert rows["operation 0"].count == DURATIONS_KEPT * 3 + 1
    assert len(tracer.runs()) == RUNS_KEPT


def test_threads_do_not_lose_counts() -> None:
    tracer = PerformanceTracer()
    threads = [threading.Thread(target=lambda: [tracer.record("s", 0.001) for _ in range(500)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tracer.report()[0].count == 4000


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200), st.data())
def test_percentiles_are_runs_in_their_order_and_between_the_extremes(
    seconds: list[float], data: st.DataObject
) -> None:
    failed = data.draw(st.lists(st.booleans(), min_size=len(seconds), max_size=len(seconds)))
    runs = [PerformanceMetric("o", taken, "e" if bad else "") for taken, bad in zip(seconds, failed, strict=True)]
    (row,) = performance_of(runs).report()
    assert row.least == min(seconds)
    assert row.most == max(seconds)
    assert row.least <= row.p50 <= row.p95 <= row.p99 <= row.most
    assert {row.p50, row.p95, row.p99} <= set(seconds)
    assert sum(taken <= row.p95 for taken in seconds) >= 0.95 * len(seconds)
    assert (row.count, row.failed) == (len(seconds), sum(failed))
    assert [run.seconds for run in performance_of(runs).runs()] == seconds
