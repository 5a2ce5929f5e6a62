"""What the clients of OpenAI, Azure OpenAI and Mistral read from an answer is what OpenAIChat reads from it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mistralai.client import Mistral
from mistralai.client.errors import SDKError
from openai import APIError, APIStatusError, OpenAI

from rag_engine.llm.providers.dialect import ReportedFault, Target
from rag_engine.llm.providers.openai_chat import OpenAIChat
from rag_engine.llm.providers.provider_data import provider_data
from rag_engine.types.generation import Completion, FinishReason, Prompt
from tests.conformance.sdk_capture import asked_by_client, json_reply, read_stream, stream_reply
from tests.golden_streams import STREAMS, golden_names

PROMPT = Prompt.plain("q")
# OpenAI's client puts calls together by their numbers alone, and Mistral's gives pieces that nobody puts together.
NAMES = [name for name in golden_names("openai", "azure", "meta", "local") if name != "local-tools-all-numbered-0"]


def target(provider: str, model: str = "m", api_version: str = "") -> Target:
    return Target(provider, model, api_version, provider_data(provider).quirks(model, api_version))


def whole(message: dict[str, Any], finish: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4.1-2025-04-14",
        "choices": [
            {"index": 0, "message": {"role": "assistant", **message}, "logprobs": None, "finish_reason": finish}
        ],
        "usage": {"prompt_tokens": 20, "completion_tokens": 9, "total_tokens": 29},
        **more,
    }


def call(given: str, name: str, arguments: str) -> dict[str, Any]:
    return {"id": given, "type": "function", "function": {"name": name, "arguments": arguments}}


DETAILS = {
    "prompt_tokens": 2000,
    "completion_tokens": 700,
    "total_tokens": 2700,
    "prompt_tokens_details": {"cached_tokens": 1792, "cache_write_tokens": 128, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 640, "audio_tokens": 0},
}
SAFE = {name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "sexual", "violence")}
ANSWERS: dict[str, tuple[str, dict[str, Any]]] = {
    "text": ("openai", whole({"content": "Grüße, 日本 👩‍👧.", "refusal": None, "annotations": []}, "stop")),
    "length": ("openai", whole({"content": "Four of"}, "length", usage=DETAILS)),
    "nothing but thoughts before the limit": ("meta", whole({"content": None}, "length", usage=DETAILS)),
    "refusal": ("openai", whole({"content": None, "refusal": "I can't help with that."}, "stop")),
    "tools": (
        "openai",
        whole(
            {"content": None, "tool_calls": [call("a", "find", '{"x": "é"}'), call("b", "rate", "{}")]}, "tool_calls"
        ),
    ),
    "a tool by name, which finishes with stop": (
        "openai",
        whole({"content": "", "tool_calls": [call("a", "find", '{"x": 1}')]}, "stop"),
    ),
    "filters": (
        "azure",
        whole(
            {"content": "Parts and labour."},
            "stop",
            prompt_filter_results=[{"prompt_index": 0, "content_filter_results": SAFE}],
        ),
    ),
    "thoughts": ("llama_cpp", whole({"content": "Reykjavík", "reasoning_content": "One word."}, "stop")),
}
MISTRAL_ANSWERS: dict[str, dict[str, Any]] = {
    "text": whole({"content": "Innerhalb von 30 Tagen."}, "stop"),
    "length": whole({"content": "Clause 1"}, "model_length"),
    "tools": whole(
        {"content": "", "tool_calls": [call("D681PevKs", "find", '{"x": "Łucja"}'), call("b7Qx20LmZ", "rate", "{}")]},
        "tool_calls",
    ),
    "thoughts": whole(
        {
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "The annex is newer."}]},
                {"type": "text", "text": "Fourteen days"},
                {"type": "reference", "reference_ids": [2]},
                {"type": "text", "text": "."},
            ]
        },
        "stop",
    ),
}


def assert_the_same(theirs: Any, ours: Completion) -> None:
    """``theirs`` is a completion of a client, with one choice."""
    (choice,) = theirs.choices
    message = choice.message
    pieces = message.content if isinstance(message.content, list) else []
    text = message.content if isinstance(message.content, str) else "".join(p.text for p in pieces if p.type == "text")
    assert ours.text == (text or getattr(message, "refusal", None) or "")
    thoughts = [part.text for piece in pieces if piece.type == "thinking" for part in piece.thinking]
    assert not thoughts or ours.reasoning == "".join(thoughts)
    theirs_called = [(c.id, c.function.name, json.loads(c.function.arguments)) for c in message.tool_calls or ()]
    assert [(c.id, c.name, json.loads(c.arguments)) for c in ours.tool_calls] == theirs_called
    assert not theirs.model or ours.model == theirs.model
    assert_the_same_end(choice.finish_reason, bool(theirs_called), bool(getattr(message, "refusal", None)), ours)
    assert_the_same_usage(theirs.usage, ours)


def assert_the_same_end(finish: str, called: bool, refused: bool, ours: Completion) -> None:
    expected = {"model_length": "length"}.get(finish, finish)
    if expected == "stop" and (called or refused):
        expected = "tool_calls" if called else "refused"
    assert ours.finish_reason == FinishReason(expected)


def assert_the_same_usage(usage: Any, ours: Completion) -> None:
    if usage is None:
        return  # some send none in streams; the unit tests say what is made of that
    read, written = (
        getattr(usage, name, None) for name in ("prompt_tokens_details", "completion_tokens_details")
    )  # as a table where the client does not know the field
    cached = (read or {}).get("cached_tokens", 0) if isinstance(read, dict) else getattr(read, "cached_tokens", 0)
    thought = getattr(written, "reasoning_tokens", 0) if not isinstance(written, dict) else written["reasoning_tokens"]
    assert (ours.usage.input_tokens, ours.usage.output_tokens) == (usage.prompt_tokens, usage.completion_tokens)
    assert (ours.usage.cache_read_tokens, ours.usage.reasoning_tokens) == (cached or 0, thought or 0)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_whole_answer_is_read_as_openais_client_reads_it(name: str) -> None:
    provider, body = ANSWERS[name]

    def ask(url: str) -> Any:
        with OpenAI(base_url=url, api_key="k", max_retries=0) as client:
            return client.chat.completions.create(model="m", messages=[{"role": "user", "content": "q"}])

    _, theirs = asked_by_client(ask, reply=json_reply(body))
    assert_the_same(theirs, OpenAIChat().completion(body, PROMPT, target(provider)))


@pytest.mark.parametrize("name", MISTRAL_ANSWERS)
def test_a_whole_answer_is_read_as_mistrals_client_reads_it(name: str) -> None:
    body = MISTRAL_ANSWERS[name]

    def ask(url: str) -> Any:
        with Mistral(api_key="k", server_url=url) as client:
            return client.chat.complete(model="m", messages=[{"role": "user", "content": "q"}])

    _, theirs = asked_by_client(ask, reply=json_reply(body))
    assert_the_same(theirs, OpenAIChat().completion(body, PROMPT, target("mistral")))


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_is_put_together_as_openais_client_does(name: str) -> None:
    raw = (STREAMS / f"{name}.sse").read_bytes()
    expected = json.loads((STREAMS / f"{name}.json").read_text(encoding="utf-8"))

    def ask(url: str) -> Any:
        with (
            OpenAI(base_url=url, api_key="k", max_retries=0) as client,
            client.chat.completions.stream(
                model="m",
                messages=[{"role": "user", "content": "q"}],
                stream_options={"include_usage": True},
            ) as events,
        ):
            list(events)
            return events.current_completion_snapshot  # the final one refuses what a limit cut

    _, theirs = asked_by_client(ask, reply=stream_reply(raw))
    asked = target(expected["provider"], expected["model"], expected["api_version"])
    deltas, ours = read_stream(OpenAIChat(), PROMPT, asked, [raw])
    assert_the_same(theirs, ours)
    assert "".join(getattr(delta, "text", "") for delta in deltas) == ours.reasoning + ours.text


@pytest.mark.parametrize("name", golden_names("mistral"))
def test_a_stream_says_what_the_pieces_say_that_mistrals_client_reads(name: str) -> None:
    raw = (STREAMS / f"{name}.sse").read_bytes()

    def ask(url: str) -> list[Any]:
        with (
            Mistral(api_key="k", server_url=url) as client,
            client.chat.stream(model="m", messages=[{"role": "user", "content": "q"}]) as events,
        ):
            return [event.data for event in events]

    _, chunks = asked_by_client(ask, reply=stream_reply(raw))
    _, ours = read_stream(OpenAIChat(), PROMPT, target("mistral"), [raw])
    deltas = [chunk.choices[0].delta for chunk in chunks]
    text, thoughts = "", ""
    for content in (delta.content for delta in deltas):
        if isinstance(content, str):
            text += content
        for piece in content if isinstance(content, list) else ():
            text += piece.text if piece.type == "text" else ""
            thoughts += "".join(part.text for part in piece.thinking) if piece.type == "thinking" else ""
    calls = [made for delta in deltas for made in delta.tool_calls or ()]
    assert (ours.text, ours.reasoning) == (text, thoughts)
    assert [(c.id, c.name, c.arguments) for c in ours.tool_calls] == [
        (made.id, made.function.name, made.function.arguments) for made in calls
    ]
    assert_the_same_end(chunks[-1].choices[0].finish_reason, bool(calls), False, ours)
    assert_the_same_usage(chunks[-1].usage, ours)


ERRORS: dict[str, tuple[int, dict[str, Any]]] = {
    "a wrong key": (
        401,
        {"error": {"message": "Incorrect API key", "type": "invalid_request_error", "code": "invalid_api_key"}},
    ),
    "money": (
        429,
        {"error": {"message": "No credit", "type": "insufficient_quota", "code": "credit_balance_exhausted"}},
    ),
    "azure's filter": (
        400,
        {
            "error": {
                "message": "The response was filtered",
                "type": None,
                "param": "prompt",
                "code": "content_filter",
                "status": 400,
                "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {}},
            }
        },
    ),
    "a flat one": (400, {"object": "error", "message": "too long", "type": "BadRequestError", "code": "x"}),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_read_as_openais_client_reads_it(name: str) -> None:
    status, body = ERRORS[name]

    def ask(url: str) -> APIStatusError:
        with OpenAI(base_url=url, api_key="k", max_retries=0) as client, pytest.raises(APIStatusError) as caught:
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "q"}])
        return caught.value

    _, theirs = asked_by_client(ask, reply=json_reply(body, status=status))
    ours = OpenAIChat().fault(body)
    assert (ours.type or None, ours.code or None) == (theirs.type, theirs.code)
    assert isinstance(theirs.body, dict)
    assert ours.message == theirs.body["message"]


def test_an_error_within_a_stream_is_one_for_both() -> None:
    error = {"message": "The server had an error", "type": "server_error", "param": None, "code": "server_error"}
    raw = (STREAMS / "openai-text.sse").read_bytes()[:2000].rpartition(b"\n\n")[0] + b"\n\n"
    raw += b"data: " + json.dumps({"error": error}).encode() + b"\n\n"

    def ask(url: str) -> APIError:
        with OpenAI(base_url=url, api_key="k", max_retries=0) as client, pytest.raises(APIError) as caught:
            list(client.chat.completions.create(model="m", messages=[{"role": "user", "content": "q"}], stream=True))
        return caught.value

    _, theirs = asked_by_client(ask, reply=stream_reply(raw))
    with pytest.raises(ReportedFault) as caught:
        read_stream(OpenAIChat(), PROMPT, target("openai"), [raw])
    ours = caught.value
    assert (ours.type, ours.code, ours.message) == (theirs.type, theirs.code, theirs.message)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"message": "Unauthorized", "request_id": "7"}),
        (429, {"object": "error", "message": "Requests rate limit exceeded", "type": "rate_limited", "code": "1300"}),
    ],
)
def test_mistrals_client_quotes_what_ours_reads(status: int, body: dict[str, Any]) -> None:
    def ask(url: str) -> SDKError:
        with Mistral(api_key="k", server_url=url) as client, pytest.raises(SDKError) as caught:
            client.chat.complete(model="m", messages=[{"role": "user", "content": "q"}])
        return caught.value

    _, theirs = asked_by_client(ask, reply=json_reply(body, status=status))
    ours = OpenAIChat().fault(body)
    assert ours.message == json.loads(theirs.body)["message"]
    assert ours.code == body.get("code", "")
