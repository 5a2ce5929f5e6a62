"""Sends spans elsewhere, when a user configures it; nothing leaves the process otherwise."""

from __future__ import annotations

from rag_engine.errors import ConfigurationError


def configure_exporter(*, exporter: str, endpoint: str | None) -> None:
    """Starts exporting: ``otlp`` to a collector at ``endpoint``, ``console`` to stderr, ``none`` not at all.

    Raises:
        ConfigurationError: the packages for exporting are not installed.
    """
    if exporter == "none":
        return
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor
    except ImportError as error:
        raise ConfigurationError(
            f"tracing.exporter is {exporter}, but the OpenTelemetry SDK is not installed",
            hint="pip install 'rag_engine[otlp]'",
        ) from error
    import sys

    from opentelemetry import trace

    provider = TracerProvider(resource=Resource.create({"service.name": "rag_engine"}))
    if exporter == "console":
        provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=sys.stderr)))
    else:
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        except ImportError as error:
            raise ConfigurationError(
                "tracing.exporter is otlp, but the OTLP exporter is not installed",
                hint="pip install 'rag_engine[otlp]'",
            ) from error
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    trace.set_tracer_provider(provider)
