from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies

from rag_engine.errors import ConfigurationError, InvalidRequestError, UnsupportedParameterError
from rag_engine.llm.providers.anthropic_messages import AnthropicMessages
from rag_engine.llm.providers.dialect import Framing, JsonObject, Target
from rag_engine.types.conversation import Message, ResponseSchema, Role, Sampling, Tool, ToolCall
from rag_engine.types.generation import Prompt
from tests.golden_streams import numbered

DIALECT = AnthropicMessages()
TARGET = Target("anthropic", "claude-opus-5", "2026-10-21", max_output=2048)
TOOL = Tool("look", "Looks.", {"type": "object"})
MARK = {"type": "ephemeral"}
THOUGHTS = [{"type": "thinking", "thinking": "Hm.", "signature": "EqQB"}, {"type": "redacted_thinking", "data": "Em"}]
CITED = Prompt("How long?", "", "[1] …", (numbered(1, "Within 14 days.", title="Terms"),), 0, documents=True)


def sent(prompt: Prompt, target: Target = TARGET) -> JsonObject:
    return DIALECT.body(prompt, target, stream=False)


def marks_in(value: Any) -> int:
    if isinstance(value, dict):
        return ("cache_control" in value) + sum(marks_in(inner) for inner in value.values())
    return sum(marks_in(inner) for inner in value) if isinstance(value, list) else 0


def test_path_framing_and_version_are_those_of_the_interface() -> None:
    assert DIALECT.framing is Framing.SERVER_SENT_EVENTS
    assert DIALECT.path(TARGET, stream=True) == "/v1/messages"
    assert DIALECT.headers(CITED, TARGET) == {"anthropic-version": "2026-10-21"}
    assert DIALECT.headers(CITED, replace(TARGET, api_version="")) == {}


def test_a_limit_is_always_sent_the_models_where_the_prompt_has_none() -> None:
    assert sent(Prompt.plain("Why?"))["max_tokens"] == 2048
    assert sent(replace(Prompt.plain("Why?"), sampling=Sampling(max_output_tokens=9)))["max_tokens"] == 9


def test_thoughts_go_back_before_the_call_that_they_led_to() -> None:
    first = ToolCall("a", "look", "{}", json.dumps({"thinking": THOUGHTS}))
    second = ToolCall("b", "look", "{}", json.dumps({"thinking": THOUGHTS[:1]}))
    turn = Message(Role.ASSISTANT, "I look.", (first, second))
    (_, message, _) = sent(
        replace(
            Prompt.plain(""),
            conversation=(Message(Role.USER, "Look!"), turn, Message(Role.TOOL, "", tool_call_id="a")),
        )
    )["messages"]
    kinds = [block["type"] for block in message["content"]]
    assert kinds == ["thinking", "redacted_thinking", "text", "tool_use", "thinking", "tool_use"]
    assert message["content"][:2] == THOUGHTS


def test_what_tools_answer_to_one_turn_stands_together_and_to_another_apart() -> None:
    calls = Message(Role.ASSISTANT, "", (ToolCall("a", "look", "{}"), ToolCall("b", "look", "{}")))
    results = (Message(Role.TOOL, "1", tool_call_id="a"), Message(Role.TOOL, "", tool_call_id="b"))
    messages = sent(replace(Prompt.plain("Why?"), conversation=(calls, *results, calls, *results)))["messages"]
    assert [message["role"] for message in messages] == ["assistant", "user", "assistant", "user", "user"]
    assert [[block["tool_use_id"] for block in messages[at]["content"]] for at in (1, 3)] == [["a", "b"], ["a", "b"]]


@pytest.mark.parametrize("signature", ["CiQB0e2Kb3mW", '{"tool_plan": "I look."}', "[1]", '{"thinking": "text"}'])
def test_what_another_provider_signed_is_not_sent(signature: str) -> None:
    turn = Message(Role.ASSISTANT, "", (ToolCall("a", "look", "{}", signature),))
    (message,) = sent(replace(Prompt.plain(""), conversation=(turn,)))["messages"]
    assert [block["type"] for block in message["content"]] == ["tool_use"]


@pytest.mark.parametrize("arguments", ["[1]", "no", '"{}"', "{"])
def test_a_call_whose_arguments_are_no_object_is_not_sent(arguments: str) -> None:
    turn = Message(Role.ASSISTANT, "", (ToolCall("a", "look", arguments),))
    with pytest.raises(InvalidRequestError, match="look"):
        sent(replace(Prompt.plain(""), conversation=(turn,)))


def test_documents_stand_before_the_last_thing_that_the_user_said() -> None:
    turns = (
        Message(Role.USER, "Hello"),
        Message(Role.USER, "How long?"),
        Message(Role.ASSISTANT, "", (ToolCall("a", "look", "{}"),)),
        Message(Role.TOOL, "Found.", tool_call_id="a"),
    )
    messages = sent(replace(CITED, content="", conversation=turns))["messages"]
    assert [block["type"] for block in messages[1]["content"]] == ["document", "text"]
    assert [block["type"] for block in messages[3]["content"]] == ["tool_result"]


def test_documents_without_anything_said_by_a_user_stand_alone_or_before_the_question() -> None:
    (message,) = sent(replace(CITED, content=""))["messages"]
    assert message["content"][1] == {"type": "text", "text": "How long?"}
    result = Message(Role.TOOL, "Found.", tool_call_id="a")
    messages = sent(replace(CITED, content="", conversation=(result,)))["messages"]
    assert [block["type"] for block in messages[-1]["content"]] == ["document"]


def test_sources_are_no_documents_unless_the_prompt_says_so() -> None:
    assert sent(replace(CITED, documents=False))["messages"] == [{"role": "user", "content": "[1] …"}]


def test_a_schema_does_not_go_with_documents() -> None:
    with pytest.raises(UnsupportedParameterError):
        sent(replace(CITED, schema=ResponseSchema("days", {"type": "object"})))


def test_a_prompt_that_asks_nothing_is_not_sent() -> None:
    with pytest.raises(InvalidRequestError):
        sent(Prompt.plain(" \n"))
    with pytest.raises(InvalidRequestError):
        sent(replace(Prompt.plain(""), conversation=(Message(Role.ASSISTANT, " "),)))


def test_tools_are_marked_where_there_are_no_instructions_to_mark_behind_them() -> None:
    body = sent(replace(Prompt.plain("Why?"), tools=(TOOL, TOOL), cache=True))
    assert [tool.get("cache_control") for tool in body["tools"]] == [None, MARK]
    body = sent(replace(Prompt.plain("Why?", instructions="Be brief."), tools=(TOOL,), cache=True))
    assert body["system"] == [{"type": "text", "text": "Be brief.", "cache_control": MARK}]
    assert marks_in(body) == 1


def test_a_tools_answer_is_marked_itself() -> None:
    turns = (
        Message(Role.TOOL, "One", tool_call_id="a", cache=True),
        Message(Role.TOOL, "Two", tool_call_id="b"),
    )
    (message, _) = sent(replace(Prompt.plain("Why?"), conversation=turns))["messages"]
    assert [block.get("cache_control") for block in message["content"]] == [MARK, None]


@given(
    turns=strategies.lists(strategies.tuples(strategies.sampled_from(Role), strategies.booleans()), max_size=12),
    cache=strategies.booleans(),
    instructions=strategies.sampled_from(["", "Be brief."]),
    marks=strategies.integers(0, 4),
)
def test_there_are_never_more_marks_than_the_provider_takes(
    turns: list[tuple[Role, bool]], cache: bool, instructions: str, marks: int
) -> None:
    conversation = tuple(Message(role, "Yes.", tool_call_id="a", cache=marked) for role, marked in turns)
    prompt = replace(
        Prompt.plain("Why?", instructions=instructions), tools=(TOOL,), cache=cache, conversation=conversation
    )
    wanted = cache + sum(marked for _, marked in turns)
    assert marks_in(sent(prompt, replace(TARGET, quirks={"cache_marks": marks}))) == min(wanted, marks)


def test_effort_is_left_out_where_the_model_does_not_take_it() -> None:
    prompt = replace(Prompt.plain("Why?"), sampling=Sampling(reasoning_effort="low"))
    assert sent(prompt)["output_config"] == {"effort": "low"}
    assert "output_config" not in sent(prompt, replace(TARGET, quirks={"effort": False}))


def test_an_unknown_quirk_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        sent(Prompt.plain("Why?"), replace(TARGET, quirks={"colour": "red"}))
