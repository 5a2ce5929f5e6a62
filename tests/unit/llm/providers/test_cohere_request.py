from __future__ import annotations

from dataclasses import replace

import pytest

from rag_engine.errors import ConfigurationError, InvalidRequestError, UnsupportedParameterError
from rag_engine.llm.providers.cohere_chat import CohereChat
from rag_engine.llm.providers.dialect import Framing, JsonObject, Target
from rag_engine.types.conversation import Message, ResponseSchema, Role, Sampling, Tool, ToolCall, ToolChoice
from rag_engine.types.generation import Prompt
from tests.golden_streams import numbered

DIALECT = CohereChat()
TARGET = Target("cohere", "command-a-reasoning-08-2025")
TOOL = Tool("look", "Looks.", {"type": "object"})
SCHEMA = ResponseSchema("days", {"type": "object"})
CITED = Prompt("How long?", "", "[1] …", (numbered(1, "Within 14 days.", title="Terms"),), 0, documents=True)


def sent(prompt: Prompt, target: Target = TARGET) -> JsonObject:
    return DIALECT.body(prompt, target, stream=False)


def test_path_framing_and_headers_are_those_of_the_interface() -> None:
    assert DIALECT.framing is Framing.SERVER_SENT_EVENTS
    assert DIALECT.path(TARGET, stream=True) == "/v2/chat"
    assert DIALECT.headers(CITED, TARGET) == {}


def test_what_is_not_said_is_left_to_the_provider() -> None:
    assert sent(Prompt.plain("Why?")) == {
        "model": TARGET.model,
        "messages": [{"role": "user", "content": "Why?"}],
        "stream": False,
    }


def test_documents_go_with_the_question_and_without_it_where_the_conversation_asks() -> None:
    assert sent(CITED)["messages"] == [{"role": "user", "content": "How long?"}]
    assert sent(replace(CITED, content=""))["messages"] == [{"role": "user", "content": "How long?"}]
    asked = replace(CITED, content="", conversation=(Message(Role.USER, "And now?"),))
    assert sent(asked)["messages"] == [{"role": "user", "content": "And now?"}]
    assert "documents" not in sent(replace(CITED, documents=False))


@pytest.mark.parametrize("others", [{"documents": True}, {"documents": False, "tools": (TOOL,)}])
def test_a_schema_goes_with_neither_documents_nor_tools(others: dict[str, object]) -> None:
    with pytest.raises(UnsupportedParameterError):
        sent(replace(CITED, schema=SCHEMA, **others))  # type: ignore[arg-type]


def test_one_tool_cannot_be_chosen() -> None:
    with pytest.raises(UnsupportedParameterError):
        sent(replace(Prompt.plain("Why?"), tools=(TOOL,), tool_choice="look"))


def test_tools_are_strict_only_where_all_are() -> None:
    strict = replace(TOOL, strict=True)
    assert "strict_tools" not in sent(replace(Prompt.plain("Why?"), tools=(TOOL, strict)))
    assert sent(replace(Prompt.plain("Why?"), tools=(strict, strict)))["strict_tools"] is True


def test_a_choice_among_no_tools_is_not_sent() -> None:
    assert "tool_choice" not in sent(replace(Prompt.plain("Why?"), tool_choice=ToolChoice.REQUIRED))


@pytest.mark.parametrize("effort", ["high", "", "0", "-5", "1.5"])
def test_a_word_for_thinking_that_is_none_of_coheres_is_refused_and_left_out_where_nothing_is_thought(
    effort: str,
) -> None:
    prompt = replace(Prompt.plain("Why?"), sampling=Sampling(reasoning_effort=effort))
    with pytest.raises(UnsupportedParameterError):
        sent(prompt)
    assert "thinking" not in sent(prompt, replace(TARGET, quirks={"thinking": False}))


@pytest.mark.parametrize("signature", ["CiQB0e2Kb3mW", '{"thinking": [1]}', "[1]", '{"tool_plan": 7}'])
def test_what_another_provider_signed_is_not_sent(signature: str) -> None:
    turn = Message(Role.ASSISTANT, "I look.", (ToolCall("a", "look", "{}", signature),))
    (message,) = sent(replace(Prompt.plain(""), conversation=(turn,)))["messages"]
    assert message.keys() == {"role", "content", "tool_calls"}
    assert message["content"] == [{"type": "text", "text": "I look."}]


def test_a_prompt_that_asks_nothing_is_not_sent() -> None:
    with pytest.raises(InvalidRequestError):
        sent(Prompt.plain(" ", instructions="Be brief."))


def test_an_unknown_quirk_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        sent(Prompt.plain("Why?"), replace(TARGET, quirks={"sampling": False}))
