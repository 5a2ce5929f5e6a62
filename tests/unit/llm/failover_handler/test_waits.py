"""What holds calls back: breakers, limits, the budget and the deadline; and what is waited for."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import pytest

from rag_engine import errors
from rag_engine.error_handler import Phase
from rag_engine.llm.failover_handler import RetryBudget
from rag_engine.llm.rate_limit import RateLimiter, RateLimits
from rag_engine.types.generation import CallContext
from tests.unit.llm.failover_handler.members import (
    QUESTION,
    asked,
    complete,
    deployment,
    handler,
    outcomes,
    plan,
)


def test_all_attempts_share_an_id_and_a_deadline_and_are_numbered_through() -> None:
    first, second = deployment("first", errors.ServerError("x")), deployment("second")
    before = time.monotonic()
    complete(handler(deadline_seconds=50), plan(first, second))
    calls = [prompt.call for one in (first, second) for prompt in one.model.prompts]  # type: ignore[attr-defined]
    assert [call.attempt for call in calls] == [1, 2, 3]
    assert len({call.id for call in calls}) == 1
    assert calls[0].id
    (deadline,) = {call.deadline for call in calls}
    assert deadline is not None
    assert before + 50 <= deadline <= time.monotonic() + 50


def test_the_prompts_own_id_deadline_and_number_are_kept() -> None:
    first = deployment("first")
    deadline = time.monotonic() + 5
    complete(handler(), plan(first), replace(QUESTION, call=CallContext("mine", 4, deadline)))
    assert first.model.prompts[0].call == CallContext("mine", 4, deadline)  # type: ignore[attr-defined]


def test_one_with_an_open_breaker_is_passed_over_at_no_cost_to_the_budget() -> None:
    first, second = deployment("first"), deployment("second")
    first.breaker.acquire().failed(cause="overloaded", cool_down=20.0)  # type: ignore[union-attr]
    answer = complete(handler(budget=RetryBudget(share=0, burst=0, per_second=0)), plan(first, second))
    assert outcomes(answer) == [("second", "stop")]


def test_one_at_its_limit_is_passed_over_at_no_cost_to_the_budget() -> None:
    first = deployment("first", limiter=RateLimiter(RateLimits(concurrency=0)))
    answer = complete(handler(budget=RetryBudget(share=0, burst=0, per_second=0)), plan(first, deployment("second")))
    assert outcomes(answer) == [("second", "stop")]


def test_without_budget_nothing_is_tried_again_and_the_error_says_why() -> None:
    first, second = deployment("first", errors.ServerError("x")), deployment("second")
    with pytest.raises(errors.AllModelsFailedError, match="second: no more extra calls") as raised:
        complete(handler(budget=RetryBudget(share=0, burst=0, per_second=0)), plan(first, second))
    assert asked(first, second) == [1, 0]
    assert outcomes(raised.value) == [("first", "server")]


def test_calls_before_which_nothing_was_sent_take_nothing_from_the_budget() -> None:
    unsent = errors.ContextWindowError("x", phase=Phase.BEFORE_SENDING)
    first, second = deployment("first", unsent), deployment("second", window=9000)
    assert (
        complete(handler(budget=RetryBudget(share=0, burst=0, per_second=0)), plan(first, second)).text == "from second"
    )


def test_under_failure_of_all_the_calls_stay_within_the_budget() -> None:
    first, second = deployment("first", errors.ServerError("x")), deployment("second", errors.ServerError("x"))
    budget = RetryBudget(share=0.1, burst=10, per_second=0)
    handling = handler(budget=budget)
    for _ in range(200):
        with pytest.raises(errors.LanguageModelError):
            complete(handling, plan(first, second))
    assert sum(asked(first, second)) <= 200 * 1.1 + 10


def test_a_refusal_of_the_provider_is_waited_out_where_there_is_nobody_else() -> None:
    first = deployment("first", [errors.RateLimitError("slow down", retry_after=0.2), "well again"])
    before = time.monotonic()
    assert complete(handler(), plan(first)).text == "well again"
    assert time.monotonic() - before >= 0.19
    assert asked(first) == [2]


def test_a_long_refusal_leads_to_the_next_one_at_once_and_holds_later_calls_back_as_well() -> None:
    first, second = deployment("first", errors.RateLimitError("slow down", retry_after=60.0)), deployment("second")
    for _ in range(2):
        assert complete(handler(attempts=3), plan(first, second)).text == "from second"
    assert asked(first, second) == [1, 2]


def test_a_wait_that_is_longer_than_the_policy_allows_is_not_waited() -> None:
    first = deployment("first", errors.RateLimitError("slow down", retry_after=60.0))
    with pytest.raises(errors.RateLimitError) as raised:
        complete(handler(attempts=3), plan(first))
    assert raised.value.retry_after == 60.0
    assert asked(first) == [1]


def test_a_limit_that_is_free_again_soon_is_waited_for_where_nobody_else_is_left() -> None:
    first = deployment("first")
    first.limiter.refused(retry_after=0.2)
    assert complete(handler(), plan(first)).text == "from first"


def test_a_call_that_alone_is_over_a_limit_is_not_waited_for() -> None:
    first = deployment("first", limiter=RateLimiter(RateLimits(input_tokens_per_minute=10)))
    with pytest.raises(errors.NoModelFitsError) as raised:
        complete(handler(), plan(first, input_tokens=1_000_000))
    assert raised.value.retry_after is None
    assert math.isinf(first.limiter.acquire(input_tokens=1_000_000, output_tokens=1))  # type: ignore[arg-type]


def test_a_deadline_that_is_over_is_raised_before_anybody_is_asked() -> None:
    first = deployment("first")
    with pytest.raises(errors.DeadlineExceededError):
        complete(handler(), plan(first), replace(QUESTION, call=CallContext(deadline=time.monotonic() - 1)))
    assert asked(first) == [0]


def test_a_wait_that_would_end_behind_the_deadline_is_not_waited() -> None:
    first = deployment("first", errors.RateLimitError("x", retry_after=5.0))
    before = time.monotonic()
    with pytest.raises(errors.RateLimitError):
        complete(handler(), plan(first), replace(QUESTION, call=CallContext(deadline=before + 2)))
    assert time.monotonic() - before < 1.5


def test_a_deadline_of_the_models_own_leads_to_the_next_one_and_the_callers_does_not() -> None:
    first, second = deployment("first", errors.DeadlineExceededError("x")), deployment("second")
    assert complete(handler(deadline_seconds=60), plan(first, second)).text == "from second"
    with pytest.raises(errors.DeadlineExceededError):
        complete(handler(deadline_seconds=0.04), plan(first, second))
