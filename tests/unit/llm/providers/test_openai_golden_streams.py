"""Recorded streams of OpenAI's form, whole, cut at every byte and split at random."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_engine.errors import IncompleteResponseError
from rag_engine.llm.providers.dialect import Target
from rag_engine.llm.providers.openai_chat import OpenAIChat
from rag_engine.llm.providers.provider_data import provider_data
from rag_engine.llm.transport import EventStream
from rag_engine.types.generation import Completion, Prompt, TextDelta

FOLDER = Path(__file__).parents[3] / "golden" / "streams"
NAMES = sorted(
    path.stem
    for path in FOLDER.glob("*.sse")
    if path.stem.startswith(("openai-", "azure-", "mistral-", "meta-", "local-"))
)


def golden(name: str) -> tuple[bytes, dict[str, Any], Target]:
    expected = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    data = provider_data(expected["provider"])
    quirks = data.quirks(expected["model"], expected["api_version"])
    target = Target(expected["provider"], expected["model"], expected["api_version"], quirks)
    return (FOLDER / f"{name}.sse").read_bytes(), expected, target


def read(pieces: list[bytes], target: Target) -> tuple[str, Completion]:
    assembler, stream, text = OpenAIChat().assembler(Prompt.plain("q"), target), EventStream(), ""
    for piece in pieces:
        for event in stream.feed(piece):
            if assembler.ended:
                break
            text += "".join(delta.text for delta in assembler.feed(event) if isinstance(delta, TextDelta))
    return text, assembler.completion()


def as_recorded(completion: Completion) -> dict[str, Any]:
    usage = completion.usage
    return {
        "text": completion.text,
        "reasoning": completion.reasoning,
        "finish_reason": completion.finish_reason.value,
        "tool_calls": [
            {"id": call.id, "name": call.name, "arguments": call.arguments} for call in completion.tool_calls
        ],
        "usage": {
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cache_read_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "reasoning_tokens": usage.reasoning_tokens,
            "source": usage.source.value,
        },
    }


def test_there_are_several_streams_of_every_speaker() -> None:
    speakers = [name.partition("-")[0] for name in NAMES]
    assert {speaker: speakers.count(speaker) > 1 for speaker in speakers} == dict.fromkeys(
        ("azure", "local", "meta", "mistral", "openai"), True
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_stream_is_read_as_it_was_meant(name: str) -> None:
    raw, expected, target = golden(name)
    text, completion = read([raw], target)
    assert as_recorded(completion) == {key: expected[key] for key in as_recorded(completion)}
    assert text == completion.text


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_cut_at_any_byte_is_whole_or_incomplete_and_never_short(name: str) -> None:
    raw, expected, target = golden(name)
    whole = 0
    for end in range(len(raw)):
        try:
            _, completion = read([raw[:end]], target)
        except IncompleteResponseError:
            assert not whole, "whole at first, and incomplete with more of it"
            continue
        whole += 1
        got = as_recorded(completion)
        assert {key: got[key] for key in got if key != "usage"} == {key: expected[key] for key in got if key != "usage"}
    assert whole < len(raw)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_stream_split_at_random_is_the_same_stream(name: str, data: st.DataObject) -> None:
    raw, expected, target = golden(name)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=40)))
    pieces = [raw[start:end] for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    text, completion = read(pieces, target)
    assert text == completion.text == expected["text"]
    assert as_recorded(completion) == as_recorded(read([raw], target)[1])
