"""Faults of calls for tools: a call is handed out whole, with arguments that are a JSON object, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from benchmarks.faults import wire_openai as openai
from benchmarks.faults.wire_cells import NO_ANSWER, Cell, always, json_body, streamed
from benchmarks.faults.wire_golden import Golden
from benchmarks.faults.wire_openai import data_event
from rag_engine.errors import LanguageModelError
from rag_engine.types.generation import FinishReason

TOOL_NAME = "weather"
ARGUMENTS = {"city": "Paris", "days": 3}
IDENTIFIER = "aB3dE6gH9"
AMISS = {
    "no_json": '{"city": "Par',
    "list": '["Paris"]',
    "number": "7",
    "text": '"Paris"',
    "more": '{"city": "Paris"} {}',
}


def tools(golden: Golden) -> Iterator[Cell]:
    """Calls as they should be, with arguments that are none, and cut."""
    right = json.dumps(ARGUMENTS)
    called: dict[str, Any] = {"finish": FinishReason.TOOL_CALLS, "tool": True}
    yield Cell("call", always(json_body(reply(golden, right))), whole=True, told=True, **called)
    pieces = stream(golden, right)
    yield Cell("call_streamed", always(streamed(golden, pieces)), whole=True, told=True, stream=True, **called)
    for name, arguments in AMISS.items():
        body = json_body(reply(golden, arguments))
        yield Cell(f"arguments_{name}", always(body), errors=NO_ANSWER, tool=True)
        amiss = always(streamed(golden, stream(golden, arguments)))
        yield Cell(f"arguments_{name}_streamed", amiss, errors=NO_ANSWER, stream=True, tool=True)
    nameless = json.loads(json.dumps(reply(golden, right)).replace(f'"name": "{TOOL_NAME}"', '"name": null'))
    yield Cell("without_name", always(json_body(nameless)), errors=NO_ANSWER, tool=True)
    for place in range(1, len(pieces) - (len(golden.pieces) - golden.whole_after)):
        cut = always(streamed(golden, pieces[:place]))
        yield Cell(f"call_ends_after_{place}", cut, errors=(LanguageModelError,), stream=True, tool=True)


def reply(golden: Golden, arguments: str) -> Mapping[str, Any]:
    """A whole answer that asks for the tool."""
    return _FORMS.get(golden.provider, _openai_reply)(golden, arguments)


def stream(golden: Golden, arguments: str) -> list[bytes]:
    """The same as a stream, the arguments in two pieces where the provider sends them in pieces."""
    return _STREAMS.get(golden.provider, _openai_stream)(golden, arguments)


def _value(arguments: str) -> Any:
    """For providers that send an object: what the text says, or the text where it says nothing."""
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def _openai_reply(golden: Golden, arguments: str) -> Mapping[str, Any]:
    body = golden.changed(golden.reason_at, "tool_calls")
    call = {"id": IDENTIFIER, "type": "function", "function": {"name": TOOL_NAME, "arguments": arguments}}
    body["choices"][0]["message"] |= {"content": None, "tool_calls": [call]}
    return body


def _openai_stream(golden: Golden, arguments: str) -> list[bytes]:
    half = len(arguments) // 2
    first = {"index": 0, "id": IDENTIFIER, "type": "function", "function": {"name": TOOL_NAME, "arguments": ""}}
    parts = [{"index": 0, "function": {"arguments": part}} for part in (arguments[:half], arguments[half:])]
    deltas: list[dict[str, Any]] = [
        {"role": "assistant", "content": None},
        *({"tool_calls": [call]} for call in (first, *parts)),
    ]
    chunks = [data_event(openai.chunk(delta)) for delta in deltas]
    if golden.provider == "mistral":
        last = openai.chunk({"content": ""}, finish="tool_calls") | {"usage": openai.USAGE}
        return [*chunks, data_event(last), openai.DONE]
    return [*chunks, openai.finished("tool_calls"), openai.usage_event(), openai.DONE]


def _anthropic_reply(golden: Golden, arguments: str) -> Mapping[str, Any]:
    body = golden.changed(golden.reason_at, "tool_use")
    body["content"] = [{"type": "tool_use", "id": IDENTIFIER, "name": TOOL_NAME, "input": _value(arguments)}]
    return body


def _anthropic_stream(golden: Golden, arguments: str) -> list[bytes]:
    half = len(arguments) // 2
    block = {"type": "tool_use", "id": IDENTIFIER, "name": TOOL_NAME, "input": {}}
    deltas = [{"type": "input_json_delta", "partial_json": part} for part in (arguments[:half], arguments[half:])]
    events: list[dict[str, Any]] = [
        {"type": "content_block_start", "index": 0, "content_block": block},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
    ]
    last = golden.pieces[-2].replace(b"end_turn", b"tool_use")
    return [golden.pieces[0], *(data_event(event, name=event["type"]) for event in events), last, golden.pieces[-1]]


def _google_reply(golden: Golden, arguments: str) -> Mapping[str, Any]:
    body = golden.changed(golden.text_at, "")
    body["candidates"][0]["content"]["parts"] = [{"functionCall": {"name": TOOL_NAME, "args": _value(arguments)}}]
    return body


def _google_stream(golden: Golden, arguments: str) -> list[bytes]:
    whole = _google_reply(golden, arguments)
    begun = json.loads(json.dumps(whole))
    del begun["candidates"][0]["finishReason"]
    last = json.loads(json.dumps(whole))
    last["candidates"][0]["content"]["parts"] = [{"text": ""}]
    return [data_event(begun), data_event(last)]


def _cohere_reply(golden: Golden, arguments: str) -> Mapping[str, Any]:
    body = golden.changed(golden.reason_at, "TOOL_CALL")
    call = {"id": IDENTIFIER, "type": "function", "function": {"name": TOOL_NAME, "arguments": arguments}}
    body["message"] = {"role": "assistant", "tool_plan": "I will look.", "tool_calls": [call]}
    return body


def _cohere_stream(golden: Golden, arguments: str) -> list[bytes]:
    half = len(arguments) // 2
    call = {"id": IDENTIFIER, "type": "function", "function": {"name": TOOL_NAME, "arguments": ""}}
    deltas = [{"function": {"arguments": part}} for part in (arguments[:half], arguments[half:])]
    events: list[dict[str, Any]] = [
        {"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": call}}},
        *({"type": "tool-call-delta", "index": 0, "delta": {"message": {"tool_calls": delta}}} for delta in deltas),
        {"type": "tool-call-end", "index": 0},
    ]
    last = golden.pieces[-1].replace(b"COMPLETE", b"TOOL_CALL")
    return [golden.pieces[0], *(data_event(event, name=event["type"]) for event in events), last]


def _ollama_reply(golden: Golden, arguments: str) -> Mapping[str, Any]:
    body = golden.changed(golden.text_at, "")
    body["message"]["tool_calls"] = [{"function": {"name": TOOL_NAME, "arguments": _value(arguments)}}]
    return body


def _ollama_stream(golden: Golden, arguments: str) -> list[bytes]:
    body = dict(_ollama_reply(golden, arguments))
    begun = {key: body[key] for key in ("model", "created_at", "message")} | {"done": False}
    return [openai.as_json(begun) + b"\n", golden.pieces[-1]]


_FORMS: Mapping[str, Callable[[Golden, str], Mapping[str, Any]]] = {
    "anthropic": _anthropic_reply,
    "google": _google_reply,
    "cohere": _cohere_reply,
    "ollama": _ollama_reply,
}
_STREAMS: Mapping[str, Callable[[Golden, str], list[bytes]]] = {
    "anthropic": _anthropic_stream,
    "google": _google_stream,
    "cohere": _cohere_stream,
    "ollama": _ollama_stream,
}
