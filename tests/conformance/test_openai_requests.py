"""What OpenAIChat sends is what the clients of OpenAI, Azure OpenAI and Mistral send for the same call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from mistralai.client import Mistral
from openai import AzureOpenAI, OpenAI

from rag_engine.llm.providers.dialect import Target
from rag_engine.llm.providers.openai_chat import OpenAIChat
from rag_engine.llm.providers.provider_data import provider_data
from rag_engine.types.conversation import Message, ResponseSchema, Role, Sampling, Tool, ToolCall, ToolChoice
from rag_engine.types.document import JsonValue
from rag_engine.types.generation import Prompt
from tests.conformance.sdk_capture import (
    Request,
    asked_by_client,
    asked_by_dialect,
    assert_same_request,
    json_reply,
    stream_reply,
)

WHOLE = {
    "id": "1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
STREAM = (
    b'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m",'
    b'"choices":[{"index":0,"delta":{"role":"assistant","content":"Yes."},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)
THE_KEY = "the model adds the key"
THE_MEDIA_TYPE = "the model adds the media types"
STATISTICS = {"x-stainless-*": "what the client tells of its own version and machine"}
OPENAI_ALONE = {"authorization": THE_KEY, "content-type": THE_MEDIA_TYPE, **STATISTICS}
AZURE_ALONE = {"api-key": THE_KEY, "content-type": THE_MEDIA_TYPE, **STATISTICS}
MISTRAL_ALONE = {"authorization": THE_KEY, "content-type": THE_MEDIA_TYPE}

PARAMETERS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {"customer": {"type": "string"}},
    "required": ["customer"],
}
SCHEMA: dict[str, JsonValue] = {"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]}
TOOL = Tool("search_orders", "Finds orders.", PARAMETERS)
STRICT = Tool("exchange_rate", "Today's rate.", {**PARAMETERS, "additionalProperties": False}, strict=True)
THEIR_TOOL = {
    "type": "function",
    "function": {"name": "search_orders", "description": "Finds orders.", "parameters": PARAMETERS},
}
THEIR_STRICT = {
    "type": "function",
    "function": {
        "name": "exchange_rate",
        "description": "Today's rate.",
        "parameters": {**PARAMETERS, "additionalProperties": False},
        "strict": True,
    },
}
ASK = {"role": "user", "content": "How are refunds paid?"}
PLAIN = Prompt.plain("How are refunds paid?")
CALLED = (
    Message(Role.USER, "What did Åse order, and what is it in euros?"),
    Message(
        Role.ASSISTANT,
        tool_calls=(
            ToolCall("aB3dE6gH9", "search_orders", '{"customer": "Åse"}'),
            ToolCall("zY8wV5tS2", "exchange_rate", '{"customer": "Åse"}'),
        ),
    ),
    Message(Role.TOOL, "3 lamps", tool_call_id="aB3dE6gH9", tool_name="search_orders"),
    Message(Role.TOOL, "11.5", tool_call_id="zY8wV5tS2", tool_name="exchange_rate"),
)


def their_call(place: int, given: str, name: str, **more: object) -> dict[str, object]:
    function = {"name": name, "arguments": '{"customer": "Åse"}'}
    return {"id": given, "type": "function", "function": function, **({"index": place} if more.get("index") else {})}


def their_called(**more: object) -> list[dict[str, Any]]:
    """The same conversation as a user of a client writes it; ``index`` and ``name`` as Mistral has them."""
    names = {"name": "search_orders"}, {"name": "exchange_rate"}
    return [
        {"role": "user", "content": "What did Åse order, and what is it in euros?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                their_call(0, "aB3dE6gH9", "search_orders", **more),
                their_call(1, "zY8wV5tS2", "exchange_rate", **more),
            ],
        },
        {"role": "tool", "content": "3 lamps", "tool_call_id": "aB3dE6gH9", **(names[0] if more else {})},
        {"role": "tool", "content": "11.5", "tool_call_id": "zY8wV5tS2", **(names[1] if more else {})},
    ]


def target(provider: str, model: str, api_version: str = "") -> Target:
    data = provider_data(provider)
    version = api_version or data.api_version
    return Target(provider, model, version, data.quirks(model, version))


CONVERSATION = replace(
    PLAIN,
    instructions="Answer in one sentence.",
    conversation=(Message(Role.USER, "Hello"), Message(Role.ASSISTANT, "Good day.")),
)
THEIR_CONVERSATION = [
    {"role": "system", "content": "Answer in one sentence."},
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": "Good day."},
    ASK,
]
RESULTS = replace(Prompt.plain(""), conversation=CALLED, tools=(TOOL, STRICT))
SCHEMED = replace(PLAIN, schema=ResponseSchema("term", SCHEMA))
THEIR_SCHEMA = {"type": "json_schema", "json_schema": {"name": "term", "schema": SCHEMA, "strict": True}}
SAMPLED = replace(
    PLAIN, sampling=Sampling(max_output_tokens=200, temperature=0.25, top_p=0.9, seed=7, stop=("END", "\n\n"))
)
THEIR_SAMPLED = {"max_completion_tokens": 200, "temperature": 0.25, "top_p": 0.9, "seed": 7, "stop": ["END", "\n\n"]}
REASONED = replace(
    PLAIN, instructions="Think.", sampling=Sampling(max_output_tokens=900, temperature=0.1, reasoning_effort="high")
)

# For each call: the model, what ours is asked, and what a user writes for the client.
CALLS: dict[str, tuple[str, Prompt, Mapping[str, Any]]] = {
    "plain": ("gpt-4.1", PLAIN, {"messages": [ASK]}),
    "conversation": ("gpt-4.1", CONVERSATION, {"messages": THEIR_CONVERSATION}),
    "tools": (
        "gpt-4.1",
        replace(PLAIN, tools=(TOOL, STRICT)),
        {"messages": [ASK], "tools": [THEIR_TOOL, THEIR_STRICT]},
    ),
    "a tool required": (
        "gpt-4.1",
        replace(PLAIN, tools=(TOOL,), tool_choice=ToolChoice.REQUIRED),
        {"messages": [ASK], "tools": [THEIR_TOOL], "tool_choice": "required"},
    ),
    "no tool allowed": (
        "gpt-4.1",
        replace(PLAIN, tools=(TOOL,), tool_choice=ToolChoice.NONE),
        {"messages": [ASK], "tools": [THEIR_TOOL], "tool_choice": "none"},
    ),
    "one tool demanded": (
        "gpt-4.1",
        replace(PLAIN, tools=(TOOL,), tool_choice="search_orders"),
        {
            "messages": [ASK],
            "tools": [THEIR_TOOL],
            "tool_choice": {"type": "function", "function": {"name": "search_orders"}},
        },
    ),
    "results of tools": ("gpt-4.1", RESULTS, {"messages": their_called(), "tools": [THEIR_TOOL, THEIR_STRICT]}),
    "schema": ("gpt-4.1", SCHEMED, {"messages": [ASK], "response_format": THEIR_SCHEMA}),
    "sampling": ("gpt-4.1", SAMPLED, {"messages": [ASK], **THEIR_SAMPLED}),
    "reasoning": (
        "gpt-5.2",
        REASONED,
        {
            "messages": [{"role": "developer", "content": "Think."}, ASK],
            "max_completion_tokens": 900,
            "reasoning_effort": "high",
        },
    ),
    "reasoning turned off": (
        "gpt-5.2",
        replace(PLAIN, sampling=Sampling(temperature=0.1, reasoning_effort="none")),
        {"messages": [ASK], "temperature": 0.1, "reasoning_effort": "none"},
    ),
}
MARKED = {
    "marks for the cache": (
        "gpt-5.6-luna",
        replace(
            CONVERSATION,
            cache=True,
            conversation=(Message(Role.USER, "Hello", cache=True), Message(Role.ASSISTANT, "Good day.")),
        ),
        {
            "messages": [
                {
                    "role": "developer",
                    "content": [
                        {
                            "type": "text",
                            "text": "Answer in one sentence.",
                            "prompt_cache_breakpoint": {"mode": "explicit"},
                        }
                    ],
                },
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "Hello", "prompt_cache_breakpoint": {"mode": "explicit"}}],
                },
                {"role": "assistant", "content": "Good day."},
                ASK,
            ],
        },
    )
}


def with_key(written: Mapping[str, Any], ours: Request) -> Mapping[str, Any]:
    """A key for the cache is whatever a caller makes up: the client is given ours, where there is one."""
    return {**written, **{name: ours.body[name] for name in ("prompt_cache_key",) if name in ours.body}}


def of_openai(client: OpenAI, model: str, written: Mapping[str, Any], *, stream: bool) -> None:
    create: Callable[..., Any] = client.chat.completions.create
    if stream:
        list(create(model=model, stream=True, stream_options={"include_usage": True}, **written))
    else:
        create(model=model, **written)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("call", [*CALLS, *MARKED])
def test_openai_is_sent_what_its_client_sends(call: str, stream: bool) -> None:
    model, prompt, written = {**CALLS, **MARKED}[call]
    ours = asked_by_dialect(OpenAIChat(), prompt, target("openai", model), stream=stream, base_path="/v1")
    written = with_key(written, ours)

    def ask(url: str) -> None:
        with OpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0) as client:
            of_openai(client, model, written, stream=stream)

    theirs, _ = asked_by_client(ask, reply=stream_reply(STREAM) if stream else json_reply(WHOLE))
    assert_same_request(theirs, ours, theirs_alone=OPENAI_ALONE)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("call", CALLS)
def test_azure_is_sent_what_its_client_sends_to_a_dated_deployment(call: str, stream: bool) -> None:
    model, prompt, written = CALLS[call]

    def ask(url: str) -> None:
        with AzureOpenAI(azure_endpoint=url, api_key="k", api_version="2024-10-21", max_retries=0) as client:
            of_openai(client, model, written, stream=stream)

    theirs, _ = asked_by_client(ask, reply=stream_reply(STREAM) if stream else json_reply(WHOLE))
    ours = asked_by_dialect(OpenAIChat(), prompt, target("azure", model, "2024-10-21"), stream=stream)
    assert_same_request(theirs, ours, theirs_alone=AZURE_ALONE)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("call", CALLS)
def test_azure_is_sent_what_openais_client_sends_to_its_version_1(call: str, stream: bool) -> None:
    model, prompt, written = CALLS[call]

    def ask(url: str) -> None:
        with OpenAI(base_url=f"{url}/openai/v1/", api_key="k", max_retries=0) as client:
            of_openai(client, model, written, stream=stream)

    theirs, _ = asked_by_client(ask, reply=stream_reply(STREAM) if stream else json_reply(WHOLE))
    ours = asked_by_dialect(OpenAIChat(), prompt, target("azure", model, "v1"), stream=stream)
    assert_same_request(theirs, ours, theirs_alone=OPENAI_ALONE)


def test_a_deployment_with_a_name_that_no_path_can_hold_is_written_as_azures_client_writes_it() -> None:
    def ask(url: str) -> None:
        with AzureOpenAI(azure_endpoint=url, api_key="k", api_version="2023-05-15", max_retries=0) as client:
            client.chat.completions.create(model="åse's gpt/4?", messages=[ASK])  # type: ignore[list-item]

    theirs, _ = asked_by_client(ask, reply=json_reply(WHOLE))
    ours = asked_by_dialect(OpenAIChat(), PLAIN, target("azure", "åse's gpt/4?", "2023-05-15"))
    assert_same_request(theirs, ours, theirs_alone=AZURE_ALONE)


MISTRAL_CALLS: dict[str, tuple[str, Prompt, Mapping[str, Any]]] = {
    "plain": ("mistral-large-latest", PLAIN, {"messages": [ASK]}),
    "conversation": ("mistral-large-latest", CONVERSATION, {"messages": THEIR_CONVERSATION}),
    "tools": (
        "mistral-large-latest",
        replace(PLAIN, tools=(TOOL, STRICT), tool_choice=ToolChoice.REQUIRED),
        {"messages": [ASK], "tools": [THEIR_TOOL, THEIR_STRICT], "tool_choice": "any"},
    ),
    "one tool demanded": (
        "mistral-large-latest",
        replace(PLAIN, tools=(TOOL,), tool_choice="search_orders"),
        {
            "messages": [ASK],
            "tools": [THEIR_TOOL],
            "tool_choice": {"type": "function", "function": {"name": "search_orders"}},
        },
    ),
    "results of tools": (
        "mistral-large-latest",
        RESULTS,
        {"messages": their_called(index=True), "tools": [THEIR_TOOL, THEIR_STRICT]},
    ),
    "schema": ("mistral-large-latest", SCHEMED, {"messages": [ASK], "response_format": THEIR_SCHEMA}),
    "sampling": (
        "mistral-large-latest",
        SAMPLED,
        {
            "messages": [ASK],
            "max_tokens": 200,
            "temperature": 0.25,
            "top_p": 0.9,
            "random_seed": 7,
            "stop": ["END", "\n\n"],
        },
    ),
    "reasoning": (
        "mistral-medium-latest",
        replace(PLAIN, sampling=Sampling(reasoning_effort="high")),
        {"messages": [ASK], "reasoning_effort": "high"},
    ),
    "a beginning for the cache": (
        "mistral-large-latest",
        replace(PLAIN, cache=True),
        {"messages": [ASK]},
    ),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("call", MISTRAL_CALLS)
def test_mistral_is_sent_what_its_client_sends(call: str, stream: bool) -> None:
    model, prompt, written = MISTRAL_CALLS[call]
    ours = asked_by_dialect(OpenAIChat(), prompt, target("mistral", model), stream=stream, base_path="/v1")
    written = with_key(written, ours)

    def ask(url: str) -> None:
        with Mistral(api_key="k", server_url=url) as client:
            if stream:
                with client.chat.stream(model=model, **written) as events:
                    list(events)
            else:
                client.chat.complete(model=model, **written)

    theirs, _ = asked_by_client(ask, reply=stream_reply(STREAM) if stream else json_reply(WHOLE))
    assert_same_request(theirs, ours, theirs_alone=MISTRAL_ALONE)
