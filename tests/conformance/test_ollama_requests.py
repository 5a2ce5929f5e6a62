"""The dialect of Ollama beside Ollama's own client: what both send for the same call, what both read from a reply."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import ollama
import pytest

from rag_engine.llm.providers.dialect import ReportedFault, Target
from rag_engine.llm.providers.ollama_chat import OllamaChat
from rag_engine.llm.providers.provider_data import provider_data
from rag_engine.types.conversation import Message, ResponseSchema, Role, Sampling, Tool, ToolCall, ToolChoice
from rag_engine.types.generation import Completion, FinishReason, Prompt, ReasoningDelta, TextDelta, UsageSource
from tests.conformance.sdk_capture import (
    asked_by_client,
    asked_by_dialect,
    assert_same_request,
    json_reply,
    read_stream,
    stream_reply,
)
from tests.golden_streams import STREAMS

DIALECT = OllamaChat()
LINES = "application/x-ndjson"
THEIRS_ALONE = {"content-type": "the media type, which the wire puts there"}
ANSWER = {
    "model": "llama3.2",
    "created_at": "2026-05-04T10:11:12Z",
    "message": {"role": "assistant", "content": "It is 324 metres."},
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 12,
    "eval_count": 7,
}
# Only what their client lets through: it drops all that it does not know of a schema.
PARAMETERS = {
    "type": "object",
    "properties": {"building": {"type": "string", "description": "Its name."}, "unit": {"enum": ["m", "ft"]}},
    "required": ["building"],
}
TOOL = Tool(name="height_of", description="Height of a building.", parameters=PARAMETERS)
DECLARED = {
    "type": "function",
    "function": {"name": TOOL.name, "description": TOOL.description, "parameters": PARAMETERS},
}
CALL = ToolCall("call-1", "height_of", '{"building": "Tōkyō Tower", "floors": [1, 2.5]}')
CALLED = {"function": {"name": "height_of", "arguments": {"building": "Tōkyō Tower", "floors": [1, 2.5]}}}
QUESTION = Prompt.plain("How tall is it?")
ASKED = {"role": "user", "content": "How tall is it?"}
CALLS: dict[str, tuple[str, Prompt, dict[str, Any]]] = {
    "plain": ("llama3.2", QUESTION, {"messages": [ASKED]}),
    "system": (
        "llama3.2",
        replace(QUESTION, instructions="Be brief."),
        {"messages": [{"role": "system", "content": "Be brief."}, ASKED]},
    ),
    "conversation": (
        "llama3.2",
        replace(
            QUESTION,
            conversation=(Message(Role.USER, "Do you know the tower?"), Message(Role.ASSISTANT, "Yes — 東京タワー.")),
        ),
        {
            "messages": [
                {"role": "user", "content": "Do you know the tower?"},
                {"role": "assistant", "content": "Yes — 東京タワー."},
                ASKED,
            ]
        },
    ),
    "tools": ("llama3.2", replace(QUESTION, tools=(TOOL,)), {"messages": [ASKED], "tools": [DECLARED]}),
    "no tool": (
        "llama3.2",
        replace(QUESTION, tools=(TOOL,), tool_choice=ToolChoice.NONE),
        {"messages": [ASKED]},
    ),
    "tool result": (
        "qwen3",
        replace(
            QUESTION,
            content="",
            tools=(TOOL,),
            conversation=(
                Message(Role.USER, "How tall is it?"),
                Message(Role.ASSISTANT, tool_calls=(CALL,)),
                Message(Role.TOOL, "333 m", tool_call_id="call-1", tool_name="height_of"),
                Message(Role.ASSISTANT, "And again:", tool_calls=(replace(CALL, id="call-2"),)),
                Message(Role.TOOL, "333 m", tool_call_id="call-2"),
            ),
        ),
        {
            "messages": [
                ASKED,
                {"role": "assistant", "tool_calls": [CALLED]},
                {"role": "tool", "content": "333 m", "tool_name": "height_of"},
                {"role": "assistant", "content": "And again:", "tool_calls": [CALLED]},
                {"role": "tool", "content": "333 m", "tool_name": "height_of"},
            ],
            "tools": [DECLARED],
        },
    ),
    "schema": (
        "llama3.2",
        replace(QUESTION, schema=ResponseSchema("height", {"type": "object", "additionalProperties": False})),
        {"messages": [ASKED], "format": {"type": "object", "additionalProperties": False}},
    ),
    "sampling": (
        "llama3.2",
        replace(
            QUESTION,
            sampling=Sampling(max_output_tokens=64, temperature=0.5, top_p=0.9, seed=7, stop=("END", "\n\n")),
        ),
        {
            "messages": [ASKED],
            "options": {"num_predict": 64, "temperature": 0.5, "top_p": 0.9, "seed": 7, "stop": ["END", "\n\n"]},
        },
    ),
    "thinking": (
        "qwen3",
        replace(QUESTION, sampling=Sampling(reasoning_effort="high")),
        {"messages": [ASKED], "think": True},
    ),
    "no thinking": (
        "qwen3",
        replace(QUESTION, sampling=Sampling(reasoning_effort="none")),
        {"messages": [ASKED], "think": False},
    ),
    "thinking so much": (
        "gpt-oss:20b",
        replace(QUESTION, sampling=Sampling(reasoning_effort="high")),
        {"messages": [ASKED], "think": "high"},
    ),
}


def target(model: str = "llama3.2", **quirks: Any) -> Target:
    return Target("ollama", model, quirks=provider_data("ollama").quirks(model, "") | quirks)


def by_client(model: str, arguments: dict[str, Any], *, stream: bool = False) -> Callable[[str], Any]:
    def call(url: str) -> Any:
        client = ollama.Client(url)
        try:
            read = client.chat(model, stream=stream, **arguments)
            return list(read) if stream else read
        finally:
            client.close()

    return call


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OLLAMA_API_KEY", raising=False)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("stream", [False, True])
def test_the_same_call_is_sent_as_ollamas_client_sends_it(name: str, stream: bool) -> None:
    model, prompt, arguments = CALLS[name]
    raw = (STREAMS / "ollama-text.ndjson").read_bytes()
    reply = stream_reply(raw, media_type=LINES) if stream else json_reply(ANSWER)
    theirs, _ = asked_by_client(by_client(model, arguments, stream=stream), reply=reply)
    assert_same_request(
        theirs, asked_by_dialect(DIALECT, prompt, target(model), stream=stream), theirs_alone=THEIRS_ALONE
    )


def test_a_window_is_asked_for_as_ollamas_client_asks() -> None:
    arguments = {"messages": [ASKED], "options": {"num_ctx": 8192}}
    theirs, _ = asked_by_client(by_client("llama3.2", arguments), reply=json_reply(ANSWER))
    ours = asked_by_dialect(DIALECT, QUESTION, target(num_ctx=8192))
    assert_same_request(theirs, ours, theirs_alone=THEIRS_ALONE)


def assert_read_the_same(theirs: list[ollama.ChatResponse], ours: Completion) -> None:
    messages = [response.message for response in theirs]
    assert ours.text == "".join(message.content or "" for message in messages)
    assert ours.reasoning == "".join(message.thinking or "" for message in messages)
    called = [call.function for message in messages for call in message.tool_calls or []]
    assert [(call.name, json.loads(call.arguments)) for call in ours.tool_calls] == [
        (call.name, call.arguments) for call in called
    ]
    last = theirs[-1]
    assert last.done
    stopped = FinishReason.TOOL_CALLS if called else FinishReason.STOP
    assert ours.finish_reason is (FinishReason.LENGTH if last.done_reason == "length" else stopped)
    if last.prompt_eval_count is None:
        assert ours.usage.source is UsageSource.ESTIMATED
    else:
        assert (ours.usage.input_tokens, ours.usage.output_tokens) == (last.prompt_eval_count, last.eval_count)
    assert ours.model == last.model


@pytest.mark.parametrize("name", ["text", "unicode", "tools", "thinking", "length", "cached"])
def test_a_stream_is_read_as_ollamas_client_reads_it(name: str) -> None:
    raw = (STREAMS / f"ollama-{name}.ndjson").read_bytes()
    if name == "unicode":
        # Their client also cuts lines at other separators than the line feed, and fails at what is left of them.
        raw = raw.replace("\u2028\u0085".encode(), b"")
    _, theirs = asked_by_client(
        by_client("llama3.2", {"messages": [ASKED]}, stream=True), reply=stream_reply(raw, media_type=LINES)
    )
    deltas, ours = read_stream(DIALECT, QUESTION, target(), [raw])
    assert_read_the_same(theirs, ours)
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == ours.text
    assert "".join(delta.text for delta in deltas if isinstance(delta, ReasoningDelta)) == ours.reasoning


WHOLE = {
    "text": ANSWER,
    "no reason for the end": {name: value for name, value in ANSWER.items() if name != "done_reason"},
    "tools and thoughts": ANSWER
    | {"message": {"role": "assistant", "content": "", "thinking": "Hm.", "tool_calls": [CALLED, CALLED]}},
    "length": ANSWER | {"done_reason": "length"},
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_answer_is_read_as_ollamas_client_reads_it(name: str) -> None:
    _, theirs = asked_by_client(by_client("llama3.2", {"messages": [ASKED]}), reply=json_reply(WHOLE[name]))
    assert_read_the_same([theirs], DIALECT.completion(WHOLE[name], QUESTION, target()))


@pytest.mark.parametrize(("status", "says"), [(404, "model 'x' not found"), (503, "server busy, please try again")])
def test_an_error_is_read_as_ollamas_client_reads_it(status: int, says: str) -> None:
    def call(url: str) -> ollama.ResponseError:
        with pytest.raises(ollama.ResponseError) as raised:
            by_client("x", {"messages": [ASKED]})(url)
        return raised.value

    _, theirs = asked_by_client(call, reply=json_reply({"error": says}, status=status))
    assert DIALECT.fault({"error": says}).message == theirs.error == says


def test_an_error_in_a_stream_is_read_as_ollamas_client_reads_it() -> None:
    raw = (STREAMS / "ollama-text.ndjson").read_bytes().splitlines(keepends=True)[0]
    raw += b'{"error":"an error was encountered while running the model"}\n'

    def call(url: str) -> ollama.ResponseError:
        with pytest.raises(ollama.ResponseError) as raised:
            by_client("x", {"messages": [ASKED]}, stream=True)(url)
        return raised.value

    _, theirs = asked_by_client(call, reply=stream_reply(raw, media_type=LINES))
    with pytest.raises(ReportedFault) as ours:
        read_stream(DIALECT, QUESTION, target(), [raw])
    assert ours.value.message == theirs.error
