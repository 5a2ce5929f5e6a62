"""The span of an attempt, as OpenTelemetry's exporters are given it, and its metrics."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from rag_engine import tracing
from rag_engine.errors import IncompleteResponseError
from rag_engine.tracing import names
from rag_engine.tracing.telemetry import Instruments
from rag_engine.types.conversation import Message, Role, Sampling
from rag_engine.types.generation import Completion, FinishReason, Prompt, Usage

KEY = "sk-never-to-be-seen"
USAGE = Usage(
    input_tokens=100, output_tokens=50, cache_read_tokens=60, cache_write_tokens=10, reasoning_tokens=20, cost=0.01
)
COMPLETION = Completion("the answer", "gpt-x-2026", FinishReason.STOP, usage=USAGE, request_id="req-1")


class Listener:
    """Hears what is exported."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meter = MeterProvider(metric_readers=[self.reader]).get_meter("test")

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    def points(self) -> dict[str, list[tuple[dict[str, Any], Any]]]:
        """By metric, the attributes and the point of each of its series."""
        data = self.reader.get_metrics_data()
        assert data is not None
        return {
            metric.name: [(dict(point.attributes or {}), point) for point in metric.data.data_points]
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    yield from listening(monkeypatch)


@pytest.fixture
def next_listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    """One who wished for the next version of the conventions."""
    monkeypatch.setenv(names.OPT_IN_VARIABLE, f"http, {names.LATEST}")
    yield from listening(monkeypatch)


def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    names.conventions.cache_clear()
    found = Listener()
    instruments = Instruments.made_by(found.meter)
    monkeypatch.setattr("rag_engine.tracing.spans.active_tracer", lambda: found.provider.get_tracer("test"))
    for module in ("spans", "chat"):
        monkeypatch.setattr(f"rag_engine.tracing.{module}.active_instruments", lambda: instruments)
    yield found
    names.conventions.cache_clear()


def attributes(span: ReadableSpan) -> Mapping[str, Any]:
    return span.attributes or {}


def call(**more: Any) -> None:
    with tracing.chat_span(provider="openai", model="gpt-x", **more) as span:
        span.set_completion(COMPLETION)


def test_a_call_has_every_name_of_the_conventions(listener: Listener) -> None:
    sampling = Sampling(
        max_output_tokens=500, temperature=0.2, top_p=0.9, seed=7, stop=("END",), reasoning_effort="low"
    )
    call(sampling=sampling, attempt=2, base_url=f"https://user:{KEY}@models.example.com:8443/v1?key={KEY}")
    (span,) = listener.spans
    assert span.name == "chat gpt-x"
    assert span.kind is SpanKind.CLIENT
    assert attributes(span) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-x",
        "gen_ai.request.max_tokens": 500,
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.seed": 7,
        "gen_ai.request.stop_sequences": ("END",),
        "rag.request.reasoning_effort": "low",
        "rag.attempt": 2,
        "server.address": "models.example.com",
        "server.port": 8443,
        "gen_ai.response.model": "gpt-x-2026",
        "gen_ai.response.id": "req-1",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 50,
        "gen_ai.usage.cache_read.input_tokens": 60,
        "gen_ai.usage.cache_creation.input_tokens": 10,
        "gen_ai.usage.reasoning.output_tokens": 20,
        "rag.usage.source": "reported",
    }


def test_the_names_are_those_that_opentelemetry_publishes(listener: Listener) -> None:
    from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
    from opentelemetry.semconv._incubating.metrics import gen_ai_metrics

    # Added to the conventions after this package was cut.
    later = {names.TOP_K, names.TOKEN_MODALITY, names.TOKEN_CACHE, names.TOKEN_PHASE}
    later |= {names.TOKENS, names.TOKENS_BY_CACHE, names.TOKENS_BY_PHASE}
    known = {value for module in (gen_ai_attributes, gen_ai_metrics) for value in vars(module).values()
             if isinstance(value, str)}  # fmt: skip
    ours = {value for value in vars(names).values() if isinstance(value, str) and value.startswith("gen_ai.")}
    assert ours - later <= known
    assert names.conventions().cache_write_tokens in known


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("https://api.example.com/v1", "api.example.com", 443),
        ("http://127.0.0.1:11434", "127.0.0.1", 11434),
        ("http://[::1]:8080", "::1", 8080),
        ("no address", None, None),
        ("http://host:port", None, None),
    ],
)
def test_of_an_address_host_and_port_are_kept(listener: Listener, address: str, host: object, port: object) -> None:
    call(base_url=address)
    found = attributes(listener.spans[0])
    assert (found.get("server.address"), found.get("server.port")) == (host, port)


@pytest.mark.parametrize(
    ("provider", "name"), [("google", "gcp.gemini"), ("mistral", "mistral_ai"), ("cohere", "cohere"), ("meta", "meta")]
)
def test_providers_go_by_the_name_that_the_conventions_give_them(listener: Listener, provider: str, name: str) -> None:
    with tracing.chat_span(provider=provider, model="m"):
        pass
    assert attributes(listener.spans[0])["gen_ai.provider.name"] == name


def test_a_failed_attempt_says_its_code_and_is_measured_with_it(listener: Listener) -> None:
    with pytest.raises(IncompleteResponseError), tracing.chat_span(provider="openai", model="gpt-x"):
        raise IncompleteResponseError(f"ended after the text that {KEY} paid for")
    (span,) = listener.spans
    assert attributes(span)["error.type"] == IncompleteResponseError.code
    assert span.status.status_code is StatusCode.ERROR
    assert KEY not in span.to_json()
    ((found, point),) = listener.points()["gen_ai.client.operation.duration"]
    assert found["error.type"] == IncompleteResponseError.code
    assert point.count == 1


def test_an_error_that_was_got_over_can_be_told_too(listener: Listener) -> None:
    with tracing.chat_span(provider="openai", model="gpt-x") as span:
        span.set_error("rate_limit")
    assert attributes(listener.spans[0])["error.type"] == "rate_limit"


def test_a_stream_says_when_its_first_piece_came_and_how_the_others_followed(listener: Listener) -> None:
    with tracing.chat_span(provider="openai", model="gpt-x", stream=True) as span:
        for _ in range(5):
            span.chunk()
        span.set_completion(COMPLETION)
    found = attributes(listener.spans[0])
    assert found["gen_ai.request.stream"] is True
    assert found["rag.response.chunks"] == 5
    assert 0 < found["gen_ai.response.time_to_first_chunk"] < span.seconds
    assert 0 < found["rag.response.time_per_chunk"] < span.seconds
    points = listener.points()
    ((labels, first),) = points["gen_ai.client.operation.time_to_first_chunk"]
    ((_, gaps),) = points["gen_ai.client.operation.time_per_output_chunk"]
    assert first.sum == pytest.approx(found["gen_ai.response.time_to_first_chunk"])
    assert gaps.count == 4
    assert labels == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-x",
        "gen_ai.response.model": "gpt-x-2026",
    }


def test_a_call_that_is_no_stream_says_nothing_of_pieces(listener: Listener) -> None:
    call()
    assert not {name for name in attributes(listener.spans[0]) if "chunk" in name}
    assert not {name for name in listener.points() if "chunk" in name}


def test_tokens_are_measured_as_the_released_conventions_have_it(listener: Listener) -> None:
    call()
    points = listener.points()
    assert {labels["gen_ai.token.type"]: point.sum for labels, point in points["gen_ai.client.token.usage"]} == {
        "input": 100,
        "output": 50,
    }
    ((_, duration),) = points["gen_ai.client.operation.duration"]
    assert tuple(duration.explicit_bounds)[:3] == (0.01, 0.02, 0.04)
    assert tuple(points["gen_ai.client.token.usage"][0][1].explicit_bounds)[-1] == 67108864
    assert "gen_ai.client.inference.tokens" not in points


def test_who_opts_in_gets_counters_that_add_up_and_the_new_name(next_listener: Listener) -> None:
    call()
    points = next_listener.points()
    assert "gen_ai.client.token.usage" not in points

    def counted(metric: str, label: str) -> dict[str, int]:
        return {labels[label]: point.value for labels, point in points[metric]}

    assert counted("gen_ai.client.inference.tokens", "gen_ai.token.type") == {"input": 100, "output": 50}
    by_cache = counted("gen_ai.client.inference.input_tokens_by_cache", "gen_ai.token.cache")
    assert by_cache == {"uncached": 30, "read": 60, "write": 10}
    by_phase = counted("gen_ai.client.inference.output_tokens_by_phase", "gen_ai.token.phase")
    assert by_phase == {"response": 30, "reasoning": 20}
    assert attributes(next_listener.spans[0])["gen_ai.usage.cache_write.input_tokens"] == 10


class Kept:
    """Lets contents be kept, or not."""

    def __init__(self, *, content: bool) -> None:
        self.content = content

    def keep(self, root: tracing.Span) -> None:
        pass


@pytest.mark.parametrize("content", [False, True])
def test_messages_are_exported_only_where_contents_are_wished(listener: Listener, content: bool) -> None:
    prompt = Prompt(
        "q", "be brief", "my question", (), tokens=3, conversation=(Message(Role.ASSISTANT, "earlier words"),)
    )
    with tracing.kept_by(Kept(content=content)), tracing.chat_span(provider="openai", model="gpt-x") as span:
        span.set_prompt(prompt)
        span.set_completion(COMPLETION)
    found = attributes(listener.spans[0])
    texts = ("be brief", "my question", "earlier words", "the answer")
    if not content:
        assert not [text for text in texts if text in listener.spans[0].to_json()]
        return
    assert json.loads(found["gen_ai.input.messages"]) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "earlier words"}]},
        {"role": "user", "parts": [{"type": "text", "content": "my question"}]},
    ]
    assert json.loads(found["gen_ai.system_instructions"]) == [{"type": "text", "content": "be brief"}]
    assert json.loads(found["gen_ai.output.messages"])[0]["parts"][0]["content"] == "the answer"


def test_what_the_reader_of_a_stream_does_is_no_part_of_the_call(listener: Listener) -> None:
    with tracing.span("ask"):
        with tracing.chat_span(provider="openai", model="stream", stream=True), tracing.span("reader"):
            pass
        with tracing.chat_span(provider="openai", model="plain"), tracing.span("sending"):
            pass
    found = {span.name: span for span in listener.spans}
    identifiers = {span.context.span_id: name for name, span in found.items() if span.context}
    parents = {name: identifiers[span.parent.span_id] for name, span in found.items() if span.parent}
    assert parents == {"reader": "ask", "chat stream": "ask", "sending": "chat plain", "chat plain": "ask"}


def test_the_exported_trace_goes_by_the_id_that_the_answer_says(listener: Listener) -> None:
    with tracing.span("ask"):
        said = tracing.current_trace_id()
    (span,) = listener.spans
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == said


def test_retrieval_and_embedding_are_measured_too(listener: Listener) -> None:
    for operation in ("retrieval", "embeddings"):
        with tracing.span(operation, {names.OPERATION: operation}):
            pass
    measured = {labels["gen_ai.operation.name"] for labels, _ in listener.points()["gen_ai.client.operation.duration"]}
    assert measured == {"retrieval", "embeddings"}
