"""OpenTelemetry, where somebody listens: what it is asked for, and only then.

Neither its API nor its SDK is imported here unless a provider was set, by this engine's settings or by the program
that it runs in: so long, a span costs no more than its own bookkeeping.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag_engine.tracing import names
from rag_engine.tracing.names import AttributeValue

if TYPE_CHECKING:
    from opentelemetry.metrics import Counter, Histogram, Meter
    from opentelemetry.trace import Tracer

SCOPE = "rag_engine"
# Boundaries that the conventions recommend.
SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKENS = tuple(4.0**power for power in range(14))
# Providers of the API itself: nobody listens to them.
_SILENT = frozenset({"ProxyTracerProvider", "NoOpTracerProvider", "_ProxyMeterProvider", "NoOpMeterProvider"})

_tracers: tuple[object, Tracer] | None = None
_instruments: tuple[object, Instruments] | None = None


def active_tracer() -> Tracer | None:
    """The tracer of the provider that was set; None where there is none."""
    global _tracers  # noqa: PLW0603 - made once for each provider
    provider = _provider("opentelemetry.trace", "get_tracer_provider")
    if provider is None:
        return None
    if _tracers is None or _tracers[0] is not provider:
        _tracers = provider, provider.get_tracer(SCOPE)  # type: ignore[attr-defined]
    return _tracers[1]


def active_instruments() -> Instruments | None:
    """The instruments of the meter provider that was set; None where there is none."""
    global _instruments  # noqa: PLW0603 - made once for each provider
    provider = _provider("opentelemetry.metrics", "get_meter_provider")
    if provider is None:
        return None
    if _instruments is None or _instruments[0] is not provider:
        _instruments = provider, Instruments.made_by(provider.get_meter(SCOPE))  # type: ignore[attr-defined]
    return _instruments[1]


def _provider(module: str, getter: str) -> object | None:
    ask = getattr(sys.modules.get(module), getter, None)  # a module that is being imported may lack it yet
    if ask is None:
        return None
    provider: object = ask()
    return None if type(provider).__name__ in _SILENT else provider


@dataclass(frozen=True, slots=True)
class Instruments:
    """Metrics of the conventions, in seconds and tokens. Of the two ways to count tokens one is there."""

    duration: Histogram
    first_chunk: Histogram
    chunk: Histogram
    usage: Histogram | None
    tokens: Counter | None
    by_cache: Counter | None
    by_phase: Counter | None

    @classmethod
    def made_by(cls, meter: Meter) -> Instruments:
        """The instruments, by the names that this process goes by."""

        def seconds(name: str, description: str) -> Histogram:
            return meter.create_histogram(
                name, unit="s", description=description, explicit_bucket_boundaries_advisory=SECONDS
            )

        def counter(name: str, description: str) -> Counter | None:
            if not names.conventions().token_counters:
                return None
            return meter.create_counter(name, unit="{token}", description=description)

        return cls(
            duration=seconds(names.OPERATION_DURATION, "Duration of an operation."),
            first_chunk=seconds(names.CLIENT_TIME_TO_FIRST_CHUNK, "Time until the first piece of a stream."),
            chunk=seconds(names.CLIENT_TIME_PER_CHUNK, "Time between two pieces of a stream."),
            usage=None
            if names.conventions().token_counters
            else meter.create_histogram(
                names.TOKEN_USAGE,
                unit="{token}",
                description="Tokens read and written.",
                explicit_bucket_boundaries_advisory=TOKENS,
            ),
            tokens=counter(names.TOKENS, "Tokens read and written."),
            by_cache=counter(names.TOKENS_BY_CACHE, "Tokens read, by what the provider's cache did."),
            by_phase=counter(names.TOKENS_BY_PHASE, "Tokens written, by what they are."),
        )


# What a measurement keeps of a span's attributes: few values each, as metrics need it.
_KEPT_BY_METRICS = (
    names.OPERATION,
    names.PROVIDER,
    names.REQUEST_MODEL,
    names.RESPONSE_MODEL,
    names.SERVER_ADDRESS,
    names.SERVER_PORT,
)


def metric_attributes(attributes: Mapping[str, AttributeValue]) -> dict[str, AttributeValue]:
    """Those of a span's attributes by which its measurements are told apart."""
    return {name: attributes[name] for name in _KEPT_BY_METRICS if name in attributes}
