"""Sends spans and metrics elsewhere, when a user configures it; nothing leaves the process otherwise."""

from __future__ import annotations

import logging
import sys
import threading
from typing import TYPE_CHECKING

from rag_engine.errors import ConfigurationError

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

MEND = "pip install 'rag_engine[otlp]'"
_SIGNALS = ("/v1/traces", "/v1/metrics")

_configuring = threading.Lock()
_configured: tuple[str, str | None] | None = None
_log = logging.getLogger(__name__)


def configure_exporter(*, exporter: str, endpoint: str | None) -> None:
    """Starts exporting: ``otlp`` to a collector at ``endpoint``, ``console`` to stderr, ``none`` not at all.

    Once for a process: where it exports already, by these settings or by the program that it runs in, that goes on.

    Raises:
        ConfigurationError: the packages for exporting are not installed, or the endpoint is no address.
    """
    global _configured  # noqa: PLW0603 - a process has one provider
    if exporter == "none":
        return
    if endpoint is not None and not endpoint.startswith(("http://", "https://")):
        raise ConfigurationError(
            "tracing.endpoint is no http address", hint="write it as http://HOST:4318, without /v1/traces"
        )
    with _configuring:
        if _configured is None:
            _set_providers(exporter, endpoint)
            _configured = exporter, endpoint
        elif _configured != (exporter, endpoint):
            _log.warning("traces are exported as the first index opened in this process said, not as this one says")


def signal_address(endpoint: str | None, signal: str) -> str | None:
    """Where ``signal`` (``/v1/traces`` or ``/v1/metrics``) is sent to; None for the exporter's own default."""
    if endpoint is None:
        return None
    for other in _SIGNALS:
        endpoint = endpoint.removesuffix(other)
    return endpoint.rstrip("/") + signal


def _set_providers(exporter: str, endpoint: str | None) -> None:
    try:
        from opentelemetry import trace
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor
    except ImportError as error:
        raise ConfigurationError(
            f"tracing.exporter is {exporter}, but the OpenTelemetry SDK is not installed", hint=MEND
        ) from error
    from rag_engine.tracing.telemetry import active_tracer

    if active_tracer() is not None:  # the program's own; to set another would only make it complain
        return
    resource = Resource.create({"service.name": "rag_engine"})
    provider = TracerProvider(resource=resource)
    if exporter == "console":
        provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=sys.stderr)))
    else:
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        except ImportError as error:
            raise ConfigurationError(
                "tracing.exporter is otlp, but the OTLP exporter is not installed", hint=MEND
            ) from error
        provider.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(endpoint=signal_address(endpoint, "/v1/traces")))
        )
        _set_meter_provider(resource, endpoint)
    trace.set_tracer_provider(provider)


def _set_meter_provider(resource: Resource, endpoint: str | None) -> None:
    from opentelemetry import metrics
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    reader = PeriodicExportingMetricReader(OTLPMetricExporter(endpoint=signal_address(endpoint, "/v1/metrics")))
    metrics.set_meter_provider(MeterProvider(metric_readers=[reader], resource=resource))
