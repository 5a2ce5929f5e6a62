"""What the dialect of Google sends, and what it refuses to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rag_engine.errors import UnsupportedParameterError
from rag_engine.llm.providers.dialect import Framing
from rag_engine.llm.providers.provider_data import provider_data
from rag_engine.types.conversation import Message, Role, Sampling, Tool, ToolChoice
from tests.unit.llm.providers.google_answers import DIALECT, PROMPT, TARGET, answer, read


def test_it_says_where_it_is_spoken() -> None:
    assert DIALECT.framing is Framing.SERVER_SENT_EVENTS
    assert DIALECT.path(replace(TARGET, api_version=""), stream=False) == "/v1/models/gemini-2.5-flash:generateContent"
    assert DIALECT.path(replace(TARGET, model="a b?c#d"), stream=False) == "/v1/models/a%20b%3Fc%23d:generateContent"
    assert provider_data("google").key_header == "x-goog-api-key"


def effort(word: str, model: str) -> Any:
    target = replace(TARGET, model=model, quirks=provider_data("google").quirks(model, "v1"))
    prompt = replace(PROMPT, sampling=Sampling(reasoning_effort=word))
    return DIALECT.body(prompt, target, stream=False)["generationConfig"].get("thinkingConfig")


def test_how_much_is_thought_is_asked_as_the_model_takes_it() -> None:
    assert effort("low", "gemini-3-pro-preview") == {"thinkingLevel": "LOW"}
    assert effort("low", "gemini-2.5-pro") == {"thinkingBudget": 1024}
    assert effort("2000", "gemini-2.5-pro") == {"thinkingBudget": 2000}
    assert effort("-1", "gemini-2.5-pro") == {"thinkingBudget": -1}
    assert effort("low", "gemini-2.0-flash") is None
    with pytest.raises(UnsupportedParameterError, match="extreme"):
        effort("extreme", "gemini-2.5-pro")


def test_thoughts_are_asked_for_where_a_quirk_says_so() -> None:
    target = replace(TARGET, quirks={"include_thoughts": True})
    assert DIALECT.body(PROMPT, target, stream=True)["generationConfig"] == {
        "thinkingConfig": {"includeThoughts": True}
    }


@pytest.mark.parametrize("choice", [ToolChoice.REQUIRED, "g"])
def test_a_tool_that_is_not_there_cannot_be_chosen(choice: str) -> None:
    with pytest.raises(UnsupportedParameterError):
        DIALECT.body(replace(PROMPT, tool_choice=choice), TARGET, stream=False)


def body_of(*turns: Message, content: str = "") -> list[Any]:
    prompt = replace(PROMPT, content=content, conversation=turns, tools=(Tool("f", "d", {}),))
    contents: list[Any] = DIALECT.body(prompt, TARGET, stream=False)["contents"]
    return contents


def test_an_id_of_our_own_is_not_sent_back() -> None:
    call = read(answer({"functionCall": {"name": "f"}})).tool_calls[0]
    contents = body_of(
        Message(Role.USER, "?"),
        Message(Role.ASSISTANT, tool_calls=(call,)),
        Message(Role.TOOL, "1", tool_call_id=call.id),
    )
    assert contents[1]["parts"] == [{"functionCall": {"name": "f", "args": {}}}]
    assert contents[2]["parts"] == [{"functionResponse": {"name": "f", "response": {"output": "1"}}}]


@pytest.mark.parametrize("text", ["{", '{"a": NaN}', "[1]", "", '"x"'])
def test_a_tools_result_that_is_no_object_goes_as_text(text: str) -> None:
    contents = body_of(Message(Role.TOOL, text, tool_name="f"))
    assert contents[0]["parts"][0]["functionResponse"]["response"] == {"output": text}
