"""Spans and in-process statistics."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from rag_engine import tracing
from rag_engine.errors import ConfigurationError, ParsingError
from rag_engine.tracing import Statistics


def test_a_span_is_counted_with_its_time() -> None:
    before = tracing.statistics.seconds().get("a stage", 0.0)
    with tracing.span("a stage"):
        pass
    assert tracing.statistics.seconds()["a stage"] > before


def test_a_failed_span_is_counted_as_failed_and_the_error_goes_on() -> None:
    with pytest.raises(ParsingError), tracing.span("a failing stage"):
        raise ParsingError("bad")
    row = next(row for row in tracing.statistics.report() if row.name == "a failing stage")
    assert row.failed == row.count == 1


def test_the_report_begins_with_what_took_longest() -> None:
    statistics = Statistics()
    statistics.record("short", 0.1)
    for seconds in (1.0, 2.0, 3.0):
        statistics.record("long", seconds)
    first, second = statistics.report()
    assert (first.name, first.count, first.seconds, first.p50, first.p95) == ("long", 3, 6.0, 2.0, 3.0)
    assert second.name == "short"
    statistics.reset()
    assert statistics.report() == []


def test_threads_do_not_lose_counts() -> None:
    statistics = Statistics()
    threads = [threading.Thread(target=lambda: [statistics.record("s", 0.001) for _ in range(500)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statistics.report()[0].count == 4000


def test_without_an_exporter_there_is_no_trace() -> None:
    with tracing.span("outer"):
        assert tracing.current_trace_id() == ""


EXPORTING = """
from rag_engine import tracing
from rag_engine.errors import ParsingError
tracing.configure_exporter(exporter="console", endpoint=None)
with tracing.span("outer", {"rag.documents": 3}):
    print(tracing.current_trace_id())
    try:
        with tracing.span("inner"):
            raise ParsingError("the secret text of a document")
    except ParsingError:
        pass
"""


def test_the_console_exporter_writes_spans_to_stderr_without_the_errors_text() -> None:
    result = subprocess.run([sys.executable, "-c", EXPORTING], capture_output=True, text=True, check=True)
    assert len(result.stdout.strip()) == 32
    assert '"name": "inner"' in result.stderr
    assert '"rag.documents": 3' in result.stderr
    assert '"error.type": "parsing"' in result.stderr
    assert "secret" not in result.stderr


def test_an_exporter_without_its_package_is_refused_with_the_mend() -> None:
    program = (
        "import sys\nsys.modules['opentelemetry.exporter.otlp.proto.http.trace_exporter'] = None\n"
        "from rag_engine import tracing\nfrom rag_engine.errors import ConfigurationError\n"
        "try: tracing.configure_exporter(exporter='otlp', endpoint=None)\n"
        "except ConfigurationError as error: print(error.public_message)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "rag_engine[otlp]" in result.stdout


def test_no_exporter_is_no_work() -> None:
    tracing.configure_exporter(exporter="none", endpoint=None)
    assert ConfigurationError.code == "configuration"
