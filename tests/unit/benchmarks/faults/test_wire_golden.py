"""Golden answers are what the providers' own clients read as the right answer: nobody marks their own homework."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from benchmarks.faults import wire_cells_tools as tools
from benchmarks.faults.socket_server import SocketServer
from benchmarks.faults.wire_cells import json_body, streamed
from benchmarks.faults.wire_golden import KEY, Golden
from benchmarks.faults.wire_matrix import GOLDEN
from benchmarks.faults.wire_openai import INPUT_TOKENS, OUTPUT_TOKENS, TEXT

QUESTION = "What is the capital of France?"
ASKED = [{"role": "user", "content": QUESTION}]
TOKENS = (INPUT_TOKENS, OUTPUT_TOKENS)
Read = tuple[str, tuple[int, int]]


def _openai_like(url: str, *, stream: bool) -> Read:
    from openai import OpenAI

    with OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0) as client:
        if not stream:
            answer = client.chat.completions.create(model="gpt-test", messages=ASKED)
            return answer.choices[0].message.content, (answer.usage.prompt_tokens, answer.usage.completion_tokens)
        chunks = list(client.chat.completions.create(model="gpt-test", messages=ASKED, stream=True))
        text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
        usage = next(chunk.usage for chunk in reversed(chunks) if chunk.usage)
        return text, (usage.prompt_tokens, usage.completion_tokens)


def _mistral(url: str, *, stream: bool) -> Read:
    from mistralai.client import Mistral

    with Mistral(api_key=KEY, server_url=url) as client:
        if not stream:
            answer = client.chat.complete(model="mistral-test", messages=ASKED)
            return answer.choices[0].message.content, (answer.usage.prompt_tokens, answer.usage.completion_tokens)
        with client.chat.stream(model="mistral-test", messages=ASKED) as events:
            chunks = [event.data for event in events]
        text = "".join(chunk.choices[0].delta.content for chunk in chunks)
        return text, (chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens)


def _anthropic(url: str, *, stream: bool) -> Read:
    from anthropic import Anthropic

    with Anthropic(base_url=url, api_key=KEY, max_retries=0) as client:
        if not stream:
            answer = client.messages.create(model="claude-test", max_tokens=99, messages=ASKED)
        else:
            with client.messages.stream(model="claude-test", max_tokens=99, messages=ASKED) as events:
                answer = events.get_final_message()
        return answer.content[0].text, (answer.usage.input_tokens, answer.usage.output_tokens)


def _google(url: str, *, stream: bool) -> Read:
    from google import genai

    client = genai.Client(api_key=KEY, http_options={"base_url": url})
    try:
        if not stream:
            parts = [client.models.generate_content(model="gemini-test", contents=QUESTION)]
        else:
            parts = list(client.models.generate_content_stream(model="gemini-test", contents=QUESTION))
    finally:
        client.close()
    usage = parts[-1].usage_metadata
    return "".join(part.text for part in parts), (usage.prompt_token_count, usage.candidates_token_count)


def _cohere(url: str, *, stream: bool) -> Read:
    import cohere
    import httpx

    with httpx.Client() as own:
        client = cohere.ClientV2(api_key=KEY, base_url=url, httpx_client=own)
        if not stream:
            answer = client.chat(model="command-test", messages=ASKED)
            tokens = answer.usage.tokens
            return answer.message.content[0].text, (int(tokens.input_tokens), int(tokens.output_tokens))
        events = list(client.chat_stream(model="command-test", messages=ASKED))
    text = "".join(event.delta.message.content.text for event in events if event.type == "content-delta")
    tokens = events[-1].delta.usage.tokens
    return text, (int(tokens.input_tokens), int(tokens.output_tokens))


def _ollama(url: str, *, stream: bool) -> Read:
    from ollama import Client

    client = Client(host=url)
    try:
        if not stream:
            parts = [client.chat(model="llama-test", messages=ASKED)]
        else:
            parts = list(client.chat(model="llama-test", messages=ASKED, stream=True))
    finally:
        client._client.close()
    return "".join(part.message.content for part in parts), (parts[-1].prompt_eval_count, parts[-1].eval_count)


READERS: dict[str, Callable[..., Read]] = {
    "openai": _openai_like,
    "azure": _openai_like,
    "meta": _openai_like,
    "mistral": _mistral,
    "anthropic": _anthropic,
    "google": _google,
    "cohere": _cohere,
    "ollama": _ollama,
}


@contextmanager
def answering(golden: Golden, *, stream: bool) -> Iterator[str]:
    with SocketServer(lambda _request, _number: golden.answer(stream=stream)) as server:
        yield server.url


def each_provider() -> list[object]:
    return [pytest.param(golden, id=golden.provider) for golden in GOLDEN]


@pytest.mark.parametrize("golden", each_provider())
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_the_providers_own_client_reads_the_golden_answer(golden: Golden, stream: bool) -> None:
    with answering(golden, stream=stream) as url:
        assert READERS[golden.provider](url, stream=stream) == (TEXT, TOKENS)


@pytest.mark.parametrize("golden", each_provider())
def test_the_places_of_a_golden_answer_hold_what_they_say(golden: Golden) -> None:
    def at(place: tuple[str | int, ...]) -> object:
        holder: object = golden.reply
        for step in place:
            holder = holder[step]  # type: ignore[index]
        return holder

    assert at(golden.text_at) == TEXT
    assert isinstance(at(golden.reason_at), str)
    assert str(INPUT_TOKENS) in str(at(golden.usage_at))
    assert at(golden.answers_at)
    changed = golden.changed(golden.text_at, "other")
    assert changed != golden.reply
    assert at(golden.text_at) == TEXT


@pytest.mark.parametrize("golden", each_provider())
def test_a_stream_is_whole_only_with_its_pieces_up_to_the_last_that_is_needed(golden: Golden) -> None:
    assert 3 < golden.whole_after <= len(golden.pieces)
    assert b"Paris" in b"".join(golden.pieces[: golden.whole_after])


def _tool_of_openai(url: str, *, stream: bool) -> tuple[str, object]:
    from openai import OpenAI

    with OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0) as client:
        if not stream:
            call = client.chat.completions.create(model="gpt-test", messages=ASKED).choices[0].message.tool_calls[0]
            return call.function.name, json.loads(call.function.arguments)
        with client.chat.completions.stream(model="gpt-test", messages=ASKED) as events:
            list(events)
            call = events.get_final_completion().choices[0].message.tool_calls[0]
        return call.function.name, json.loads(call.function.arguments)


def _tool_of_anthropic(url: str, *, stream: bool) -> tuple[str, object]:
    from anthropic import Anthropic

    with Anthropic(base_url=url, api_key=KEY, max_retries=0) as client:
        if not stream:
            answer = client.messages.create(model="claude-test", max_tokens=99, messages=ASKED)
        else:
            with client.messages.stream(model="claude-test", max_tokens=99, messages=ASKED) as events:
                answer = events.get_final_message()
        return answer.content[0].name, answer.content[0].input


def _tool_of_google(url: str, *, stream: bool) -> tuple[str, object]:
    from google import genai

    client = genai.Client(api_key=KEY, http_options={"base_url": url})
    try:
        if not stream:
            parts = [client.models.generate_content(model="gemini-test", contents=QUESTION)]
        else:
            parts = list(client.models.generate_content_stream(model="gemini-test", contents=QUESTION))
    finally:
        client.close()
    call = parts[0].function_calls[0]
    return call.name, call.args


def _tool_of_cohere(url: str, *, stream: bool) -> tuple[str, object]:
    import cohere
    import httpx

    with httpx.Client() as own:
        client = cohere.ClientV2(api_key=KEY, base_url=url, httpx_client=own)
        if not stream:
            call = client.chat(model="command-test", messages=ASKED).message.tool_calls[0]
            return call.function.name, json.loads(call.function.arguments)
        events = list(client.chat_stream(model="command-test", messages=ASKED))
    name = next(event.delta.message.tool_calls.function.name for event in events if event.type == "tool-call-start")
    deltas = [event.delta.message.tool_calls for event in events if event.type == "tool-call-delta"]
    return name, json.loads("".join(delta.function.arguments for delta in deltas))


def _tool_of_ollama(url: str, *, stream: bool) -> tuple[str, object]:
    from ollama import Client

    client = Client(host=url)
    try:
        if not stream:
            parts = [client.chat(model="llama-test", messages=ASKED)]
        else:
            parts = list(client.chat(model="llama-test", messages=ASKED, stream=True))
    finally:
        client._client.close()
    call = parts[0].message.tool_calls[0].function
    return call.name, dict(call.arguments)


TOOL_READERS: dict[str, Callable[..., tuple[str, object]]] = {
    "openai": _tool_of_openai,
    "azure": _tool_of_openai,
    "meta": _tool_of_openai,
    "mistral": _tool_of_openai,
    "anthropic": _tool_of_anthropic,
    "google": _tool_of_google,
    "cohere": _tool_of_cohere,
    "ollama": _tool_of_ollama,
}


@pytest.mark.parametrize("golden", each_provider())
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_the_providers_own_client_reads_the_call_for_a_tool(golden: Golden, stream: bool) -> None:
    arguments = json.dumps(tools.ARGUMENTS)
    steps = streamed(golden, tools.stream(golden, arguments)) if stream else json_body(tools.reply(golden, arguments))
    with SocketServer(lambda _request, _number: steps) as server:
        called = TOOL_READERS[golden.provider](server.url, stream=stream)
    assert called == (tools.TOOL_NAME, tools.ARGUMENTS)
