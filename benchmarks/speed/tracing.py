"""Microseconds that a span costs where nothing is exported, beside a call of a function that does nothing.

python -m benchmarks.speed.tracing

Each way is run by turns; the figure is the median of the rounds. ``ask`` is a trace of the size of a question's, built
and written to the index's file of traces; ``ask_unwritten`` the same where none is kept.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rag_engine import tracing
from rag_engine.tracing import TraceJournal, names
from rag_engine.types.generation import Usage

ROUNDS = 15
CALLS = 2000
SPANS_OF_AN_ASK = 20
USAGE = Usage(1000, 200, cache_read_tokens=500, reasoning_tokens=50)
ATTRIBUTES = {names.OPERATION: "retrieval", names.MODE: "hybrid", names.TOP_K: 10}


def main() -> None:
    """Prints one JSON object."""
    with tempfile.TemporaryDirectory() as folder:
        journal = TraceJournal(Path(folder), keep=100)

        def written() -> None:
            with tracing.kept_by(journal):
                _ask()

        stream = tracing.chat_span(provider="openai", model="model", stream=True)
        ways: dict[str, tuple[Callable[[], object], int]] = {
            "bare_call": (_nothing, CALLS),
            "span": (_span, CALLS),
            "span_with_attributes": (_span_with_attributes, CALLS),
            "function": (tracing.trace_performance(_nothing), CALLS),
            "chat_span": (_chat, CALLS),
            "chunk": (stream.chunk, CALLS),
            "ask_unwritten": (_ask, CALLS // 20),
            "ask": (written, CALLS // 20),
        }
        taken: dict[str, list[float]] = {name: [] for name in ways}
        with stream, tracing.kept_by(None):
            for _ in range(ROUNDS + 1):
                for name, (call, count) in ways.items():
                    taken[name].append(_microseconds(call, count))
    # The first round fills caches.
    medians = {name: statistics.median(values[1:]) for name, values in taken.items()}
    print(
        json.dumps(
            {
                "microseconds": {name: round(value, 3) for name, value in medians.items()},
                "span_over_bare_microseconds": round(medians["span"] - medians["bare_call"], 3),
                "span_over_bare_ratio": round(medians["span"] / medians["bare_call"], 1),
                "ask_spans": SPANS_OF_AN_ASK,
            }
        )
    )


def _microseconds(call: Callable[[], object], count: int) -> float:
    """Of one call; the cost of the loop is measured with it, of all ways alike."""
    started = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - started) / count * 1e6


def _nothing() -> None:
    pass


def _span() -> None:
    with tracing.span("stage"):
        pass


def _span_with_attributes() -> None:
    with tracing.span("retrieval", ATTRIBUTES) as span:
        span.set_attribute(names.RESULTS, 10)


def _chat() -> None:
    with tracing.chat_span(provider="openai", model="model", base_url="https://models.example.com/v1") as span:
        span.set_response(model="model-1", id="id", finish_reasons=("stop",))
        span.set_usage(USAGE)


def _ask() -> None:
    with tracing.span("ask"):
        for _ in range(SPANS_OF_AN_ASK - 1):
            with tracing.span("stage", ATTRIBUTES):
                pass


if __name__ == "__main__":
    main()
