"""The dialect of Ollama: what it makes of answers, right and wrong, and what it refuses to send."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import BadResponseError, IncompleteResponseError, LanguageModelError, UnsupportedParameterError
from rag_engine.llm.providers.dialect import Framing, ReportedFault, Target
from rag_engine.llm.providers.ollama_chat import OllamaChat
from rag_engine.llm.providers.provider_data import provider_data
from rag_engine.llm.transport import ServerEvent
from rag_engine.types.conversation import Tool, ToolCall, ToolChoice
from rag_engine.types.generation import Completion, FinishReason, Prompt, ReasoningDelta, TextDelta, Usage, UsageSource
from tests.unit.llm.providers.wire_damage import json_with

DIALECT = OllamaChat()
TARGET = Target("ollama", "llama3.2")
PROMPT = Prompt.plain("How tall is the tower?")
COUNTS = {"prompt_eval_count": 9, "eval_count": 4}
NO_NUMBERS = Usage(source=UsageSource.ESTIMATED)


def line(content: Any = "", **more: Any) -> dict[str, Any]:
    return {"model": "llama3.2:3b", "message": {"role": "assistant", "content": content}, "done": False} | more


def last(content: Any = "", *, reason: Any = "stop", **more: Any) -> dict[str, Any]:
    return line(content, done=True, done_reason=reason) | COUNTS | more


def read(body: Any, target: Target = TARGET) -> Completion:
    return DIALECT.completion(body, PROMPT, target)


def stream(*lines: Any) -> tuple[list[Any], Completion]:
    assembler = DIALECT.assembler(PROMPT, TARGET)
    deltas: list[Any] = []
    for one in lines:
        deltas.extend(assembler.feed(ServerEvent("", one if isinstance(one, str) else json.dumps(one))))
    return deltas, assembler.completion()


def test_a_whole_answer_is_read() -> None:
    completion = read(last("324 metres"))
    assert (completion.text, completion.finish_reason) == ("324 metres", FinishReason.STOP)
    assert (completion.usage, completion.model) == (Usage(9, 4), "llama3.2:3b")


def test_lines_add_up_with_what_is_thought_beside() -> None:
    thought = {"role": "assistant", "content": "", "thinking": "Hm."}
    deltas, completion = stream(line(message=thought), line("324"), line(" metres"), last())
    assert deltas == [ReasoningDelta("Hm."), TextDelta("324"), TextDelta(" metres")]
    assert (completion.text, completion.reasoning) == ("324 metres", "Hm.")


def test_tool_calls_of_all_lines_are_kept_in_order() -> None:
    calls = [{"id": "a", "function": {"name": "f", "arguments": {"x": "é"}}}, {"function": {"name": "g"}}]
    _, completion = stream(line(message={"tool_calls": calls}), last(message={"tool_calls": calls[1:]}))
    assert completion.finish_reason is FinishReason.TOOL_CALLS
    assert completion.tool_calls == (
        ToolCall("a", "f", '{"x": "é"}'),
        ToolCall("call-without-id-2", "g", "{}"),
        ToolCall("call-without-id-3", "g", "{}"),
    )


def test_a_limit_is_said() -> None:
    assert read(last("324", reason="length")).finish_reason is FinishReason.LENGTH
    assert read(last("", reason="length")).text == ""


def test_an_answer_without_a_reason_for_its_end_ended() -> None:
    body = last("324")
    del body["done_reason"]
    assert read(body).finish_reason is FinishReason.STOP
    assert read(last("324", reason="")).finish_reason is FinishReason.STOP


@pytest.mark.parametrize("read_tokens", [9, 0, None])
def test_a_window_that_is_full_is_said_to_be(read_tokens: int | None) -> None:
    def finish(num_ctx: int) -> FinishReason:
        body = last("324", prompt_eval_count=read_tokens)
        return read(body, replace(TARGET, quirks={"num_ctx": num_ctx})).finish_reason

    full = (read_tokens or 0) + 4
    assert finish(full) is FinishReason.LENGTH
    assert finish(full + 1) is FinishReason.STOP


@pytest.mark.parametrize("reason", ["load", "unload"])
def test_a_model_that_was_only_loaded_did_not_answer(reason: str) -> None:
    with pytest.raises(BadResponseError, match="loaded"):
        read(last("", reason=reason))
    with pytest.raises(BadResponseError, match="loaded"):
        stream(line("324"), last(reason=reason))


@pytest.mark.parametrize("body", [line("324"), {}, {"message": {"content": "324"}}, {"done": None}])
def test_what_is_not_done_is_incomplete(body: Any) -> None:
    with pytest.raises(IncompleteResponseError) as raised:
        read(body)
    assert (raised.value.provider, raised.value.model) == ("ollama", "llama3.2")
    with pytest.raises(IncompleteResponseError):
        stream(body)


@pytest.mark.parametrize(
    "body",
    [
        last(""),
        last(),
        last("x", reason="tired"),
        last("x", reason=3),
        last("x", reason=[]),
        last("x", done="true"),
        last("x", done=1),
        last(message="x"),
        last(message=[]),
        last(5),
        last("half \ude00"),
        last(message={"content": "x", "thinking": ["x"]}),
        last(message={"tool_calls": {"function": {}}}),
        last(message={"tool_calls": [3]}),
        last(message={"tool_calls": [{"function": {"name": ""}}]}),
        last(message={"tool_calls": [{"function": {"name": "f", "arguments": '{"x": 1}'}}]}),
        last(message={"tool_calls": [{"function": {"name": "f", "arguments": [1]}}]}),
        last(message={"tool_calls": [{"function": {"name": "f", "arguments": {"x": float("inf")}}}]}),
    ],
)
def test_what_is_no_answer_is_a_bad_response(body: Any) -> None:
    with pytest.raises(BadResponseError):
        read(body)


@pytest.mark.parametrize("data", ["", "null", "[]", "3", '"text"', "{", '{"done": tru', "[" * 100_000])
def test_what_is_no_line_is_a_bad_response(data: str) -> None:
    with pytest.raises(BadResponseError):
        stream(data)


def test_what_comes_after_the_end_is_not_read() -> None:
    assembler = DIALECT.assembler(PROMPT, TARGET)
    assembler.feed(ServerEvent("", json.dumps(last("324"))))
    assert assembler.ended
    assert not assembler.feed(ServerEvent("", json.dumps(line(" metres"))))
    assert not assembler.feed(ServerEvent("", '{"error": "too late"}'))
    assert assembler.completion().text == "324"


@pytest.mark.parametrize("number", [-1, float("nan"), 1.5, 4.0, "4", None, True, [], 0, 10**12 + 1])
def test_numbers_that_are_none_leave_the_usage_to_an_estimate(number: Any) -> None:
    assert read(last("x", prompt_eval_count=number)).usage == NO_NUMBERS
    if number != 0:
        assert read(last("x", eval_count=number)).usage == NO_NUMBERS


@pytest.mark.parametrize(
    "error", ["model runner has unexpectedly stopped", {"message": "model runner has unexpectedly stopped"}]
)
def test_an_error_is_raised_wherever_it_comes(error: Any) -> None:
    for ask in (lambda: read({"error": error}), lambda: stream(line("324"), {"error": error})):
        with pytest.raises(ReportedFault) as raised:
            ask()
        assert raised.value.message == "model runner has unexpectedly stopped"


def test_an_error_of_an_object_is_read_with_its_type_and_code() -> None:
    fault = DIALECT.fault({"error": {"message": "m", "type": "t", "code": 503}})
    assert (fault.message, fault.type, fault.code) == ("m", "t", "503")


@pytest.mark.parametrize("body", [None, 5, "no", [], {}, {"error": None}, {"error": 3}, {"error": {"code": True}}])
def test_an_error_that_says_nothing_is_an_empty_fault(body: Any) -> None:
    fault = DIALECT.fault(body)
    assert (fault.type, fault.code, fault.message, fault.status) == ("", "", "", None)


NAMES = [
    "message",
    "content",
    "thinking",
    "tool_calls",
    "function",
    "name",
    "arguments",
    "done",
    "done_reason",
    "error",
    "eval_count",
]
JSON = json_with(NAMES)


@given(st.lists(JSON, max_size=4))
def test_whatever_json_comes_is_an_answer_or_a_typed_error(lines: list[Any]) -> None:
    for one in lines:
        DIALECT.fault(one)
    try:
        _, completion = stream(*lines)
    except (LanguageModelError, ReportedFault):
        return
    assert completion.text or completion.finish_reason is not FinishReason.STOP


def test_it_says_where_it_is_spoken() -> None:
    assert DIALECT.framing is Framing.JSON_LINES
    assert DIALECT.path(TARGET, stream=True) == "/api/chat"
    assert not provider_data("ollama").needs_key


@pytest.mark.parametrize("choice", [ToolChoice.REQUIRED, "f"])
def test_no_tool_can_be_made_to_be_called(choice: str) -> None:
    prompt = replace(PROMPT, tools=(Tool("f", "d", {}),), tool_choice=choice)
    with pytest.raises(UnsupportedParameterError):
        DIALECT.body(prompt, TARGET, stream=False)
