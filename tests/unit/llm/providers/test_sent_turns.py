"""What of a conversation is sent, and conversations that are none: the same in every dialect that looks at them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag_engine.errors import InvalidRequestError
from rag_engine.llm.providers.dialect import Target
from rag_engine.llm.providers.registry import dialect
from rag_engine.llm.providers.sent_turns import carried, described_tool, sent_documents, sent_turns, tool_of
from rag_engine.types.conversation import Message, Role, Tool, ToolCall
from rag_engine.types.generation import Prompt
from tests.golden_streams import numbered

TARGET = Target("cohere", "m")
PROMPT = Prompt.plain("How tall is the tower?")
NONE_AT_ALL: tuple[Message, ...] = ()
RESULT_OF_NOTHING = (Message(Role.TOOL, "1", tool_call_id="gone"),)
NO_ARGUMENTS = [
    (Message(Role.ASSISTANT, tool_calls=(ToolCall("x", "f", text),)),) for text in ("[]", '{"a": ', '{"a": NaN}')
]


@pytest.mark.parametrize("name", ["google", "ollama"])
@pytest.mark.parametrize("turns", [NONE_AT_ALL, RESULT_OF_NOTHING, *NO_ARGUMENTS])
def test_a_conversation_that_is_none_is_not_sent(name: str, turns: tuple[Message, ...]) -> None:
    prompt = replace(PROMPT, content="", conversation=turns, tools=(Tool("f", "d", {}),))
    with pytest.raises(InvalidRequestError) as raised:
        dialect(name).body(prompt, Target(name, "m"), stream=False)
    assert raised.value.provider == name


@pytest.mark.parametrize("name", ["anthropic", "cohere"])
def test_a_prompt_that_is_blank_asks_nothing(name: str) -> None:
    prompt = replace(Prompt.plain(" "), conversation=(Message(Role.USER, "\n"),))
    with pytest.raises(InvalidRequestError, match="asks nothing") as raised:
        dialect(name).body(prompt, Target(name, "m"), stream=False)
    assert raised.value.provider == name


def test_blank_sources_are_no_documents_and_without_documents_none_is() -> None:
    sources = (numbered(1, " \n"), numbered(2, "Within 14 days."))
    assert sent_documents(replace(PROMPT, sources=sources)) == ()
    assert [source.number for source in sent_documents(replace(PROMPT, sources=sources, documents=True))] == [2]


def test_beside_documents_the_question_is_asked_and_else_the_content() -> None:
    prompt = replace(PROMPT, question="How tall?", conversation=(Message(Role.USER, " "), Message(Role.TOOL, "")))
    assert [turn.text for turn in sent_turns(prompt, (), TARGET)] == ["", "How tall is the tower?"]
    assert [turn.text for turn in sent_turns(prompt, (numbered(1, "a"),), TARGET)] == ["", "How tall?"]
    answered = replace(prompt, content="")
    assert [turn.text for turn in sent_turns(answered, (numbered(1, "a"),), TARGET)] == [""]


def test_a_tools_turn_names_its_tool_or_the_call_before_it() -> None:
    assert tool_of(Message(Role.TOOL, tool_name="f", tool_call_id="a"), {"a": "g"}, TARGET) == "f"
    assert tool_of(Message(Role.TOOL, tool_call_id="a"), {"a": "g"}, TARGET) == "g"


@pytest.mark.parametrize("signature", ["", "EqQB", "[1]", "null", "[" * 100_000])
def test_a_signature_of_another_providers_carries_nothing(signature: str) -> None:
    assert carried(ToolCall("a", "f", "{}", signature)) == {}
    assert carried(ToolCall("a", "f", "{}", '{"tool_plan": "I look."}')) == {"tool_plan": "I look."}


def test_a_described_tool_can_be_added_to_and_leaves_the_tool_as_it_is() -> None:
    tool = Tool("f", "d", {"type": "object"})
    described_tool(tool)["function"]["parameters"]["strict"] = True
    assert tool.parameters == {"type": "object"}
