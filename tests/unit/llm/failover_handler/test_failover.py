"""Who is asked after whom, and what an answer or an error tells of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from rag_engine import errors
from rag_engine.error_handler import Action, RetryPolicy, Verdict
from rag_engine.error_handler.retry_course import owning
from rag_engine.llm.failover_handler import FailoverHandler, FailoverPolicy
from rag_engine.llm.rate_limit import RateLimiter, RateLimits
from rag_engine.types.generation import Allowance, Attempt, Completion, FinishReason, Usage
from rag_engine.types.routing import BreakerState
from tests.unit.llm.failover_handler.members import (
    QUESTION,
    asked,
    complete,
    deployment,
    handler,
    outcomes,
    plan,
)


def test_the_first_that_answers_is_the_only_one_asked() -> None:
    first, second = deployment("first"), deployment("second")
    answer = complete(handler(), plan(first, second))
    assert answer.text == "from first"
    assert outcomes(answer) == [("first", "stop")]
    assert asked(first, second) == [1, 0]


def test_a_fault_that_passes_is_tried_once_more_at_the_same_deployment() -> None:
    first, second = deployment("first", [errors.ServerError("oops"), "well again"]), deployment("second")
    answer = complete(handler(), plan(first, second))
    assert answer.text == "well again"
    assert outcomes(answer) == [("first", "server"), ("first", "stop")]
    assert asked(first, second) == [2, 0]


def test_a_fault_that_stays_leads_to_the_next_one() -> None:
    first, second = deployment("first", errors.ServerError("oops")), deployment("second")
    answer = complete(handler(attempts=3), plan(first, second))
    assert answer.text == "from second"
    assert outcomes(answer) == [("first", "server")] * 3 + [("second", "stop")]


@pytest.mark.parametrize(
    "error",
    [
        errors.BadResponseError("x"),
        errors.StalledStreamError("x"),
        errors.UnsupportedParameterError("x"),
        errors.RequestTooLargeError("x"),
        errors.UnknownModelError("x"),
        errors.InvalidKeyError("x"),
        errors.CreditExhaustedError("x"),
        errors.OverloadedError("x"),
    ],
    ids=lambda error: error.code,
)
def test_what_the_same_one_would_say_again_leads_to_the_next_one_at_once(error: Exception) -> None:
    first, second = deployment("first", error), deployment("second")
    assert complete(handler(attempts=5), plan(first, second)).text == "from second"
    assert asked(first, second) == [1, 1]


@pytest.mark.parametrize(
    "error",
    [errors.InvalidRequestError("x"), errors.PromptBlockedError("x"), errors.OutputFilteredError("x")],
    ids=lambda error: error.code,
)
def test_what_is_final_is_raised_as_it_is_and_nobody_else_is_asked(error: errors.LanguageModelError) -> None:
    first, second = deployment("first", error), deployment("second")
    with pytest.raises(type(error)) as raised:
        complete(handler(), plan(first, second))
    assert raised.value is error
    assert outcomes(error) == [("first", error.code)]
    assert asked(first, second) == [1, 0]
    assert first.breaker.health().failures == 0


def test_what_was_refused_goes_to_those_that_are_named_for_it_and_to_nobody_else() -> None:
    first, second = deployment("first", errors.PromptBlockedError("x")), deployment("second")
    third, fourth = deployment("third", errors.OutputFilteredError("y")), deployment("fourth")
    answer = complete(handler(), plan(first, second, for_refused=(third, fourth)))
    assert answer.text == "from fourth"
    assert asked(first, second, third, fourth) == [1, 0, 1, 1]


def test_a_refusal_that_all_share_is_raised_as_the_first_one_so_that_no_outer_route_goes_around_it() -> None:
    first, third = deployment("first", errors.PromptBlockedError("x")), deployment("third", errors.ServerError("y"))
    with pytest.raises(errors.PromptBlockedError) as raised:
        complete(handler(), plan(first, for_refused=(third,)))
    assert outcomes(raised.value) == [("first", "prompt_blocked"), ("third", "server"), ("third", "server")]


def test_a_prompt_that_is_too_long_goes_only_to_larger_windows() -> None:
    too_long = errors.ContextWindowError("x")
    first, same = deployment("first", too_long, window=8000), deployment("same", window=8000)
    larger, longer = deployment("larger", too_long, window=9000), deployment("longer", window=100)
    answer = complete(handler(attempts=5), plan(first, same, larger, for_longer=(longer,)))
    assert answer.text == "from longer"
    assert asked(first, same, larger, longer) == [1, 0, 1, 1]


def test_those_for_longer_prompts_are_not_asked_otherwise() -> None:
    first, longer = deployment("first", errors.BadResponseError("x")), deployment("longer")
    with pytest.raises(errors.LanguageModelError):
        complete(handler(), plan(first, for_longer=(longer,)))
    assert asked(longer) == [0]


def test_over_the_budget_only_a_cheaper_one_is_asked() -> None:
    over = errors.BudgetExceededError("x")
    first, dearer, cheaper = (
        deployment("first", over, price=2),
        deployment("dearer", price=3),
        deployment("cheaper", price=1),
    )
    assert complete(handler(), plan(first, dearer, cheaper)).text == "from cheaper"
    assert asked(first, dearer, cheaper) == [1, 0, 1]
    with pytest.raises(errors.BudgetExceededError):
        complete(handler(), plan(first, dearer))


def test_a_cut_or_refusing_answer_is_an_answer() -> None:
    for reason in (FinishReason.LENGTH, FinishReason.REFUSED):
        first, second = deployment("first", Completion("cut", "m", reason)), deployment("second")
        assert complete(handler(), plan(first, second)).finish_reason is reason
        assert asked(second) == [0]


def test_the_attempts_that_a_model_tells_of_are_kept_and_named() -> None:
    told = Attempt("maker/m", "stop", 1.0, "maker", Usage(3, 4), "req-1", allowance=Allowance(requests=7))
    answer = Completion("x", "m", FinishReason.STOP, attempts=(told,))
    failed = replace(told, outcome="server")
    first = deployment("first", [errors.ServerError("x", attempts=(failed,)), answer])
    got = complete(handler(), plan(first))
    assert got.attempts == (replace(failed, deployment="first"), replace(told, deployment="first"))


def test_the_same_error_raised_for_another_prompt_does_not_tell_of_the_first_ones_attempts() -> None:
    error = errors.InvalidRequestError("x")
    first, handling = deployment("first", error), handler()
    for _ in range(2):
        with pytest.raises(errors.InvalidRequestError):
            complete(handling, plan(first))
        assert len(error.attempts) == 1


def test_the_ranked_are_asked_a_second_time_where_their_faults_may_pass() -> None:
    passing = errors.ServerError("x", verdict=Verdict(Action.FAIL_OVER))
    first, second = deployment("first", [passing, "at last"]), deployment("second", errors.BadResponseError("x"))
    answer = complete(handler(), plan(first, second))
    assert outcomes(answer) == [("first", "server"), ("second", "bad_response"), ("first", "stop")]


def test_the_last_one_is_not_left_alone_for_an_overload_that_may_pass() -> None:
    first = deployment("first", [errors.OverloadedError("x"), "at last"])
    assert complete(handler(), plan(first)).text == "at last"
    assert first.breaker.state is BreakerState.CLOSED


def test_an_overloaded_one_is_left_alone_while_there_are_others() -> None:
    first, second = deployment("first", errors.OverloadedError("x")), deployment("second")
    complete(handler(), plan(first, second))
    assert first.breaker.state is BreakerState.OPEN


def test_inside_another_retry_there_is_one_pass_and_no_second_try() -> None:
    first, second = deployment("first", errors.ServerError("x")), deployment("second", errors.ServerError("x"))

    async def ask() -> None:
        with owning():
            await handler(attempts=5).complete(QUESTION, plan(first, second))

    with pytest.raises(errors.AllModelsFailedError):
        asyncio.run(ask())
    assert asked(first, second) == [1, 1]


def test_a_fault_of_ones_own_program_is_raised_and_says_nothing_about_the_deployment() -> None:
    first, second = deployment("first", ZeroDivisionError()), deployment("second")
    with pytest.raises(ZeroDivisionError):
        complete(handler(), plan(first, second))
    assert first.breaker.health().calls == 0
    assert first.load.under_way == 0


def test_a_model_that_does_not_stream_is_asked_for_the_whole() -> None:
    class Whole:
        name = "maker/whole"

        async def complete(self, _: object) -> Completion:
            return Completion("whole", self.name, FinishReason.STOP)

        def stream(self, _: object) -> None:
            raise AssertionError

    assert complete(handler(), plan(deployment("first", model=Whole(), streams=False))).text == "whole"
    assert complete(handler(complete_by_stream=False), plan(deployment("first", model=Whole()))).text == "whole"


def test_calls_end_where_they_were_counted() -> None:
    first = deployment("first", errors.ServerError("x"), limiter=RateLimiter(RateLimits(concurrency=1)))
    second = deployment("second", limiter=RateLimiter(RateLimits(concurrency=1)))
    complete(handler(), plan(first, second))
    for one in (first, second):
        assert one.load.under_way == 0
        assert one.limiter.available
    assert (first.breaker.health().failures, second.breaker.health().failures) == (2, 0)


def test_the_usual_handler_has_a_policy_and_a_budget() -> None:
    assert complete(FailoverHandler(), plan(deployment("first"))).text == "from first"
    assert FailoverPolicy().retry == RetryPolicy(attempts=2)


def test_what_was_refused_may_go_to_one_that_is_ranked_as_well() -> None:
    first, second, third = (
        deployment("first", errors.PromptBlockedError("x")),
        deployment("second"),
        deployment("third"),
    )
    assert complete(handler(), plan(first, second, third, for_refused=(third,))).text == "from third"
    assert asked(first, second, third) == [1, 0, 1]
