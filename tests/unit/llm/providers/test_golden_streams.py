"""Golden streams of every dialect: whole, cut at every byte, split at random, and damaged."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings, strategies

from rag_engine.errors import IncompleteResponseError, LanguageModelError
from rag_engine.llm.providers.dialect import Dialect, Framing, ReportedFault
from rag_engine.llm.providers.provider_data import provider_data, provider_names
from rag_engine.llm.providers.registry import dialect, dialect_names
from rag_engine.llm.transport import EventStream, JsonLines
from rag_engine.types.generation import Completion
from tests.golden_streams import golden, golden_names, golden_prompt, golden_target
from tests.unit.llm.providers.wire_damage import assert_consistent, damaged_events, events_of, read_events

NAMES = golden_names()
ANSWERS = [name for name in NAMES if "error" not in golden(name)[1]]
# Up to which byte a stream cannot be whole; where nothing is said, some byte must be missing.
NOT_WHOLE_BEFORE: Mapping[str, Callable[[bytes], int]] = {
    "anthropic": lambda raw: raw.rindex(b"message_stop"),
    "cohere": lambda raw: raw.rindex(b"message-end"),
    "google": lambda raw: len(raw) // 2,
    "ollama": lambda raw: len(raw) // 2,
}


def spoken(facts: dict[str, Any]) -> Dialect:
    return dialect(provider_data(facts["provider"]).dialect)


def read(facts: dict[str, Any], pieces: Iterable[bytes]) -> Completion:
    """What becomes of a stream that comes in pieces and then is over; behind its end nothing is read."""
    speaks = spoken(facts)
    assembler = speaks.assembler(golden_prompt(facts), golden_target(facts))
    reader = EventStream() if speaks.framing is Framing.SERVER_SENT_EVENTS else JsonLines()
    deltas = []
    for piece in pieces:
        for event in reader.feed(piece):
            if not assembler.ended:
                deltas += assembler.feed(event)
    completion = assembler.completion()
    assert_consistent(deltas, completion)
    return completion


def shown(completion: Completion, facts: dict[str, Any]) -> dict[str, Any]:
    """What the completion says, in the form of the facts: arguments are text where they are to be as they came."""
    usage = asdict(completion.usage)
    calls = [asdict(call) for call in completion.tool_calls]
    for call, meant in zip(calls, facts["tool_calls"], strict=False):
        if not isinstance(meant["arguments"], str):
            call["arguments"] = json.loads(call["arguments"])
    return {
        "text": completion.text,
        "reasoning": completion.reasoning,
        "finish_reason": completion.finish_reason.value,
        "tool_calls": calls,
        "quotations": [[one.marker, one.start, one.end] for one in completion.quotations],
        "cited": [[one.start, one.end, one.marker] for one in completion.cited],
        "usage": {name: usage[name] for name in facts["usage"]},
    }


def meant(facts: dict[str, Any]) -> dict[str, Any]:
    assert {"input_tokens", "output_tokens", "cache_read_tokens", "reasoning_tokens", "source"} <= set(facts["usage"])
    return {
        **{name: facts[name] for name in ("text", "finish_reason", "usage")},
        "reasoning": facts.get("reasoning", ""),
        "tool_calls": [{"signature": "", **call} for call in facts["tool_calls"]],
        "quotations": facts.get("quotations", []),
        "cited": facts.get("cited", []),
    }


def test_there_are_several_streams_of_every_provider() -> None:
    providers = [name.partition("-")[0] for name in NAMES]
    # A server of one's own is any that speaks OpenAI's form: llama.cpp and vLLM are among the local ones.
    assert {provider for provider in providers if providers.count(provider) > 1} == set(provider_names()) - {
        "llama_cpp",
        "vllm",
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_is_read_as_it_was_meant(name: str) -> None:
    raw, facts = golden(name)
    if "error" in facts:
        with pytest.raises(LanguageModelError) as raised:
            read(facts, [raw])
        assert raised.value.code == facts["error"]
    else:
        assert shown(read(facts, [raw]), facts) == meant(facts)


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_cut_at_any_byte_is_whole_or_a_typed_error_and_never_short(name: str) -> None:
    raw, facts = golden(name)
    # OpenAI's usage comes behind the end of the answer.
    compared = {"text", "reasoning", "finish_reason", "tool_calls", "quotations", "cited", "usage"}
    compared -= {"usage"} if provider_data(facts["provider"]).dialect == "openai" else set()
    finished, codes = 0, set()
    for end in range(len(raw)):
        try:
            completion = read(facts, [raw[:end]])
        except LanguageModelError as error:
            codes.add(error.code)
            assert not finished, "whole at first, and an error with more of it"
            continue
        finished += 1
        got, expected = shown(completion, facts), meant(facts)
        assert {key: got[key] for key in compared} == {key: expected[key] for key in compared}, end
    assert codes <= {IncompleteResponseError.code, facts.get("error")}
    assert finished <= len(raw) - NOT_WHOLE_BEFORE.get(provider_data(facts["provider"]).dialect, lambda _: 1)(raw)


@pytest.mark.parametrize("name", ANSWERS)
@given(data=strategies.data())
@settings(max_examples=25, deadline=None)
def test_a_stream_says_the_same_in_whatever_pieces_it_comes(name: str, data: strategies.DataObject) -> None:
    raw, facts = golden(name)
    cuts = sorted({0, len(raw), *data.draw(strategies.lists(strategies.integers(0, len(raw)), max_size=40))})
    assert shown(read(facts, [raw[start:end] for start, end in itertools.pairwise(cuts)]), facts) == meant(facts)


@pytest.mark.parametrize("name", [name for name in ANSWERS if name.endswith("-unicode")])
def test_bytes_one_by_one_make_the_same_answer(name: str) -> None:
    raw, facts = golden(name)
    assert shown(read(facts, [bytes([byte]) for byte in raw]), facts) == meant(facts)


@pytest.mark.parametrize("speaks", dialect_names())
@given(data=strategies.data())
@settings(max_examples=200, deadline=None)
def test_a_damaged_stream_is_a_consistent_answer_or_a_typed_error(speaks: str, data: strategies.DataObject) -> None:
    names = [name for name in ANSWERS if provider_data(golden(name)[1]["provider"]).dialect == speaks]
    raw, facts = golden(data.draw(strategies.sampled_from(names)))
    events = data.draw(damaged_events(events_of(raw, dialect(speaks))))
    try:
        deltas, completion = read_events(dialect(speaks), golden_prompt(facts), golden_target(facts), events)
    except (LanguageModelError, ReportedFault):
        return
    assert_consistent(deltas, completion)
