"""Anthropic's own client sends what ours sends, and reads what ours reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import anthropic
import pytest

from rag_engine.llm.providers.anthropic_messages import AnthropicMessages
from rag_engine.llm.providers.dialect import Target
from rag_engine.llm.providers.provider_data import provider_data
from rag_engine.types.conversation import Message, ResponseSchema, Role, Sampling, Tool, ToolCall, ToolChoice
from rag_engine.types.generation import Completion, FinishReason, NumberedSource, Prompt, UsageSource
from tests.conformance.sdk_capture import (
    asked_by_client,
    asked_by_dialect,
    assert_same_request,
    json_reply,
    read_stream,
    stream_reply,
)
from tests.golden_streams import STREAMS, golden_names, golden_prompt, numbered

DIALECT = AnthropicMessages()
MODEL = "claude-opus-5"
OLD_VERSION = "2023-06-01"
THEIRS_ALONE = {
    "authorization": "the key: the model's part, which no dialect sees",
    "content-type": "the media type: the model's part",
    "x-stainless-*": "what the client tells of itself, its language and its attempts",
}
TOOL = Tool("get_weather", "Tells the weather.", {"type": "object", "properties": {"city": {"type": "string"}}})
SCHEMA = {"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]}
REPLY = {
    "id": "msg_01",
    "type": "message",
    "role": "assistant",
    "model": MODEL,
    "content": [{"type": "text", "text": "Within 14 days."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 12, "output_tokens": 6},
}
MARK = {"type": "ephemeral"}


def target(api_version: str = "", *, model: str = MODEL, max_output: int = 1024) -> Target:
    data = provider_data("anthropic")
    version = api_version or data.api_version
    return Target("anthropic", model, version, data.quirks(model, version), max_output)


def client(url: str, **options: Any) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="sk-ant-test", base_url=url, max_retries=0, **options)


def document(title: str, text: str) -> dict[str, Any]:
    block: dict[str, Any] = {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": text},
        "citations": {"enabled": True},
    }
    return block | {"title": title} if title else block


PLAIN = Prompt.plain("How long do refunds take?")
ASKED = {"role": "user", "content": "How long do refunds take?"}
CALL = ToolCall("toolu_1", "get_weather", '{"city": "Oslo"}')
WIRE_TOOL = {"name": TOOL.name, "description": TOOL.description, "input_schema": dict(TOOL.parameters)}
CALLS: Mapping[str, tuple[Prompt, dict[str, Any]]] = {
    "plain": (PLAIN, {"messages": [ASKED]}),
    "system": (
        Prompt.plain("How long?", instructions="Be brief."),
        {"messages": [{"role": "user", "content": "How long?"}], "system": "Be brief."},
    ),
    "conversation": (
        replace(
            PLAIN, conversation=(Message(Role.USER, "Hello"), Message(Role.ASSISTANT, "Hi."), Message(Role.USER, " "))
        ),
        {"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi."}, ASKED]},
    ),
    "tool results": (
        Prompt(
            "",
            "",
            "",
            (),
            0,
            tools=(TOOL, replace(TOOL, name="get_time", strict=True)),
            conversation=(
                Message(Role.USER, "Weather and time?"),
                Message(Role.ASSISTANT, "I look.", (CALL, ToolCall("toolu_2", "get_time", ""))),
                Message(Role.TOOL, "Rain", tool_call_id="toolu_1", tool_name="get_weather"),
                Message(Role.TOOL, "12:00", tool_call_id="toolu_2", tool_name="get_time"),
            ),
        ),
        {
            "tools": [WIRE_TOOL, WIRE_TOOL | {"name": "get_time", "strict": True}],
            "messages": [
                {"role": "user", "content": "Weather and time?"},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "text", "text": "I look."},
                        {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Oslo"}},
                        {"type": "tool_use", "id": "toolu_2", "name": "get_time", "input": {}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "Rain"},
                        {"type": "tool_result", "tool_use_id": "toolu_2", "content": "12:00"},
                    ],
                },
            ],
        },
    ),
    "a tool must be asked for": (
        replace(PLAIN, tools=(TOOL,), tool_choice=ToolChoice.REQUIRED),
        {"messages": [ASKED], "tools": [WIRE_TOOL], "tool_choice": {"type": "any"}},
    ),
    "no tool may be asked for": (
        replace(PLAIN, tools=(TOOL,), tool_choice=ToolChoice.NONE),
        {"messages": [ASKED], "tools": [WIRE_TOOL], "tool_choice": {"type": "none"}},
    ),
    "one tool must be asked for": (
        replace(PLAIN, tools=(TOOL,), tool_choice="get_weather"),
        {"messages": [ASKED], "tools": [WIRE_TOOL], "tool_choice": {"type": "tool", "name": "get_weather"}},
    ),
    "schema and effort": (
        replace(PLAIN, schema=ResponseSchema("days", SCHEMA), sampling=Sampling(reasoning_effort="low")),
        {
            "messages": [ASKED],
            "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
        },
    ),
    "limits": (
        replace(PLAIN, sampling=Sampling(max_output_tokens=77, stop=("END", "\n\n"), seed=3)),
        {"messages": [ASKED], "max_tokens": 77, "stop_sequences": ["END", "\n\n"]},
    ),
    "documents": (
        Prompt(
            "How long?",
            "Cite.",
            "[1] … [2] … How long?",
            (
                numbered(1, "Within 14 days.", start=100, title="Terms"),
                numbered(2, "By transfer."),
                numbered(3, " ", title="Blank"),
            ),
            0,
            documents=True,
        ),
        {
            "system": "Cite.",
            "messages": [
                {
                    "role": "user",
                    "content": [
                        document("Terms", "Within 14 days."),
                        document("", "By transfer."),
                        {"type": "text", "text": "How long?"},
                    ],
                }
            ],
        },
    ),
    "cache marks": (
        replace(
            Prompt.plain("Now?", instructions="Long instructions."),
            cache=True,
            conversation=(
                Message(Role.USER, "One", cache=True),
                Message(Role.ASSISTANT, "Two", cache=True),
                Message(Role.USER, "Three", cache=True),
                Message(Role.ASSISTANT, "Four", cache=True),
            ),
        ),
        {
            "system": [{"type": "text", "text": "Long instructions.", "cache_control": MARK}],
            "messages": [
                {"role": "user", "content": "One"},
                {"role": "assistant", "content": [{"type": "text", "text": "Two", "cache_control": MARK}]},
                {"role": "user", "content": [{"type": "text", "text": "Three", "cache_control": MARK}]},
                {"role": "assistant", "content": [{"type": "text", "text": "Four", "cache_control": MARK}]},
                {"role": "user", "content": "Now?"},
            ],
        },
    ),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", CALLS)
def test_the_same_call_is_sent_as_anthropics_client_sends_it(name: str, stream: bool) -> None:
    prompt, arguments = CALLS[name]
    arguments = {"model": MODEL, "max_tokens": 1024, **arguments}

    def call(url: str) -> None:
        with client(url) as one:
            if stream:
                list(one.messages.create(stream=True, **arguments))
            else:
                one.messages.create(**arguments)

    reply = stream_reply((STREAMS / "anthropic-text.sse").read_bytes()) if stream else json_reply(REPLY)
    theirs, _ = asked_by_client(call, reply=reply)
    ours = asked_by_dialect(DIALECT, prompt, target(), stream=stream)
    assert_same_request(theirs, ours, theirs_alone=THEIRS_ALONE)


def test_sampling_is_sent_in_the_version_that_takes_it_and_left_out_in_the_one_that_refuses_it() -> None:
    prompt = replace(PLAIN, sampling=Sampling(temperature=0.0, top_p=0.9))

    def call(url: str) -> None:
        with client(url, default_headers={"anthropic-version": OLD_VERSION}) as one:
            one.messages.create(
                model=MODEL,
                max_tokens=1024,
                messages=[ASKED],
                extra_body={"temperature": 0.0, "top_p": 0.9},
            )

    theirs, _ = asked_by_client(call, reply=json_reply(REPLY))
    assert_same_request(theirs, asked_by_dialect(DIALECT, prompt, target(OLD_VERSION)), theirs_alone=THEIRS_ALONE)
    assert asked_by_dialect(DIALECT, prompt, target()).body == asked_by_dialect(DIALECT, PLAIN, target()).body


def their_facts(message: anthropic.types.Message) -> dict[str, Any]:
    """What their client read, in our words."""
    reasons = {
        "end_turn": FinishReason.STOP,
        "stop_sequence": FinishReason.STOP,
        "max_tokens": FinishReason.LENGTH,
        "model_context_window_exceeded": FinishReason.LENGTH,
        "tool_use": FinishReason.TOOL_CALLS,
        "refusal": FinishReason.REFUSED,
    }
    assert message.stop_reason is not None
    reason = reasons[message.stop_reason]
    usage = message.usage
    read, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    return {
        "text": "".join(block.text for block in message.content if block.type == "text"),
        "reasoning": "".join(block.thinking for block in message.content if block.type == "thinking"),
        "reason": reason,
        "calls": [
            (block.id, block.name, block.input)
            for block in message.content
            if block.type == "tool_use" and reason is FinishReason.TOOL_CALLS
        ],
        "usage": (usage.input_tokens + read + written, usage.output_tokens, read, written),
        "model": message.model,
    }


def our_facts(completion: Completion) -> dict[str, Any]:
    usage = completion.usage
    assert usage.source is UsageSource.REPORTED
    return {
        "text": completion.text,
        "reasoning": completion.reasoning,
        "reason": completion.finish_reason,
        "calls": [(call.id, call.name, json.loads(call.arguments)) for call in completion.tool_calls],
        "usage": (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens),
        "model": completion.model,
    }


def their_quotations(
    message: anthropic.types.Message, sources: tuple[NumberedSource, ...]
) -> set[tuple[int, int, int]]:
    """Of theirs those whose characters stand where they say."""
    found = set()
    for block in message.content:
        for citation in (block.citations or ()) if block.type == "text" else ():
            assert citation.type == "char_location"
            one = sources[citation.document_index]
            start, end = citation.start_char_index, citation.end_char_index
            if one.passage.text[start:end] == citation.cited_text:
                found.add((one.number, one.passage.start + start, one.passage.start + end))
    return found


@pytest.mark.parametrize("name", golden_names("anthropic"))
def test_a_stream_is_read_as_anthropics_client_reads_it_and_so_is_the_same_message_whole(name: str) -> None:
    raw = (STREAMS / f"{name}.sse").read_bytes()
    prompt = golden_prompt(json.loads((STREAMS / f"{name}.json").read_text(encoding="utf-8")))

    def call(url: str) -> anthropic.types.Message:
        with client(url) as one, one.messages.stream(model=MODEL, max_tokens=9, messages=[ASKED]) as events:
            return events.get_final_message()

    _, theirs = asked_by_client(call, reply=stream_reply(raw))
    _, ours = read_stream(DIALECT, prompt, target(), [raw])
    expected = their_facts(theirs)
    assert our_facts(ours) == expected
    assert {(one.marker, one.start, one.end) for one in ours.quotations} == their_quotations(theirs, prompt.sources)
    whole = DIALECT.completion(json.loads(theirs.to_json()), prompt, target())
    assert our_facts(whole) == expected
    assert (whole.quotations, whole.cited) == (ours.quotations, ours.cited)
    assert [(call.id, call.signature) for call in whole.tool_calls] == [
        (call.id, call.signature) for call in ours.tool_calls
    ]


def test_a_whole_answer_is_read_as_anthropics_client_reads_it() -> None:
    body = REPLY | {
        "usage": {
            "input_tokens": 12,
            "cache_creation_input_tokens": 30,
            "cache_read_input_tokens": 500,
            "output_tokens": 60,
            "output_tokens_details": {"thinking_tokens": 41},
        }
    }

    def call(url: str) -> anthropic.types.Message:
        with client(url) as one:
            return one.messages.create(model=MODEL, max_tokens=9, messages=[ASKED])

    _, theirs = asked_by_client(call, reply=json_reply(body))
    ours = DIALECT.completion(body, PLAIN, target())
    assert our_facts(ours) == their_facts(theirs)
    assert theirs.usage.output_tokens_details is not None
    assert ours.usage.reasoning_tokens == theirs.usage.output_tokens_details.thinking_tokens


ERRORS: Mapping[str, tuple[int, dict[str, Any]]] = {
    "rate": (429, {"type": "rate_limit_error", "message": "Slow down."}),
    "spend": (
        429,
        {
            "type": "rate_limit_error",
            "message": "Monthly limit.",
            "details": {"error_code": "enforced_spend_limit_reached"},
        },
    ),
    "ramp": (
        429,
        {"type": "rate_limit_error", "message": "Too steep.", "details": {"error_code": "ramp_limit_exceeded"}},
    ),
    "billing": (402, {"type": "billing_error", "message": "No credit."}),
    "overloaded": (529, {"type": "overloaded_error", "message": "Overloaded"}),
    "invalid": (400, {"type": "invalid_request_error", "message": "prompt is too long: 210000 tokens > 200000"}),
    "key": (401, {"type": "authentication_error", "message": "invalid x-api-key"}),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_says_what_anthropics_client_finds_in_it(name: str) -> None:
    status, error = ERRORS[name]
    body = {"type": "error", "error": error, "request_id": "req_011"}

    def call(url: str) -> anthropic.APIStatusError:
        with client(url) as one, pytest.raises(anthropic.APIStatusError) as raised:
            one.messages.create(model=MODEL, max_tokens=9, messages=[ASKED])
        return raised.value

    _, theirs = asked_by_client(call, reply=json_reply(body, status=status))
    ours = DIALECT.fault(body)
    assert ours.type == theirs.type
    assert ours.message == error["message"]
    assert ours.reason == (theirs.error_code or "")


def test_an_error_within_a_stream_is_raised_as_anthropics_client_raises_it() -> None:
    golden = (STREAMS / "anthropic-text.sse").read_bytes()
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    raw = golden[: golden.index(b"event: message_delta")] + b"event: error\ndata: %b\n\n" % json.dumps(error).encode()

    def call(url: str) -> anthropic.APIStatusError:
        with (
            client(url) as one,
            pytest.raises(anthropic.APIStatusError) as raised,
            one.messages.stream(model=MODEL, max_tokens=9, messages=[ASKED]) as events,
        ):
            events.get_final_message()
        return raised.value

    _, theirs = asked_by_client(call, reply=stream_reply(raw))
    with pytest.raises(type(DIALECT.fault(error))) as raised:
        read_stream(DIALECT, PLAIN, target(), [raw])
    assert (raised.value.type, raised.value.message) == (theirs.type, "Overloaded")
