"""The judges of live exchanges find what is wrong, and nothing where nothing is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.conformance.outcome import Outcome
from benchmarks.conformance.verdicts import answered, called, failed, said_in_json
from rag_engine.errors import ConnectionLostError, InvalidKeyError, RateLimitError
from rag_engine.types.conversation import ToolCall
from rag_engine.types.generation import Attempt, Completion, FinishReason, Usage, UsageSource

COMPLETION = Completion("whole answer", "m", FinishReason.STOP, Usage(3, 2), attempts=(Attempt("m", "stop", 0.1),))
CALL = replace(
    COMPLETION, text="", finish_reason=FinishReason.TOOL_CALLS, tool_calls=(ToolCall("id1", "find", '{"a": 1}'),)
)
KEY = "sk-secret-key"


def test_a_whole_answer_with_its_counts_is_right() -> None:
    streamed = Outcome(COMPLETION, pieces=("whole", " answer"), streamed=True)

    assert answered("whole answer", usage=(3, 2))(Outcome(COMPLETION)) == ""
    assert answered("whole answer", counted=True, pieces=2)(streamed) == ""


@pytest.mark.parametrize(
    ("completion", "said"),
    [
        (replace(COMPLETION, text="whole"), "text"),
        (replace(COMPLETION, finish_reason=FinishReason.LENGTH), "length"),
        (replace(COMPLETION, usage=Usage(3, 3)), "usage 3+3, not 3+2"),
        (replace(COMPLETION, usage=Usage(3, 2, source=UsageSource.ESTIMATED)), "estimated"),
        (replace(COMPLETION, attempts=COMPLETION.attempts * 2), "2 attempts"),
    ],
)
def test_another_text_end_count_or_number_of_attempts_is_wrong(completion: Completion, said: str) -> None:
    assert said in answered("whole answer", usage=(3, 2))(Outcome(completion))


def test_a_stream_whose_pieces_are_not_the_text_is_wrong() -> None:
    judge = answered(pieces=2)

    assert "the pieces make 'whole'" in judge(Outcome(COMPLETION, pieces=("whole",), streamed=True))
    assert "1 pieces" in judge(Outcome(COMPLETION, pieces=("whole answer",), streamed=True))


def test_no_answer_where_one_was_wanted_says_what_came() -> None:
    came = Outcome(error=RateLimitError("too fast"))

    for judge in (answered(), called("find", {}), said_in_json({})):
        assert "RateLimitError: too fast" in judge(came)


def test_a_call_needs_its_name_its_arguments_and_an_id() -> None:
    assert called("find", {"a": 1})(Outcome(CALL)) == ""
    assert called("find", {"a": 2})(Outcome(CALL))
    assert called("seek", {"a": 1})(Outcome(CALL))
    assert "without an id" in called("find", {"a": 1})(
        Outcome(replace(CALL, tool_calls=(ToolCall("", "find", '{"a": 1}'),)))
    )
    assert "stop" in called("find", {"a": 1})(Outcome(COMPLETION))


def test_json_is_judged_by_its_keys_and_their_types_or_by_what_is_expected() -> None:
    said = Outcome(replace(COMPLETION, text='{"a": true}'))

    assert said_in_json({"a": bool})(said) == ""
    assert said_in_json({"a": int})(said)
    assert said_in_json({"a": bool, "b": int})(said)
    assert said_in_json({}, {"a": True})(said) == ""
    assert said_in_json({}, {"a": False})(said)
    assert "no JSON" in said_in_json({"a": bool})(Outcome(COMPLETION))


def test_a_fault_is_judged_by_its_class_its_status_and_its_wait() -> None:
    came = Outcome(error=RateLimitError("too fast", status=429, retry_after=1.0))

    assert failed(RateLimitError, status=429, retry_after=1.0)(came) == ""
    assert failed(ConnectionLostError)(came)
    assert failed(RateLimitError, status=500)(came)
    assert failed(RateLimitError, retry_after=2.0)(came)
    assert failed(RateLimitError)(Outcome(COMPLETION))


def test_an_error_that_shows_the_key_is_wrong() -> None:
    judge = failed(InvalidKeyError, key=KEY)

    assert judge(Outcome(error=InvalidKeyError("the key is refused"))) == ""
    assert "shows the key" in judge(Outcome(error=InvalidKeyError(f"the key {KEY} is refused")))
    assert "shows the key" in judge(Outcome(error=InvalidKeyError("refused", hint=f"replace {KEY}")))
