"""What streams of OpenAI's form report beside the answer: errors, filters and usage."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rag_engine.errors import LanguageModelError, OutputFilteredError, PromptBlockedError
from rag_engine.llm.providers.dialect import ReportedFault
from rag_engine.llm.transport import ServerEvent
from rag_engine.types.generation import UsageSource
from tests.unit.llm.providers.openai_chunks import DONE, STOP, USAGE, assembler, chunk, read, text


@pytest.mark.parametrize(
    "event",
    [
        {"error": {"message": "Overloaded", "type": "server_error", "code": "server_is_overloaded"}},
        [{"error": {"message": "Overloaded", "type": "server_error", "code": "server_is_overloaded"}}],
        {"object": "error", "message": "Overloaded", "type": "server_error", "code": "server_is_overloaded"},
        {**text("b"), "error": {"message": "Overloaded", "type": "server_error", "code": "server_is_overloaded"}},
    ],
    ids=["object", "list", "flat", "beside a choice"],
)
def test_an_error_within_a_stream_is_reported_whatever_came_before(event: object) -> None:
    stream = assembler()
    stream.feed(ServerEvent("", json.dumps(text("a"))))
    with pytest.raises(ReportedFault) as caught:
        stream.feed(ServerEvent("", json.dumps(event)))
    fault = caught.value
    assert (fault.message, fault.type, fault.code) == ("Overloaded", "server_error", "server_is_overloaded")


def test_an_event_by_the_name_of_error_is_one() -> None:
    with pytest.raises(ReportedFault) as caught:
        assembler().feed(ServerEvent("error", '{"message": "Gone", "code": "x"}'))
    assert caught.value.message == "Gone"
    with pytest.raises(ReportedFault) as caught:
        assembler().feed(ServerEvent("error", '"Gone"'))
    assert caught.value.message == "Gone"


def test_an_error_that_is_null_is_none() -> None:
    assert read({**text("a"), "error": None}, STOP).text == "a"


def test_a_provider_that_ends_with_an_error_has_failed() -> None:
    with pytest.raises(ReportedFault) as caught:
        read(text("a"), chunk(finish="error"), provider="mistral")
    assert caught.value.status == 500


def test_a_filter_ends_an_answer_with_an_error_though_text_came() -> None:
    with pytest.raises(OutputFilteredError):
        read(text("a"), chunk(finish="content_filter"), DONE)


def filters(**results: object) -> dict[str, Any]:
    return {"choices": [{"index": 0, "finish_reason": None, "content_filter_results": results}]}


def test_azures_verdict_behind_the_end_is_heard() -> None:
    late = filters(protected_material_text={"detected": True, "filtered": True})
    with pytest.raises(OutputFilteredError, match="protected_material_text"):
        read(text("a"), STOP, USAGE, late, DONE, provider="azure")
    blocked = filters(custom_blocklists=[{"filtered": True, "id": "x"}])
    with pytest.raises(OutputFilteredError, match="custom_blocklists"):
        read(text("a"), blocked, STOP, DONE, provider="azure")


def test_azures_verdicts_that_only_note_something_are_no_errors() -> None:
    noted = filters(jailbreak={"detected": True, "filtered": False}, error={"code": "content_filter_error"})
    completion = read({"choices": [], "prompt_filter_results": []}, text("a"), noted, STOP, USAGE, noted, DONE)
    assert completion.text == "a"


def test_a_prompt_that_azure_filtered_is_blocked() -> None:
    verdict = [{"prompt_index": 0, "content_filter_results": {"hate": {"filtered": True, "severity": "high"}}}]
    with pytest.raises(PromptBlockedError, match="hate"):
        read({"choices": [], "prompt_filter_results": verdict}, provider="azure")


def test_usage_before_the_end_does_not_end_a_stream() -> None:
    counted = {**text("a"), "usage": {"prompt_tokens": 5, "completion_tokens": 1}}
    completion = read(counted, text("b"), STOP, USAGE, DONE, provider="vllm")
    assert (completion.text, completion.usage.output_tokens) == ("ab", 2)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        "many",
        {"prompt_tokens": -1, "completion_tokens": 2},
        {"prompt_tokens": 5, "completion_tokens": 10**12 + 1},
        {"prompt_tokens": 5},
        {"prompt_tokens": 5, "completion_tokens": 2.5},
        {"prompt_tokens": float("nan"), "completion_tokens": 2},
        {"prompt_tokens": True, "completion_tokens": 2},
        {"prompt_tokens": "5", "completion_tokens": 2},
    ],
    ids=str,
)
def test_numbers_that_are_none_are_left_to_be_estimated(usage: object) -> None:
    completion = read(text("a"), STOP, {"choices": [], "usage": usage}, DONE)
    assert completion.usage.source is UsageSource.ESTIMATED
    assert (completion.usage.input_tokens, completion.usage.output_tokens) == (0, 0)


def test_parts_of_the_usage_that_exceed_the_whole_are_not_believed() -> None:
    usage = {
        "prompt_tokens": 5,
        "completion_tokens": 2,
        "prompt_tokens_details": {"cached_tokens": 6, "cache_write_tokens": -1},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    counted = read(text("a"), STOP, {"choices": [], "usage": usage}).usage
    assert (counted.cache_read_tokens, counted.cache_write_tokens, counted.reasoning_tokens) == (0, 0, 0)
    added = read(text("a"), STOP, {"choices": [], "usage": {**usage, "total_tokens": 10}}).usage
    assert (added.output_tokens, added.reasoning_tokens) == (5, 3)


def test_no_error_quotes_what_came() -> None:
    stream = assembler()
    with pytest.raises(LanguageModelError) as caught:
        stream.feed(ServerEvent("", '{"sk-secret": '))
    assert "sk-secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
