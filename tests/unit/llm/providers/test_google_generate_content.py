"""The dialect of Google: what it makes of answers, right and wrong, and what it refuses to send."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import (
    BadResponseError,
    ConfigurationError,
    IncompleteResponseError,
    InvalidRequestError,
    LanguageModelError,
    OutputFilteredError,
    PromptBlockedError,
    UnsupportedParameterError,
)
from rag_engine.llm.providers.dialect import Framing, ReportedFault, Target
from rag_engine.llm.providers.google_generate_content import GoogleGenerateContent
from rag_engine.llm.providers.provider_data import provider_data
from rag_engine.llm.providers.unframed_json import UnframedJson
from rag_engine.llm.transport import EventStream, ServerEvent
from rag_engine.types.conversation import Message, Role, Sampling, Tool, ToolCall, ToolChoice
from rag_engine.types.generation import (
    Completion,
    FinishReason,
    Prompt,
    ReasoningDelta,
    TextDelta,
    Usage,
    UsageSource,
)

DIALECT = GoogleGenerateContent()
TARGET = Target("google", "gemini-2.5-flash", "v1")
PROMPT = Prompt.plain("How tall is the tower?")
COUNTS = {"promptTokenCount": 9, "candidatesTokenCount": 4, "totalTokenCount": 13}
NO_NUMBERS = Usage(source=UsageSource.ESTIMATED)


def answer(*parts: Any, finish: Any = "STOP", usage: Any = COUNTS, **more: Any) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": list(parts)}, "finishReason": finish, "index": 0} | more
    body = {"candidates": [candidate], "usageMetadata": usage}
    return body if finish is not None else body | {"candidates": [{k: candidate[k] for k in ("content", "index")}]}


def read(body: Any) -> Completion:
    return DIALECT.completion(body, PROMPT, TARGET)


def stream(*fragments: Any) -> tuple[list[Any], Completion]:
    assembler = DIALECT.assembler(PROMPT, TARGET)
    deltas: list[Any] = []
    for fragment in fragments:
        data = fragment if isinstance(fragment, str) else json.dumps(fragment)
        deltas.extend(assembler.feed(ServerEvent("", data)))
    return deltas, assembler.completion()


WORDS = {"text": "324 metres"}


def test_a_whole_answer_is_read() -> None:
    completion = read(answer(WORDS) | {"modelVersion": "gemini-2.5-flash-002", "responseId": "r-1"})
    assert completion.text == "324 metres"
    assert completion.finish_reason is FinishReason.STOP
    assert completion.usage == Usage(9, 4)
    assert (completion.model, completion.request_id) == ("gemini-2.5-flash-002", "r-1")


def test_thoughts_are_reasoning_and_no_part_of_the_answer() -> None:
    counts = COUNTS | {"thoughtsTokenCount": 30, "cachedContentTokenCount": 5, "toolUsePromptTokenCount": 2}
    deltas, completion = stream(
        answer({"text": "Hm.", "thought": True}, finish=None), answer({"thoughtSignature": "Q0Q="}, WORDS, usage=counts)
    )
    assert deltas == [ReasoningDelta("Hm."), TextDelta("324 metres")]
    assert (completion.text, completion.reasoning) == ("324 metres", "Hm.")
    assert completion.usage == Usage(11, 34, cache_read_tokens=5, reasoning_tokens=30)


def test_function_calls_end_with_stop_and_are_tool_calls() -> None:
    call = {"functionCall": {"name": "f", "args": {"a": "é"}, "id": "x"}, "thoughtSignature": "Q0Q="}
    completion = read(answer(call, {"functionCall": {"name": "g"}}))
    assert completion.finish_reason is FinishReason.TOOL_CALLS
    assert completion.tool_calls == (
        ToolCall("x", "f", '{"a": "é"}', signature="Q0Q="),
        ToolCall("call-without-id-2", "g", "{}"),
    )


@pytest.mark.parametrize("finish", ["MAX_TOKENS", "CONTINUATION"])
def test_a_limit_is_said(finish: str) -> None:
    assert read(answer(WORDS, finish=finish)).finish_reason is FinishReason.LENGTH


def test_thinking_that_took_all_tokens_leaves_an_empty_answer_that_says_so() -> None:
    body = {"candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}], "usageMetadata": COUNTS}
    assert (read(body).text, read(body).finish_reason) == ("", FinishReason.LENGTH)


@pytest.mark.parametrize(
    "finish", ["SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE", "IMAGE_SAFETY"]
)
def test_a_filter_that_ends_an_answer_leaves_none(finish: str) -> None:
    with pytest.raises(OutputFilteredError, match=finish) as raised:
        stream(answer(WORDS, finish=None), answer(finish=finish))
    assert (raised.value.provider, raised.value.model) == ("google", "gemini-2.5-flash")
    with pytest.raises(OutputFilteredError):
        read(answer(WORDS, finish=finish))


@pytest.mark.parametrize(
    "finish",
    ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "OTHER", "MALFORMED_RESPONSE", "NEVER_SEEN", "stop", 1, [], {}],
)
def test_an_end_that_is_none_or_unknown_is_a_bad_response(finish: Any) -> None:
    with pytest.raises(BadResponseError):
        read(answer(WORDS, finish=finish))


@pytest.mark.parametrize("finish", [None, "", "FINISH_REASON_UNSPECIFIED"])
def test_without_an_end_it_is_incomplete(finish: Any) -> None:
    with pytest.raises(IncompleteResponseError):
        read(answer(WORDS, finish=finish))
    with pytest.raises(IncompleteResponseError):
        stream(answer(WORDS, finish=finish))


def test_a_stream_of_nothing_is_incomplete() -> None:
    with pytest.raises(IncompleteResponseError):
        stream()


def test_a_blocked_prompt_is_said_with_its_reason() -> None:
    body = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3}}
    with pytest.raises(PromptBlockedError, match="SAFETY"):
        read(body)
    with pytest.raises(PromptBlockedError, match="SAFETY"):
        stream(body)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"candidates": []},
        {"candidates": None},
        {"candidates": {}},
        {"candidates": [None]},
        {"candidates": ["x"]},
        {"candidates": [{"content": "x", "finishReason": "STOP"}]},
        {"candidates": [{"content": {"parts": {}}, "finishReason": "STOP"}]},
        answer("x"),
        answer({"text": 5}),
        answer({"text": None}),
        answer({"text": "half \ud83d"}),
        answer({"inlineData": {"mimeType": "image/png", "data": ""}}),
        answer({"executableCode": {"code": "1"}}, WORDS),
        answer({"functionCall": {"name": "f", "args": "{}"}}),
        answer({"functionCall": {"name": "f", "args": [1]}}),
        answer({"functionCall": {"name": "f", "args": {"a": float("nan")}}}),
        answer({"functionCall": {"name": "f", "args": {"a": "\ud83d"}}}),
        answer({"functionCall": {"name": "f", "willContinue": True}}),
        answer({"functionCall": {"name": ""}}),
        answer({"functionCall": None}),
        answer(),
        answer({"text": ""}),
        answer({"text": "only thought", "thought": True}),
        {"promptFeedback": {}},
    ],
)
def test_what_is_no_answer_is_a_bad_response(body: Any) -> None:
    with pytest.raises(BadResponseError):
        read(body)


@pytest.mark.parametrize("data", ["", "null", "[1]", "3", '"text"', "{", "[DONE]", "[" * 100_000, '{"candidates": [}'])
def test_what_is_no_fragment_is_a_bad_response(data: str) -> None:
    with pytest.raises(BadResponseError):
        stream(data)


def test_a_part_with_nothing_but_marks_is_passed_over() -> None:
    marks = {"thoughtSignature": "Q0Q=", "thought": True, "partMetadata": {}}
    assert read(answer(marks, WORDS, {})).text == "324 metres"


def test_only_the_first_candidate_counts() -> None:
    other = {"content": {"parts": [{"text": "no"}]}, "finishReason": "SAFETY", "index": 1}
    body = answer(WORDS)
    body["candidates"].insert(0, other)
    assert read(body).text == "324 metres"


def test_a_list_of_fragments_is_read_one_by_one() -> None:
    deltas, completion = stream([answer({"text": "324"}, finish=None), answer({"text": " metres"})])
    assert len(deltas) == 2
    assert completion.text == "324 metres"


def test_what_comes_after_the_end_is_not_read() -> None:
    assembler = DIALECT.assembler(PROMPT, TARGET)
    assembler.feed(ServerEvent("", json.dumps(answer({"text": "324"}, finish=None))))
    assert not assembler.ended
    assembler.feed(ServerEvent("", json.dumps(answer({"text": " metres"}))))
    assert assembler.ended
    assert not assembler.feed(ServerEvent("", json.dumps(answer({"text": " and more"}))))
    assert not assembler.feed(ServerEvent("", json.dumps({"error": {"code": 500}})))
    assert assembler.completion().text == "324 metres"


def test_a_model_that_says_stop_with_every_fragment_is_read_to_the_end() -> None:
    _, completion = stream(answer({"text": "324"}), answer({"text": " metres"}), answer({"text": " tall"}))
    assert completion.text == "324 metres tall"


def test_text_after_a_stop_that_no_other_stop_follows_is_incomplete() -> None:
    with pytest.raises(IncompleteResponseError):
        stream(answer({"text": "324"}), answer({"text": " metres"}, finish=None))


def test_a_relay_that_says_stop_with_every_empty_fragment_is_read_to_the_end() -> None:
    empty, word = answer(), answer({"text": "324 "}, finish=None)
    _, completion = stream(empty, empty, word, empty, word, empty)
    assert completion.text == "324 324 "
    with pytest.raises(IncompleteResponseError):
        stream(empty, word, empty, word)


def test_usage_that_comes_behind_the_end_is_waited_for() -> None:
    first = answer({"text": "324"}, finish=None, usage=None)
    last = {name: value for name, value in answer({"text": " m"}).items() if name != "usageMetadata"}
    _, completion = stream(first, last, {"usageMetadata": COUNTS})
    assert completion.usage == Usage(9, 4)


@pytest.mark.parametrize("number", [-1, float("nan"), 1.5, 4.0, "4", None, True, [], float("inf")])
@pytest.mark.parametrize(
    "name", ["promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "cachedContentTokenCount"]
)
def test_numbers_that_are_none_leave_the_usage_to_an_estimate(name: str, number: Any) -> None:
    assert read(answer(WORDS, usage=COUNTS | {name: number})).usage == NO_NUMBERS


@pytest.mark.parametrize("usage", [None, [], "x", {}, {"candidatesTokenCount": 4}, {"promptTokenCount": 9}])
def test_missing_numbers_leave_the_usage_to_an_estimate(usage: Any) -> None:
    assert read(answer(WORDS, usage=usage)).usage == NO_NUMBERS


def test_more_cached_than_read_is_no_usage() -> None:
    assert read(answer(WORDS, usage=COUNTS | {"cachedContentTokenCount": 10})).usage == NO_NUMBERS


QUOTA = {
    "error": {
        "code": 429,
        "message": "You exceeded your current quota. limit: 50",
        "status": "RESOURCE_EXHAUSTED",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [
                    {"quotaMetric": "m", "quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"},
                    {"quotaId": "GenerateRequestsPerMinutePerProjectPerModel"},
                ],
            },
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RATE_LIMIT_EXCEEDED", "domain": "d"},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "46.5s"},
            {"@type": "type.googleapis.com/google.rpc.Help", "links": []},
        ],
    }
}


def assert_quota(fault: ReportedFault) -> None:
    assert (fault.type, fault.code, fault.status, fault.retry_delay) == ("RESOURCE_EXHAUSTED", "429", 429, 46.5)
    assert fault.reason == (
        "GenerateRequestsPerDayPerProjectPerModel-FreeTier,GenerateRequestsPerMinutePerProjectPerModel,"
        "RATE_LIMIT_EXCEEDED"
    )
    assert fault.message.endswith("limit: 50")


@pytest.mark.parametrize("body", [QUOTA, [QUOTA]])
def test_an_error_is_read_with_its_details(body: Any) -> None:
    assert_quota(DIALECT.fault(body))


@pytest.mark.parametrize("body", [QUOTA, [QUOTA]])
@pytest.mark.parametrize("indent", [None, 2])
def test_an_error_in_a_stream_is_raised_however_it_is_written(body: Any, indent: int | None) -> None:
    with pytest.raises(ReportedFault) as raised:
        stream(answer(WORDS, finish=None), json.dumps(body, indent=indent))
    assert_quota(raised.value)


def test_an_error_written_beside_the_events_is_raised_and_without_its_reader_leaves_no_answer() -> None:
    raw = f"data: {json.dumps(answer(WORDS, finish=None))}\n\n{json.dumps(QUOTA, indent=2)}\n".encode()
    with pytest.raises(ReportedFault) as raised:
        stream(*(event.data for event in UnframedJson(EventStream()).feed(raw)))
    assert_quota(raised.value)
    with pytest.raises(IncompleteResponseError):
        stream(*(event.data for event in EventStream().feed(raw)))


def test_an_error_in_place_of_a_whole_answer_is_raised() -> None:
    with pytest.raises(ReportedFault) as raised:
        read(QUOTA)
    assert_quota(raised.value)


@pytest.mark.parametrize("delay", ["-3s", "NaNs", "1e9s", "46", 46, None, {"seconds": 3}, "99999999999s", "٣s"])
def test_a_delay_that_is_none_is_not_kept(delay: Any) -> None:
    detail = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}
    assert DIALECT.fault({"error": {"details": [detail]}}).retry_delay is None


@pytest.mark.parametrize(
    "body",
    [
        None,
        5,
        "no",
        [],
        [[]],
        {},
        {"error": None},
        {"error": 3},
        {"error": {"code": True, "details": 3, "message": 1}},
        {"error": {"code": 7, "details": [3, {"@type": 3}, {"@type": "QuotaFailure", "violations": [3, {}]}]}},
    ],
)
def test_an_error_that_says_nothing_is_an_empty_fault(body: Any) -> None:
    fault = DIALECT.fault(body)
    assert (fault.type, fault.reason, fault.message, fault.retry_delay, fault.status) == ("", "", "", None, None)


def test_an_error_that_is_a_word_is_its_type() -> None:
    fault = DIALECT.fault({"error": "invalid_grant", "error_description": "Token expired."})
    assert (fault.type, fault.message) == ("invalid_grant", "Token expired.")


NAMES = [
    "candidates",
    "content",
    "parts",
    "text",
    "thought",
    "functionCall",
    "name",
    "args",
    "finishReason",
    "index",
    "usageMetadata",
    "promptTokenCount",
    "promptFeedback",
    "blockReason",
    "error",
    "details",
    "message",
    "code",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.lists(JSON, max_size=4))
def test_whatever_json_comes_is_an_answer_or_a_typed_error(fragments: list[Any]) -> None:
    try:
        _, completion = stream(*fragments)
    except (LanguageModelError, ReportedFault):
        return
    assert completion.text or completion.finish_reason is not FinishReason.STOP


@given(st.dictionaries(st.sampled_from(["candidates", "usageMetadata", "promptFeedback", "error"]), JSON))
def test_whatever_json_comes_as_a_whole_is_an_answer_or_a_typed_error(body: Any) -> None:
    try:
        completion = read(body)
    except (LanguageModelError, ReportedFault):
        return
    assert completion.text or completion.finish_reason is not FinishReason.STOP


@given(JSON)
def test_whatever_json_is_the_body_of_an_error_can_be_read(body: Any) -> None:
    fault = DIALECT.fault(body)
    assert fault.retry_delay is None or fault.retry_delay >= 0


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


@pytest.mark.parametrize("quirks", [{"thinkin": "level"}, {"thinking": "much"}])
def test_a_quirk_that_is_none_is_refused(quirks: Any) -> None:
    with pytest.raises(ConfigurationError):
        DIALECT.body(PROMPT, replace(TARGET, quirks=quirks), stream=False)


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


@pytest.mark.parametrize(
    "turns",
    [
        (),
        (Message(Role.TOOL, "1", tool_call_id="gone"),),
        (Message(Role.ASSISTANT, tool_calls=(ToolCall("x", "f", "[]"),)),),
        (Message(Role.ASSISTANT, tool_calls=(ToolCall("x", "f", '{"a": '),)),),
        (Message(Role.ASSISTANT, tool_calls=(ToolCall("x", "f", '{"a": NaN}'),)),),
    ],
)
def test_a_conversation_that_is_none_is_not_sent(turns: tuple[Message, ...]) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        body_of(*turns)
    assert raised.value.provider == "google"
