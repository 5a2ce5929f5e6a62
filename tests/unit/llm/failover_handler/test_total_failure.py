"""What is raised where nobody answers, and what becomes of it in a route further out."""

from __future__ import annotations

import pytest

from rag_engine import errors
from rag_engine.error_handler import Action, verdict_for
from tests.unit.llm.failover_handler.members import (
    Route,
    asked,
    complete,
    deployment,
    handler,
    outcomes,
    plan,
)


def test_when_all_fail_the_error_names_each_with_its_last_error_and_those_left() -> None:
    first, second = (
        deployment("first", errors.ServerError("oops", retry_after=7.0)),
        deployment("second", errors.BadResponseError("what\nis it")),
    )
    with pytest.raises(errors.AllModelsFailedError) as raised:
        complete(handler(attempts=1), plan(first, second, left=["third"]))
    error = raised.value
    assert [name for name, _ in error.causes] == ["first", "second", "third"]
    assert isinstance(error.causes[0][1], errors.ServerError)
    assert error.causes[2][1] == "a prompt would leave the machine"
    assert outcomes(error) == [("first", "server"), ("second", "bad_response")]
    for part in (
        "first: server (oops)",
        "second: bad_response (what is it)",
        "third: a prompt would leave the machine",
    ):
        assert part in error.message
    assert "\n" not in error.message
    assert error.retry_after is not None
    assert 0 < error.retry_after <= 7
    assert verdict_for(error).action is Action.FAIL_OVER


def test_the_error_of_a_thousand_names_a_few() -> None:
    many = [deployment(f"d{number}", errors.BadResponseError("x")) for number in range(1000)]
    with pytest.raises(errors.AllModelsFailedError) as raised:
        complete(handler(), plan(*many))
    assert len(raised.value.causes) == 1000
    assert "and 992 more" in raised.value.message


def test_the_only_ones_error_is_raised_as_it_is_with_all_attempts() -> None:
    first = deployment("first", errors.ServerError("oops"))
    with pytest.raises(errors.ServerError, match="oops") as raised:
        complete(handler(attempts=3), plan(first))
    assert outcomes(raised.value) == [("first", "server")] * 3


def test_when_nobody_can_be_asked_the_error_says_so_of_each_and_when() -> None:
    first, second = deployment("first"), deployment("second")
    first.breaker.acquire().failed(cause="overloaded", cool_down=20.0)  # type: ignore[union-attr]
    second.limiter.refused(retry_after=30.0)
    with pytest.raises(errors.NoModelFitsError) as raised:
        complete(handler(), plan(first, second, left=["third"]))
    assert [name for name, _ in raised.value.causes] == ["first", "second", "third"]
    assert raised.value.retry_after == pytest.approx(20, abs=5)
    assert raised.value.attempts == ()
    assert asked(first, second) == [0, 0]


def test_a_route_without_anybody_says_so() -> None:
    with pytest.raises(errors.NoModelFitsError, match="no models"):
        complete(handler(), plan())


@pytest.mark.parametrize("by_stream", [True, False])
def test_a_route_within_a_route_makes_one_pass_and_its_attempts_are_told_by_their_own_names(by_stream: bool) -> None:
    first, second = deployment("first", errors.ServerError("x")), deployment("second", errors.ServerError("y"))
    inner = deployment("inner", model=Route(handler(attempts=5), first, second))
    answer = complete(handler(attempts=1, complete_by_stream=by_stream), plan(inner, deployment("outer")))
    assert outcomes(answer) == [("first", "server"), ("second", "server"), ("outer", "stop")]
    calls = [one.model.prompts[0].call for one in (first, second)]  # type: ignore[attr-defined]
    assert [call.attempt for call in calls] == [1, 2]
    assert calls[0].id == calls[1].id
    assert asked(first, second) == [1, 1]


def test_an_outer_route_does_not_go_around_a_refusal_of_an_inner_one() -> None:
    inner = deployment("inner", model=Route(handler(), deployment("first", errors.PromptBlockedError("x"))))
    outer = deployment("outer")
    with pytest.raises(errors.PromptBlockedError) as raised:
        complete(handler(), plan(inner, outer))
    assert outcomes(raised.value) == [("first", "prompt_blocked")]
    assert asked(outer) == [0]
