"""Cohere's own client sends what ours sends, and reads what ours reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import cohere
import pytest
from cohere.core.api_error import ApiError

from rag_engine.llm.providers.cohere_chat import CohereChat
from rag_engine.llm.providers.dialect import Target
from rag_engine.llm.providers.provider_data import provider_data
from rag_engine.types.conversation import Message, ResponseSchema, Role, Sampling, Tool, ToolCall, ToolChoice
from rag_engine.types.generation import Completion, FinishReason, Prompt, UsageSource
from tests.conformance.sdk_capture import (
    asked_by_client,
    asked_by_dialect,
    assert_same_request,
    json_reply,
    read_stream,
    stream_reply,
)
from tests.golden_streams import STREAMS, golden_names, golden_prompt, numbered

DIALECT = CohereChat()
MODEL = "command-a-reasoning-08-2025"
THEIRS_ALONE = {
    "authorization": "the key: the model's part, which no dialect sees",
    "content-type": "the media type: the model's part",
    "x-fern-*": "what the client tells of itself and its language",
}
REASONS = {
    "COMPLETE": FinishReason.STOP,
    "STOP_SEQUENCE": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    "TOOL_CALL": FinishReason.TOOL_CALLS,
}
TOOL = Tool("get_weather", "Tells the weather.", {"type": "object", "properties": {"city": {"type": "string"}}})
SCHEMA = {"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]}


def target(model: str = MODEL) -> Target:
    return Target("cohere", model, "", provider_data("cohere").quirks(model, ""))


def client(url: str) -> cohere.ClientV2:
    return cohere.ClientV2(api_key="co-test", base_url=url, max_retries=0)


PLAIN = Prompt.plain("How long do refunds take?")
ASKED = {"role": "user", "content": "How long do refunds take?"}
WIRE_TOOL = {
    "type": "function",
    "function": {"name": TOOL.name, "description": TOOL.description, "parameters": dict(TOOL.parameters)},
}
SIGNATURE = json.dumps({"tool_plan": "I look.", "thought": "Weather is asked."})
CALLS: Mapping[str, tuple[Prompt, dict[str, Any]]] = {
    "plain": (PLAIN, {"messages": [ASKED]}),
    "system": (
        Prompt.plain("How long?", instructions="Be brief."),
        {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How long?"}]},
    ),
    "conversation": (
        replace(PLAIN, conversation=(Message(Role.USER, "Hello"), Message(Role.ASSISTANT, "Hi."))),
        {"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi."}, ASKED]},
    ),
    "tool results": (
        Prompt(
            "",
            "",
            "",
            (),
            0,
            tools=(replace(TOOL, strict=True),),
            conversation=(
                Message(Role.USER, "Weather?"),
                Message(Role.ASSISTANT, "", (ToolCall("w_1", "get_weather", '{"city": "Oslo"}', SIGNATURE),)),
                Message(Role.TOOL, '{"sky": "rain"}', tool_call_id="w_1", tool_name="get_weather"),
            ),
        ),
        {
            "tools": [WIRE_TOOL],
            "strict_tools": True,
            "messages": [
                {"role": "user", "content": "Weather?"},
                {
                    "role": "assistant",
                    "tool_plan": "I look.",
                    "content": [{"type": "thinking", "thinking": "Weather is asked."}],
                    "tool_calls": [
                        {
                            "id": "w_1",
                            "type": "function",
                            "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "w_1", "content": '{"sky": "rain"}'},
            ],
        },
    ),
    "a tool must be asked for": (
        replace(PLAIN, tools=(TOOL,), tool_choice=ToolChoice.REQUIRED),
        {"messages": [ASKED], "tools": [WIRE_TOOL], "tool_choice": "REQUIRED"},
    ),
    "no tool may be asked for": (
        replace(PLAIN, tools=(TOOL,), tool_choice=ToolChoice.NONE),
        {"messages": [ASKED], "tools": [WIRE_TOOL], "tool_choice": "NONE"},
    ),
    "schema": (
        replace(PLAIN, schema=ResponseSchema("days", SCHEMA)),
        {"messages": [ASKED], "response_format": {"type": "json_object", "json_schema": SCHEMA}},
    ),
    "sampling": (
        replace(PLAIN, sampling=Sampling(77, 0.2, 0.9, 3, ("END",), "400")),
        {
            "messages": [ASKED],
            "max_tokens": 77,
            "temperature": 0.2,
            "p": 0.9,
            "seed": 3,
            "stop_sequences": ["END"],
            "thinking": {"type": "enabled", "token_budget": 400},
        },
    ),
    "no thinking": (
        replace(PLAIN, sampling=Sampling(reasoning_effort="disabled")),
        {"messages": [ASKED], "thinking": {"type": "disabled"}},
    ),
    "documents": (
        Prompt(
            "How long?",
            "Cite.",
            "[1] … [2] … How long?",
            (
                numbered(1, "Within 14 days.", title="Terms"),
                numbered(2, "By transfer."),
                numbered(3, "\n", title="Blank"),
            ),
            0,
            documents=True,
        ),
        {
            "messages": [{"role": "system", "content": "Cite."}, {"role": "user", "content": "How long?"}],
            "documents": [
                {"id": "1", "data": {"title": "Terms", "text": "Within 14 days."}},
                {"id": "2", "data": {"text": "By transfer."}},
            ],
        },
    ),
}


def reply(facts: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {
        "id": "c14c80c3",
        "finish_reason": "COMPLETE",
        "message": {"role": "assistant", "content": [{"type": "text", "text": "Within 14 days."}]},
        "usage": {
            "billed_units": {"input_tokens": 5, "output_tokens": 6},
            "tokens": {"input_tokens": 212, "output_tokens": 6},
            "cached_tokens": 128,
        },
        **(facts or {}),
    }


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", CALLS)
def test_the_same_call_is_sent_as_coheres_client_sends_it(name: str, stream: bool) -> None:
    prompt, arguments = CALLS[name]

    def call(url: str) -> None:
        with client(url) as one:
            if stream:
                list(one.chat_stream(model=MODEL, **arguments))
            else:
                one.chat(model=MODEL, **arguments)

    answer = stream_reply((STREAMS / "cohere-text.sse").read_bytes()) if stream else json_reply(reply())
    theirs, _ = asked_by_client(call, reply=answer)
    assert_same_request(theirs, asked_by_dialect(DIALECT, prompt, target(), stream=stream), theirs_alone=THEIRS_ALONE)


def facts_of(completion: Completion) -> dict[str, Any]:
    usage = completion.usage
    assert usage.source is UsageSource.REPORTED
    return {
        "text": completion.text,
        "reasoning": completion.reasoning,
        "reason": completion.finish_reason,
        "calls": [(call.id, call.name, json.loads(call.arguments)) for call in completion.tool_calls],
        "usage": (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens),
    }


class TheirStream:
    """Puts together what their client hands out event by event; it does not do so itself."""

    def __init__(self) -> None:
        self.content: list[dict[str, str]] = []
        self.plan = ""
        self.calls: list[list[str]] = []
        self.citations: list[Any] = []
        self.end: Any = None

    def read(self, event: Any) -> None:
        if event.type == "content-start":
            self.content.append({"type": event.delta.message.content.type, "text": ""})
        elif event.type == "content-delta":
            piece = event.delta.message.content
            self.content[event.index]["text"] += piece.text or piece.thinking or ""
        elif event.type == "tool-plan-delta":
            self.plan += event.delta.message.tool_plan
        elif event.type == "tool-call-start":
            call = event.delta.message.tool_calls
            self.calls.append([call.id, call.function.name, call.function.arguments])
        elif event.type == "tool-call-delta":
            self.calls[event.index][2] += event.delta.message.tool_calls.function.arguments
        elif event.type == "citation-start":
            self.citations.append(event.delta.message.citations)
        elif event.type == "message-end":
            self.end = event.delta

    def facts(self) -> dict[str, Any]:
        usage = self.end.usage
        return {
            "text": "".join(block["text"] for block in self.content if block["type"] == "text"),
            "reasoning": "".join(block["text"] for block in self.content if block["type"] == "thinking") + self.plan,
            "reason": REASONS[self.end.finish_reason],
            "calls": [(identity, name, json.loads(arguments)) for identity, name, arguments in self.calls],
            "usage": (usage.tokens.input_tokens, usage.tokens.output_tokens, usage.cached_tokens or 0),
        }

    def cited(self) -> list[tuple[str, str]]:
        """The texts of the answer that are cited, beside the document's id; of these streams one block is text."""
        (text,) = (block["text"] for block in self.content if block["type"] == "text")
        return [
            (citation.text, one.id)
            for citation in self.citations
            if citation.type == "TEXT_CONTENT" and text[citation.start : citation.end] == citation.text
            for one in citation.sources
        ]


@pytest.mark.parametrize("name", golden_names("cohere"))
def test_a_stream_is_read_as_coheres_client_reads_it(name: str) -> None:
    raw = (STREAMS / f"{name}.sse").read_bytes()
    prompt = golden_prompt(json.loads((STREAMS / f"{name}.json").read_text(encoding="utf-8")))

    def call(url: str) -> TheirStream:
        read = TheirStream()
        with client(url) as one:
            for event in one.chat_stream(model=MODEL, messages=[ASKED]):
                read.read(event)
        return read

    _, theirs = asked_by_client(call, reply=stream_reply(raw))
    _, ours = read_stream(DIALECT, prompt, target(), [raw])
    assert facts_of(ours) == theirs.facts()
    if theirs.citations:
        assert [(ours.text[one.start : one.end], str(one.marker)) for one in ours.cited] == theirs.cited()
    else:
        assert ours.cited == ()


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {
            "usage": {
                "billed_units": {"input_tokens": 5, "output_tokens": 6},
                "tokens": {"input_tokens": 9.0, "output_tokens": 6.0},
            }
        },
        {
            "message": {
                "role": "assistant",
                "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Ümlaut 👋 first"}],
                "citations": [
                    {
                        "start": 0,
                        "end": 6,
                        "text": "Ümlaut",
                        "sources": [{"type": "document", "id": "2"}],
                        "content_index": 1,
                    }
                ],
            }
        },
        {
            "finish_reason": "TOOL_CALL",
            "message": {
                "role": "assistant",
                "tool_plan": "I look.",
                "tool_calls": [
                    {
                        "id": "w_1",
                        "type": "function",
                        "function": {"name": "get_weather", "arguments": '{"city":"Oslo"}'},
                    }
                ],
            },
        },
    ],
    ids=["plain", "floats", "citations", "tools"],
)
def test_a_whole_answer_is_read_as_coheres_client_reads_it(facts: dict[str, Any]) -> None:
    body = reply(facts)
    prompt = replace(PLAIN, sources=(numbered(1, "one", title="A"), numbered(2, "two", title="B")), documents=True)

    def call(url: str) -> cohere.V2ChatResponse:
        with client(url) as one:
            return one.chat(model=MODEL, messages=[ASKED])

    _, theirs = asked_by_client(call, reply=json_reply(body))
    ours = DIALECT.completion(body, prompt, target())
    content = theirs.message.content or []
    assert theirs.usage is not None
    assert theirs.usage.tokens is not None
    assert facts_of(ours) == {
        "text": "".join(block.text for block in content if block.type == "text"),
        "reasoning": "".join(block.thinking for block in content if block.type == "thinking")
        + (theirs.message.tool_plan or ""),
        "reason": REASONS[theirs.finish_reason],
        "calls": [
            (call.id, call.function.name, json.loads(call.function.arguments or ""))
            for call in theirs.message.tool_calls or ()
            if call.function
        ],
        "usage": (
            theirs.usage.tokens.input_tokens,
            theirs.usage.tokens.output_tokens,
            theirs.usage.cached_tokens or 0,
        ),
    }
    assert [(ours.text[one.start : one.end], str(one.marker)) for one in ours.cited] == [
        (citation.text, one.id) for citation in theirs.message.citations or () for one in citation.sources or ()
    ]


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 422, 429, 498, 499, 500, 503])
def test_an_error_says_what_coheres_client_finds_in_it(status: int) -> None:
    body = {"id": "55c1", "message": "You are using a Trial key, which is limited to 1000 API calls / month."}

    def call(url: str) -> ApiError:
        with client(url) as one, pytest.raises(ApiError) as raised:
            one.chat(model=MODEL, messages=[ASKED])
        return raised.value

    _, theirs = asked_by_client(call, reply=json_reply(body, status=status))
    assert theirs.status_code == status
    assert DIALECT.fault(body).message == theirs.body["message"]
