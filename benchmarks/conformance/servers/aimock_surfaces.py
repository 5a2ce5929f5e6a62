"""The providers that aimock fakes, and the fixtures from which it answers them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.conformance.features import (
    ANSWER,
    ARGUMENTS,
    INPUT_TOKENS,
    INSTRUCTIONS,
    OUTPUT_TOKENS,
    RESULT,
    SCHEMA_ANSWER,
    TOOL,
    Asked,
    Exchange,
    Feature,
    NotOffered,
    Surface,
    prompt_for,
    question,
)
from benchmarks.conformance.verdicts import Judge, answered, called, failed, said_in_json
from rag_engine.errors import (
    BadResponseError,
    ConnectionLostError,
    IncompleteResponseError,
    InvalidKeyError,
    RateLimitError,
    ServerError,
    UnknownModelError,
)
from rag_engine.types.generation import FinishReason

Fixture = dict[str, Any]
UNKNOWN_MODEL = "no-such-model"
WRONG_KEY = "sk-wrong-0123456789abcdef"
# Every provider finds its own names among them.
USAGE: Mapping[str, int] = {
    "prompt_tokens": INPUT_TOKENS,
    "completion_tokens": OUTPUT_TOKENS,
    "input_tokens": INPUT_TOKENS,
    "output_tokens": OUTPUT_TOKENS,
    "promptTokenCount": INPUT_TOKENS,
    "candidatesTokenCount": OUTPUT_TOKENS,
}


@dataclass(frozen=True)
class _Faults:
    """A provider's words for a rate limit, a fault of its own and an unknown model: type and code."""

    rate_limit: tuple[str, str] = ("rate_limit_exceeded", "rate_limit_exceeded")
    server: tuple[str, str] = ("server_error", "")
    unknown: tuple[str, str] = ("invalid_request_error", "model_not_found")


_OPENAI = _Faults()
_ANTHROPIC = _Faults(("rate_limit_error", ""), ("api_error", ""), ("not_found_error", ""))
_GOOGLE = _Faults(("RESOURCE_EXHAUSTED", ""), ("INTERNAL", ""), ("NOT_FOUND", ""))
_NO_SCHEMA = NotOffered("its fake of this provider does not look at schemas")
_NO_USAGE = NotOffered("its fake of this provider always says 0")
_NO_LIMIT = NotOffered("its fake of this provider always ends with stop")
_ASKED_USAGE = NotOffered("it counts streams only where stream_options ask for it, which Mistral's own does unasked")


@dataclass(frozen=True)
class _Fake:
    """One provider as aimock fakes it. ``schema`` is the format that its fixture is gated on, empty for none;
    ``usage``, ``stream_usage`` and ``limit`` say why it lacks them, where it does."""

    title: str
    provider: str
    model: str
    path: str
    faults: _Faults = _OPENAI
    api_version: str | None = None
    schema: str = "json_schema"
    usage: NotOffered | None = None
    stream_usage: NotOffered | None = None
    limit: NotOffered | None = None


_FAKES = (
    _Fake("openai", "openai", "gpt-4.1-mini", "/v1"),
    _Fake("azure v1", "azure", "gpt-4.1", ""),
    _Fake("azure 2024-10-21", "azure", "gpt-4o-mini", "", api_version="2024-10-21"),
    _Fake("anthropic", "anthropic", "claude-sonnet-5-5", "", faults=_ANTHROPIC, schema=""),
    _Fake("google", "google", "gemini-2.5-flash", "", faults=_GOOGLE, api_version="v1beta", schema=""),
    _Fake("cohere", "cohere", "command-a-03-2025", "", schema="json_object"),
    _Fake("ollama", "ollama", "llama3.1", "", schema="", usage=_NO_USAGE, stream_usage=_NO_USAGE, limit=_NO_LIMIT),
    # No fakes of their own: what is sent by their quirks is read by its fake of OpenAI.
    _Fake("mistral", "mistral", "mistral-large-2512", "/v1", stream_usage=_ASKED_USAGE),
    _Fake("meta", "meta", "muse-spark-1.3", "/v1"),
    _Fake("vllm", "vllm", "served-by-vllm", "/v1"),
    _Fake("local", "local", "served-by-another", "/v1"),
)


def surfaces(url: str) -> list[Surface]:
    """What the server at ``url`` offers."""
    return [
        Surface(fake.title, fake.provider, fake.model, url + fake.path, _asked(fake), api_version=fake.api_version)
        for fake in _FAKES
    ]


def fixtures() -> list[Fixture]:
    """What the server answers, for every provider's model in turn."""
    return [fixture for fake in _FAKES for fixture in _fixtures(fake)]


def _asked(fake: _Fake) -> dict[Feature, Asked]:
    usage = (INPUT_TOKENS, OUTPUT_TOKENS)
    wrong_key = Exchange(
        prompt_for(Feature.WRONG_KEY), failed(InvalidKeyError, status=401, key=WRONG_KEY), key=WRONG_KEY
    )
    unknown = Exchange(
        prompt_for(Feature.UNKNOWN_MODEL),
        failed(UnknownModelError, status=404),
        model=f"{fake.provider}-{UNKNOWN_MODEL}",
    )
    return {
        Feature.PLAIN: _once(Feature.PLAIN, answered(ANSWER)),
        Feature.STREAM: _streamed(Feature.STREAM, answered(ANSWER, pieces=5)),
        Feature.SYSTEM: _once(Feature.SYSTEM, answered(ANSWER)),
        Feature.CONVERSATION: _once(Feature.CONVERSATION, answered(ANSWER)),
        Feature.TOOLS: _once(Feature.TOOLS, called(TOOL.name, ARGUMENTS)),
        Feature.TOOLS_STREAMED: _streamed(Feature.TOOLS_STREAMED, called(TOOL.name, ARGUMENTS)),
        Feature.TOOL_RESULT: _once(Feature.TOOL_RESULT, answered(ANSWER)),
        Feature.JSON_SCHEMA: _once(Feature.JSON_SCHEMA, said_in_json({}, SCHEMA_ANSWER)) if fake.schema else _NO_SCHEMA,
        Feature.USAGE: fake.usage or _once(Feature.USAGE, answered(ANSWER, usage=usage)),
        Feature.USAGE_STREAMED: (fake.stream_usage or _streamed(Feature.USAGE_STREAMED, answered(ANSWER, usage=usage))),
        Feature.LENGTH: fake.limit or _once(Feature.LENGTH, answered(ANSWER, finish=(FinishReason.LENGTH,))),
        Feature.WRONG_KEY: wrong_key,
        # It always asks to wait one second.
        Feature.RATE_LIMIT: _once(Feature.RATE_LIMIT, failed(RateLimitError, status=429, retry_after=1.0)),
        Feature.SERVER_ERROR: _once(Feature.SERVER_ERROR, failed(ServerError, status=500)),
        Feature.UNKNOWN_MODEL: unknown,
        Feature.RETRIED: Exchange(prompt_for(Feature.RETRIED), answered(ANSWER, attempts=2), attempts=3),
        Feature.MALFORMED: _once(Feature.MALFORMED, failed(BadResponseError)),
        Feature.DISCONNECTED: _once(Feature.DISCONNECTED, failed(ConnectionLostError)),
        Feature.CUT_STREAM: _streamed(Feature.CUT_STREAM, failed(IncompleteResponseError)),
    }


def _once(feature: Feature, judge: Judge) -> Exchange:
    return Exchange(prompt_for(feature), judge)


def _streamed(feature: Feature, judge: Judge) -> Exchange:
    return Exchange(prompt_for(feature), judge, streamed=True)


def _fixtures(fake: _Fake) -> Iterator[Fixture]:
    """A fixture is taken only where all that it names stands in the request: an answer proves that it was read."""

    def fixture(feature: Feature, response: Fixture, *, match: Fixture | None = None, **other: object) -> Fixture:
        gate = {"userMessage": question(feature), "model": fake.model, **(match or {})}
        return {"match": gate, "response": response, **other}

    def fault(feature: Feature, status: int, words: tuple[str, str], **match: object) -> Fixture:
        error = {"message": f"{fake.provider} refuses: {feature.value}", "type": words[0]}
        return fixture(
            feature, {"error": error | ({"code": words[1]} if words[1] else {}), "status": status}, match=match
        )

    text: Fixture = {"content": ANSWER}
    tools: Fixture = {"toolCalls": [{"name": TOOL.name, "arguments": dict(ARGUMENTS), "id": "call_0123456789"}]}
    yield fixture(Feature.PLAIN, text)
    yield fixture(Feature.STREAM, text)
    yield fixture(Feature.SYSTEM, text, match={"systemMessage": INSTRUCTIONS})
    yield fixture(Feature.CONVERSATION, text, match={"turnIndex": 1})
    if fake.provider == "google":
        tools["finishReason"] = "stop"  # as Google's own does; the fake would say FUNCTION_CALL, which Google has not
    for feature in (Feature.TOOLS, Feature.TOOLS_STREAMED):
        yield fixture(feature, tools, match={"toolName": TOOL.name, "hasToolResult": False})
    yield fixture(Feature.TOOL_RESULT, text, match={"hasToolResult": True, "toolResultContains": RESULT[8:-1]})
    gate = {"responseFormat": fake.schema} if fake.schema else {}
    yield fixture(Feature.JSON_SCHEMA, {"content": dict(SCHEMA_ANSWER)}, match=gate)
    for feature in (Feature.USAGE, Feature.USAGE_STREAMED):
        yield fixture(feature, {**text, "usage": dict(USAGE)})
    yield fixture(Feature.LENGTH, {**text, "finishReason": "length"})
    yield fault(Feature.RATE_LIMIT, 429, fake.faults.rate_limit)
    yield fault(Feature.SERVER_ERROR, 500, fake.faults.server)
    yield fault(Feature.UNKNOWN_MODEL, 404, fake.faults.unknown, model=f"{fake.provider}-{UNKNOWN_MODEL}")
    yield fault(Feature.RETRIED, 503, fake.faults.server, sequenceIndex=0)
    yield fixture(Feature.RETRIED, text, match={"sequenceIndex": 1})
    yield fixture(Feature.MALFORMED, text, chaos={"malformedRate": 1.0})
    yield fixture(Feature.DISCONNECTED, text, chaos={"disconnectRate": 1.0})
    # A moment between the pieces: the socket is destroyed, and what was not sent by then with it.
    yield fixture(Feature.CUT_STREAM, text, truncateAfterChunks=4, latency=20)
