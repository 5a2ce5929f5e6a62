"""Streams of OpenAI's form: where they end, what they say, and what is no answer."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from rag_engine.errors import BadResponseError, IncompleteResponseError
from rag_engine.llm.transport import ServerEvent
from rag_engine.types.conversation import Sampling
from rag_engine.types.generation import FinishReason, Prompt
from tests.unit.llm.providers.openai_chunks import DONE, STOP, USAGE, assembler, call, chunk, read, text


def test_a_reason_ends_an_answer_with_or_without_done() -> None:
    assert read(text("Yes."), STOP, DONE) == read(text("Yes."), STOP)
    assert read(text("Yes."), STOP).finish_reason is FinishReason.STOP


@pytest.mark.parametrize(
    "events",
    [
        (),
        (DONE,),
        (text("Yes"),),
        (text("Yes"), DONE),
        (USAGE, DONE),
        (text("Yes"), USAGE, DONE),
        (chunk({"content": "Yes"}, ""), DONE),
        (call(0, "a", "f", "{}"), DONE),
    ],
    ids=str,
)
def test_without_a_reason_for_its_end_an_answer_is_incomplete(events: tuple[object, ...]) -> None:
    with pytest.raises(IncompleteResponseError) as caught:
        read(*events)
    assert (caught.value.provider, caught.value.model) == ("openai", "m")


BAD: dict[str, tuple[object, ...]] = {
    "no JSON": (text("a"), '{"choices": [{', STOP),
    "no object": (text("a"), "7", STOP),
    "null": (text("a"), "null", STOP),
    "an empty list": (text("a"), "[]", STOP),
    "nested too deeply": ("[" * 100_000,),
    "no choices": (text("a"), {"id": "1"}, STOP),
    "choices that are no list": (text("a"), {"choices": {"0": 1}}, STOP),
    "a choice that is no object": (text("a"), {"choices": ["b"]}, STOP),
    "another choice": (text("a"), {"choices": [{"index": 1, "delta": {"content": "b"}}]}, STOP),
    "two choices": (text("a"), {"choices": [{"delta": {}}, {"delta": {}}]}, STOP),
    "a message for a delta": ({"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]},),
    "no delta": (text("a"), {"choices": [{"index": 0}]}, STOP),
    "a delta that is none": (text("a"), {"choices": [{"delta": "b"}]}, STOP),
    "content that is a number": (text("a"), chunk({"content": 7}), STOP),
    "content of an unknown kind": (text("a"), chunk({"content": [{"type": "picture"}]}), STOP),
    "a refusal that is no text": (chunk({"refusal": ["no"]}), STOP),
    "nothing": (STOP,),
    "null and nothing": (chunk({"content": None}), STOP),
    "an unknown reason": (text("a"), chunk(finish="eos")),
    "a reason that is no text": (text("a"), chunk(finish=7)),
    "two reasons": (text("a"), STOP, chunk(finish="length")),
    "text behind its end": (text("a"), STOP, text("b")),
    "a tool behind its end": (text("a"), STOP, call(0, "a", "f", "{}")),
    "tools and none named": (chunk(finish="tool_calls"),),
    "tools that are no list": (chunk({"tool_calls": {"0": 1}}), STOP),
    "a tool that is no object": (chunk({"tool_calls": ["f"]}), STOP),
    "a tool of an unknown kind": (chunk({"tool_calls": [{"index": 0, "type": "custom"}]}), STOP),
    "a function that is no object": (chunk({"tool_calls": [{"index": 0, "function": "f"}]}), STOP),
    "arguments that are no JSON": (call(0, "a", "f", '{"x":'), STOP),
    "arguments that are no object": (call(0, "a", "f", "[1]"), STOP),
    "arguments with what is no number": (call(0, "a", "f", '{"x": NaN}'), STOP),
    "arguments that are a number": (call(0, "a", "f", 7), STOP),
    "no name": (call(0, "a", None, "{}"), STOP),
    "a name that is no text": (call(0, "a", 7, "{}"), STOP),
    "two names": (call(0, "a", "f", "{"), call(0, "a", "g", "}"), STOP),
    "a number that is none": (call("0", "a", "f", "{}"), STOP),
    "a number below 0": (call(-1, "a", "f", "{}"), STOP),
    "two calls under one id": (call(0, "a", "f", "{}"), call(1, "a", "g", "{}"), STOP),
    "half a character": (text("a\ud83d"), STOP),
    "the wrong half": (text("a\ude00"), text("b"), STOP),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_stream_that_is_not_as_the_interface_says_is_an_error_and_never_an_answer(kind: str) -> None:
    with pytest.raises(BadResponseError) as caught:
        read(*BAD[kind], DONE)
    assert (caught.value.provider, caught.value.model) == ("openai", "m")
    assert caught.value.phase


def test_nothing_is_read_behind_done_or_behind_the_usage() -> None:
    for events in ((text("a"), STOP, DONE), (text("a"), STOP, USAGE)):
        stream = assembler()
        for event in events:
            assert not stream.ended
            stream.feed(ServerEvent("", event if isinstance(event, str) else json.dumps(event)))
        assert stream.ended


def test_fragments_of_calls_find_their_calls_however_servers_number_them() -> None:
    interleaved = read(
        call(1, "b", "g", ""), call(0, "a", "f", '{"x"'), call(1, None, None, "{}"), call(0, None, None, ":1}"), STOP
    )
    assert [(one.id, one.arguments) for one in interleaved.tool_calls] == [("b", "{}"), ("a", '{"x":1}')]
    repeated = read(call(0, "a", "f", "{"), call(0, "a", "f", "}"), STOP)
    assert [(one.id, one.name, one.arguments) for one in repeated.tool_calls] == [("a", "f", "{}")]
    unnumbered = read(call(None, "a", "f", "{"), call(None, None, None, "}"), call(None, "b", "g", "{}"), STOP)
    assert [one.id for one in unnumbered.tool_calls] == ["a", "b"]
    later_named = read(call(0, None, "f", "{"), call(0, "null", None, ""), call(0, "a", None, "}"), STOP)
    assert [one.id for one in later_named.tool_calls] == ["a"]


def test_a_call_without_an_id_or_arguments_gets_such() -> None:
    first, second = read(call(0, "", "f", ""), call(1, None, "f", {"x": "é"}), STOP).tool_calls
    assert first.id
    assert first.id != second.id
    assert (first.arguments, second.arguments) == ("{}", '{"x": "é"}')


def test_what_a_limit_cut_asks_for_no_tool() -> None:
    completion = read(text("I look."), call(0, "a", "f", '{"x'), chunk(finish="length"), DONE)
    assert (completion.finish_reason, completion.tool_calls) == (FinishReason.LENGTH, ())


def test_a_limit_may_leave_no_text_at_all_and_so_may_a_word_that_stops() -> None:
    assert read(chunk({"content": None}), chunk(finish="length")).finish_reason is FinishReason.LENGTH
    prompt = replace(Prompt.plain("q"), sampling=Sampling(stop=("END",)))
    assert read(STOP, prompt=prompt).text == ""


def test_a_refusal_is_told_from_an_answer() -> None:
    completion = read(chunk({"refusal": "I can"}), chunk({"refusal": "not."}), STOP)
    assert (completion.finish_reason, completion.text) == (FinishReason.REFUSED, "I cannot.")


def test_halves_of_a_character_in_two_pieces_are_one_character() -> None:
    assert read(text("a\ud83d"), text("\ude00b"), STOP).text == "a😀b"
    assert read(text("\ud83d"), text("\ude00"), STOP).text == "😀"
    assert read(call(0, "a", "f", '{"x":"\ud83d'), call(0, None, None, '\ude00"}'), STOP).tool_calls[0].arguments == (
        '{"x":"😀"}'
    )


def test_thoughts_are_no_part_of_the_answer_and_a_provider_without_them_is_not_read_for_them() -> None:
    events = (chunk({"reasoning_content": "hm", "reasoning": "hm"}), text("a"), STOP)
    assert (read(*events, provider="vllm").reasoning, read(*events, provider="vllm").text) == ("hm", "a")
    assert read(*events).reasoning == ""


def test_the_answer_names_the_model_and_the_call_that_the_provider_names() -> None:
    completion = read({"choices": [], "model": "", "id": "", "usage": None}, text("a"), STOP)
    assert (completion.model, completion.request_id) == ("m-1", "1")
    assert read({"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]}).model == "m"


def test_time_grows_with_the_pieces_and_not_with_their_square() -> None:
    def seconds(pieces: int) -> float:
        stream = assembler()
        event = ServerEvent("", json.dumps(text("é ")))
        fragment = ServerEvent("", json.dumps(call(0, "a", "f", " ")))
        begun = time.process_time()
        for _ in range(pieces // 2):
            stream.feed(event)
            stream.feed(fragment)
        return time.process_time() - begun

    seconds(1000)
    assert seconds(100_000) < 40 * seconds(10_000) + 1
