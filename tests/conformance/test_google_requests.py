"""The dialect of Google beside Google's own client: what both send for the same call, what both read from a reply."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from google import genai
from google.genai import types

from rag_engine.errors import BadResponseError
from rag_engine.llm.providers.dialect import ReportedFault, Target
from rag_engine.llm.providers.google_generate_content import GoogleGenerateContent
from rag_engine.llm.providers.provider_data import provider_data
from rag_engine.llm.providers.unframed_json import UnframedJson
from rag_engine.llm.transport import EventStream
from rag_engine.types.conversation import Message, ResponseSchema, Role, Sampling, Tool, ToolCall, ToolChoice
from rag_engine.types.generation import Completion, FinishReason, Prompt, ReasoningDelta, TextDelta
from tests.conformance.sdk_capture import (
    Request,
    asked_by_client,
    asked_by_dialect,
    assert_same_request,
    json_reply,
    read_stream,
    stream_reply,
)
from tests.golden_streams import STREAMS

MODEL = "gemini-2.5-flash"
DIALECT = GoogleGenerateContent()
THEIRS_ALONE = {
    "x-goog-api-key": "the key, which the wire puts there: key_header in data/google.toml",
    "content-type": "the media type, which the wire puts there",
    "x-goog-api-client": "their client's name and version",
}
# Their client writes these as protobuf calls them, and the rest as its JSON form does; the server reads either.
OTHER_SPELLINGS = {
    "parameters_json_schema": "parametersJsonSchema",
    "thinking_budget": "thinkingBudget",
    "thinking_level": "thinkingLevel",
    "include_thoughts": "includeThoughts",
}
ANSWER = {
    "candidates": [
        {
            "content": {"parts": [{"text": "It is "}, {"text": "324 metres."}], "role": "model"},
            "finishReason": "STOP",
            "index": 0,
        }
    ],
    "usageMetadata": {"promptTokenCount": 12, "candidatesTokenCount": 7, "totalTokenCount": 19},
    "modelVersion": "gemini-2.5-flash-002",
    "responseId": "r-1",
}
SCHEMA = {
    "type": "object",
    "properties": {"height": {"type": "integer"}, "unit": {"enum": ["m", "ft"]}},
    "required": ["height"],
    "additionalProperties": False,
}
TOOL = Tool(name="height_of", description="Height of a building.", parameters=SCHEMA)
DECLARED = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(name=TOOL.name, description=TOOL.description, parameters_json_schema=SCHEMA)
    ]
)
CALL = ToolCall("fc-1", "height_of", '{"building": "Tōkyō Tower", "floors": [1, 2.5]}', signature="QUJDREVG")


def content(role: str, *parts: types.Part) -> types.Content:
    return types.Content(role=role, parts=list(parts))


def text(words: str) -> types.Part:
    return types.Part(text=words)


def config(**settings: Any) -> types.GenerateContentConfig:
    # Their client would call functions itself; ours never does.
    return types.GenerateContentConfig(
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True), **settings
    )


def calling(mode: str, *names: str) -> types.ToolConfig:
    return types.ToolConfig(
        function_calling_config=types.FunctionCallingConfig(mode=mode, allowed_function_names=list(names) or None)
    )


QUESTION = Prompt.plain("How tall is it?")
ASKED = content("user", text("How tall is it?"))
CALLS: dict[str, tuple[Prompt, list[types.Content], dict[str, Any]]] = {
    "plain": (QUESTION, [ASKED], {}),
    "system": (replace(QUESTION, instructions="Be brief."), [ASKED], {"system_instruction": "Be brief."}),
    "conversation": (
        replace(
            QUESTION,
            conversation=(Message(Role.USER, "Do you know the tower?"), Message(Role.ASSISTANT, "Yes — 東京タワー.")),
        ),
        [content("user", text("Do you know the tower?")), content("model", text("Yes — 東京タワー.")), ASKED],
        {},
    ),
    "tools": (replace(QUESTION, tools=(TOOL,)), [ASKED], {"tools": [DECLARED]}),
    "no tool": (
        replace(QUESTION, tools=(TOOL,), tool_choice=ToolChoice.NONE),
        [ASKED],
        {"tools": [DECLARED], "tool_config": calling("NONE")},
    ),
    "any tool": (
        replace(QUESTION, tools=(TOOL,), tool_choice=ToolChoice.REQUIRED),
        [ASKED],
        {"tools": [DECLARED], "tool_config": calling("ANY")},
    ),
    "one tool": (
        replace(QUESTION, tools=(TOOL,), tool_choice="height_of"),
        [ASKED],
        {"tools": [DECLARED], "tool_config": calling("ANY", "height_of")},
    ),
    "strict tool": (
        replace(QUESTION, tools=(replace(TOOL, strict=True),)),
        [ASKED],
        {"tools": [DECLARED], "tool_config": calling("VALIDATED")},
    ),
    "tool result": (
        replace(
            QUESTION,
            content="",
            tools=(TOOL,),
            conversation=(
                Message(Role.USER, "How tall is it?"),
                Message(Role.ASSISTANT, "I look.", tool_calls=(CALL, replace(CALL, id="fc-2", signature=""))),
                Message(Role.TOOL, "333 m", tool_call_id="fc-1", tool_name="height_of"),
                Message(Role.TOOL, '{"height": 333}', tool_call_id="fc-2"),
            ),
        ),
        [
            ASKED,
            content(
                "model",
                text("I look."),
                types.Part(
                    function_call=types.FunctionCall(id="fc-1", name=CALL.name, args=json.loads(CALL.arguments)),
                    thought_signature=b"ABCDEF",
                ),
                types.Part(
                    function_call=types.FunctionCall(id="fc-2", name=CALL.name, args=json.loads(CALL.arguments))
                ),
            ),
            content(
                "user",
                types.Part(
                    function_response=types.FunctionResponse(id="fc-1", name="height_of", response={"output": "333 m"})
                ),
                types.Part(
                    function_response=types.FunctionResponse(id="fc-2", name="height_of", response={"height": 333})
                ),
            ),
        ],
        {"tools": [DECLARED]},
    ),
    "schema": (
        replace(QUESTION, schema=ResponseSchema("height", SCHEMA)),
        [ASKED],
        {"response_mime_type": "application/json", "response_json_schema": SCHEMA},
    ),
    "sampling": (
        replace(
            QUESTION,
            sampling=Sampling(
                max_output_tokens=64, temperature=0.5, top_p=0.9, seed=7, stop=("END", "\n\n"), reasoning_effort="low"
            ),
        ),
        [ASKED],
        {
            "max_output_tokens": 64,
            "temperature": 0.5,
            "top_p": 0.9,
            "seed": 7,
            "stop_sequences": ["END", "\n\n"],
            "thinking_config": types.ThinkingConfig(thinking_budget=1024),
        },
    ),
}


def target(model: str = MODEL, version: str = "v1beta") -> Target:
    return Target("google", model, version, quirks=provider_data("google").quirks(model, version))


def by_client(
    contents: Any, settings: dict[str, Any], *, stream: bool = False, model: str = MODEL, version: str = "v1beta"
) -> Callable[[str], Any]:
    def call(url: str) -> Any:
        client = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=url, api_version=version))
        try:
            if stream:
                return list(
                    client.models.generate_content_stream(model=model, contents=contents, config=config(**settings))
                )
            return client.models.generate_content(model=model, contents=contents, config=config(**settings))
        finally:
            client.close()

    return call


def respelled(value: Any) -> Any:
    if isinstance(value, dict):
        return {OTHER_SPELLINGS.get(name, name): respelled(inner) for name, inner in value.items()}
    return [respelled(inner) for inner in value] if isinstance(value, list) else value


def same(theirs: Request, ours: Request) -> None:
    assert_same_request(replace(theirs, body=respelled(theirs.body)), ours, theirs_alone=THEIRS_ALONE)


@pytest.mark.parametrize("name", CALLS)
def test_the_same_call_is_sent_as_googles_client_sends_it(name: str) -> None:
    prompt, contents, settings = CALLS[name]
    theirs, _ = asked_by_client(by_client(contents, settings), reply=json_reply(ANSWER))
    same(theirs, asked_by_dialect(DIALECT, prompt, target()))


@pytest.mark.parametrize("name", CALLS)
def test_the_same_stream_is_asked_for_as_googles_client_asks(name: str) -> None:
    prompt, contents, settings = CALLS[name]
    reply = stream_reply((STREAMS / "google-text.sse").read_bytes())
    theirs, _ = asked_by_client(by_client(contents, settings, stream=True), reply=reply)
    same(theirs, asked_by_dialect(DIALECT, prompt, target(), stream=True))


@pytest.mark.parametrize("version", ["v1", "v1beta"])
@pytest.mark.parametrize("model", ["gemini-3-pro-preview", "models/gemini-3-pro", "tunedModels/heights-7"])
def test_versions_and_names_of_models_make_the_same_path_and_levels(version: str, model: str) -> None:
    settings = {"thinking_config": types.ThinkingConfig(thinking_level="low")}
    theirs, _ = asked_by_client(by_client([ASKED], settings, model=model, version=version), reply=json_reply(ANSWER))
    prompt = replace(QUESTION, sampling=Sampling(reasoning_effort="low"))
    same(theirs, asked_by_dialect(DIALECT, prompt, target(model, version)))


def calls_of(completion: Completion) -> list[tuple[str, str, Any]]:
    return [
        ("" if call.id.startswith("call-without-id-") else call.id, call.name, json.loads(call.arguments))
        for call in completion.tool_calls
    ]


def assert_read_the_same(theirs: list[types.GenerateContentResponse], ours: Completion) -> None:
    parts = [
        part
        for response in theirs
        for candidate in response.candidates or []
        for part in (candidate.content.parts if candidate.content else None) or []
    ]
    assert ours.text == "".join(part.text or "" for part in parts if not part.thought)
    assert ours.reasoning == "".join(part.text or "" for part in parts if part.thought)
    called = [part.function_call for part in parts if part.function_call]
    assert calls_of(ours) == [(call.id or "", call.name, call.args or {}) for call in called]
    last = theirs[-1]
    assert last.candidates
    finish = {"STOP": FinishReason.TOOL_CALLS if called else FinishReason.STOP, "MAX_TOKENS": FinishReason.LENGTH}
    assert last.candidates[0].finish_reason
    assert ours.finish_reason is finish[last.candidates[0].finish_reason.value]
    usage = last.usage_metadata
    assert usage
    assert ours.usage.input_tokens == usage.prompt_token_count
    assert ours.usage.output_tokens == (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
    assert ours.usage.cache_read_tokens == (usage.cached_content_token_count or 0)
    assert ours.model == last.model_version
    assert ours.request_id == last.response_id


@pytest.mark.parametrize("name", ["text", "unicode", "tools", "thinking", "length"])
def test_a_stream_is_read_as_googles_client_reads_it(name: str) -> None:
    raw = (STREAMS / f"google-{name}.sse").read_bytes()
    _, theirs = asked_by_client(by_client([ASKED], {}, stream=True), reply=stream_reply(raw))
    deltas, ours = read_stream(DIALECT, QUESTION, target(), [raw])
    assert_read_the_same(theirs, ours)
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == ours.text
    assert "".join(delta.text for delta in deltas if isinstance(delta, ReasoningDelta)) == ours.reasoning


WHOLE = {
    "text": ANSWER,
    "calls without ids": {
        "candidates": [
            {"content": {"parts": [{"functionCall": {"name": "now"}}], "role": "model"}, "finishReason": "STOP"}
        ],
        "usageMetadata": {"promptTokenCount": 30, "cachedContentTokenCount": 20, "candidatesTokenCount": 4},
        "modelVersion": "gemini-2.5-flash",
        "responseId": "r-2",
    },
    "content without parts": {
        "candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}],
        "usageMetadata": {"promptTokenCount": 30, "thoughtsTokenCount": 64},
        "modelVersion": "gemini-2.5-flash",
        "responseId": "r-3",
    },
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_answer_is_read_as_googles_client_reads_it(name: str) -> None:
    _, theirs = asked_by_client(by_client([ASKED], {}), reply=json_reply(WHOLE[name]))
    assert_read_the_same([theirs], DIALECT.completion(WHOLE[name], QUESTION, target()))


ERRORS = {
    "key": (400, {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}),
    "rate": (429, {"code": 429, "message": "You exceeded your quota.", "status": "RESOURCE_EXHAUSTED"}),
    "overload": (503, {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}),
}


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("wrapped", [False, True])
def test_an_error_is_read_as_googles_client_reads_it(name: str, wrapped: bool) -> None:
    status, error = ERRORS[name]
    body: Any = [{"error": error}] if wrapped else {"error": error}

    def call(url: str) -> genai.errors.APIError:
        with pytest.raises(genai.errors.APIError) as raised:
            by_client([ASKED], {})(url)
        return raised.value

    _, theirs = asked_by_client(call, reply=json_reply(body, status=status))
    ours = DIALECT.fault(body)
    assert (ours.status, ours.type, ours.message) == (theirs.code, theirs.status, theirs.message)


def test_an_error_in_a_stream_is_one_for_both() -> None:
    raw = (STREAMS / "google-text.sse").read_bytes().partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    raw += b"".join(
        b"data: " + line + b"\n"
        for line in json.dumps({"error": ERRORS["overload"][1]}, indent=2).encode().splitlines()
    )
    raw += b"\n"

    def call(url: str) -> Exception:
        with pytest.raises((genai.errors.APIError, ValueError)) as raised:
            by_client([ASKED], {}, stream=True)(url)
        return raised.value

    asked_by_client(call, reply=stream_reply(raw))
    with pytest.raises(ReportedFault) as ours:
        read_stream(DIALECT, QUESTION, target(), [raw])
    assert (ours.value.status, ours.value.type) == (503, "UNAVAILABLE")


def test_an_answer_without_candidates_is_none_where_their_client_shows_no_text() -> None:
    _, theirs = asked_by_client(by_client([ASKED], {}), reply=json_reply({"candidates": []}))
    assert not theirs.text
    with pytest.raises(BadResponseError):
        DIALECT.completion({"candidates": []}, QUESTION, target())


def test_an_error_beside_the_events_is_one_for_both() -> None:
    event = (STREAMS / "google-text.sse").read_bytes().partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    raw = event + json.dumps({"error": ERRORS["overload"][1]}, indent=2).encode() + b"\n"

    def call(url: str) -> genai.errors.APIError:
        with pytest.raises(genai.errors.APIError) as raised:
            by_client([ASKED], {}, stream=True)(url)
        return raised.value

    _, theirs = asked_by_client(call, reply=stream_reply(raw))
    _, error = UnframedJson(EventStream()).feed(raw)
    with pytest.raises(ReportedFault) as ours:
        DIALECT.assembler(QUESTION, target()).feed(error)
    assert (ours.value.status, ours.value.type) == (theirs.code, theirs.status) == (503, "UNAVAILABLE")
