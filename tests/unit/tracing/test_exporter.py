"""Exporting: to whom, only when configured, over a real socket where the exporter is installed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from rag_engine import tracing
from rag_engine.errors import ConfigurationError
from rag_engine.tracing.exporter import signal_address


def program(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", text, *arguments], capture_output=True, text=True, check=True, timeout=60
    )


CONSOLE = """
from rag_engine import tracing
from rag_engine.errors import ParsingError
tracing.configure_exporter(exporter="console", endpoint=None)
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
    result = program(CONSOLE)
    identifier = result.stdout.strip()
    assert len(identifier) == 32
    assert result.stderr.count(f'"trace_id": "0x{identifier}"') >= 2
    assert result.stderr.count('"name": "inner"') == 1
    assert '"rag.documents": 3' in result.stderr
    assert '"error.type": "parsing"' in result.stderr
    assert "secret" not in result.stderr
    assert "Overriding" not in result.stderr


HOST = """
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from rag_engine import tracing
with tracing.span("nobody listens yet"): pass
exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
metrics.set_meter_provider(MeterProvider(metric_readers=[reader]))
tracing.configure_exporter(exporter="console", endpoint=None)  # the program's own goes on
with trace.get_tracer("host").start_as_current_span("the program's"):
    with tracing.span("ask"):
        with tracing.chat_span(provider="openai", model="m"):
            with trace.get_tracer("host").start_as_current_span("sending"): pass
spans = {span.name: span for span in exporter.get_finished_spans()}
names = {span.context.span_id: name for name, span in spans.items()}
for name, span in spans.items():
    print(name, "<", names[span.parent.span_id] if span.parent else "-")
for scope in reader.get_metrics_data().resource_metrics[0].scope_metrics:
    print(scope.scope.name, *(metric.name for metric in scope.metrics))
"""


def test_in_a_program_that_exports_our_spans_stand_among_its_own() -> None:
    result = program(HOST)
    assert result.stdout.splitlines() == [
        "sending < chat m",
        "chat m < ask",
        "ask < the program's",
        "the program's < -",
        "rag_engine gen_ai.client.operation.duration",
    ]
    assert "Overriding" not in result.stderr


def test_an_exporter_without_its_package_is_refused_with_the_mend() -> None:
    result = program(
        "import sys\nsys.modules['opentelemetry.exporter.otlp.proto.http.trace_exporter'] = None\n"
        "from rag_engine import tracing\nfrom rag_engine.errors import ConfigurationError\n"
        "try: tracing.configure_exporter(exporter='otlp', endpoint=None)\n"
        "except ConfigurationError as error: print(error.public_message)"
    )
    assert "rag_engine[otlp]" in result.stdout


def test_no_exporter_is_no_work() -> None:
    tracing.configure_exporter(exporter="none", endpoint=None)


def test_an_endpoint_that_is_no_address_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no http address"):
        tracing.configure_exporter(exporter="otlp", endpoint="localhost:4318")


@pytest.mark.parametrize(
    "endpoint", ["http://h:4318", "http://h:4318/", "http://h:4318/v1/traces", "http://h:4318/v1/metrics"]
)
def test_each_signal_goes_to_its_own_address_however_the_collectors_is_written(endpoint: str) -> None:
    assert signal_address(endpoint, "/v1/traces") == "http://h:4318/v1/traces"
    assert signal_address(endpoint, "/v1/metrics") == "http://h:4318/v1/metrics"
    assert signal_address(None, "/v1/traces") is None


SENDER = """
import sys
from rag_engine import tracing
from rag_engine.types.generation import Usage
tracing.configure_exporter(exporter="otlp", endpoint=sys.argv[1])
with tracing.span("ask"):
    with tracing.chat_span(provider="openai", model="m", stream=True) as span:
        span.chunk()
        span.set_usage(Usage(3, 4))
"""


def _has_otlp_exporter() -> bool:
    try:
        return importlib.util.find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.skipif(not _has_otlp_exporter(), reason="needs opentelemetry-exporter-otlp-proto-http, the extra otlp")
def test_spans_and_metrics_come_to_a_collector_over_http() -> None:
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    received: dict[str, list[bytes]] = {}

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                import gzip

                body = gzip.decompress(body)
            received.setdefault(self.path, []).append(body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            program(SENDER, f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
            thread.join()
    assert set(received) == {"/v1/traces", "/v1/metrics"}
    traces = ExportTraceServiceRequest.FromString(received["/v1/traces"][0])
    assert [span.name for span in traces.resource_spans[0].scope_spans[0].spans] == ["chat m", "ask"]
    metrics = ExportMetricsServiceRequest.FromString(received["/v1/metrics"][0])
    assert {metric.name for metric in metrics.resource_metrics[0].scope_metrics[0].metrics} == {
        "gen_ai.client.operation.duration",
        "gen_ai.client.operation.time_to_first_chunk",
        "gen_ai.client.token.usage",
    }
