"""Errors are counted where they happen, lately and since the start, in bounded memory, from any thread."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from rag_engine.error_handler import ErrorAggregator, HealthState, HealthThresholds, default_aggregator
from rag_engine.error_handler.aggregator import CODES_KEPT, COMPONENTS_KEPT, OTHERS
from rag_engine.errors import InvalidFilterError, PromptBlockedError, RateLimitError, ServerError

NOW = datetime(2026, 11, 24, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = 5000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def aggregator(clock: Clock) -> ErrorAggregator:
    return ErrorAggregator(window=60.0, kept=5, clock=clock, now=lambda: NOW)


def test_errors_are_counted_by_component_and_code(aggregator: ErrorAggregator) -> None:
    for error in (ServerError("a"), ServerError("b"), ValueError("secret text of a document")):
        aggregator.record(error, component="llm")
    aggregator.record(RateLimitError("c"), component="embedding")
    assert aggregator.counts() == {"llm": {"server": 2, "ValueError": 1}, "embedding": {"rate_limit": 1}}
    assert aggregator.calls() == {"llm": 3, "embedding": 1}


def test_the_last_errors_are_kept_newest_first_and_others_forgotten(aggregator: ErrorAggregator) -> None:
    for number in range(8):
        component = "even" if number % 2 == 0 else "odd"
        aggregator.record(ServerError(str(number), request_id=f"r{number}", provider="p"), component=component)
    assert [noted.message for noted in aggregator.last_errors()] == ["7", "6", "5", "4", "3"]
    (first, _, last) = aggregator.last_errors("odd")
    assert (first.request_id, first.at, first.provider, last.message) == ("r7", NOW, "p", "3")


def test_the_message_of_an_error_that_is_not_ours_is_not_kept(aggregator: ErrorAggregator) -> None:
    noted = aggregator.record(ValueError("text of a document"), component="x")
    assert (noted.code, noted.message) == ("ValueError", "")


def test_rates_are_of_the_window_only(aggregator: ErrorAggregator, clock: Clock) -> None:
    for _ in range(6):
        aggregator.record(ServerError("x"), component="llm")
    for _ in range(6):
        aggregator.record_success("llm")
    rates = aggregator.rates("llm")
    assert (rates.calls, rates.errors, rates.errors_per_minute, rates.share) == (12, 6, 6.0, 0.5)
    clock.now += 30.0
    aggregator.record_success("llm")
    clock.now += 31.0
    assert (aggregator.rates("llm").calls, aggregator.rates("llm").errors) == (1, 0)
    clock.now += 10_000.0
    assert aggregator.rates("llm").calls == 0
    assert aggregator.calls()["llm"] == 13


@pytest.mark.parametrize(
    ("failed", "succeeded", "state"),
    [
        (0, 10, "healthy"),
        (1, 19, "healthy"),
        (2, 18, "degraded"),
        (5, 5, "failing"),
        (3, 0, "healthy"),
        (5, 0, "failing"),
    ],
)
def test_health_follows_from_the_share_of_failures(
    aggregator: ErrorAggregator, failed: int, succeeded: int, state: str
) -> None:
    for _ in range(failed):
        aggregator.record(ServerError("x"), component="llm")
    for _ in range(succeeded):
        aggregator.record_success("llm")
    assert aggregator.health("llm").state == state


def test_failures_in_a_row_make_a_component_fail_however_many_successes_lie_before(
    aggregator: ErrorAggregator, clock: Clock
) -> None:
    for _ in range(1000):
        aggregator.record_success("llm")
    for _ in range(5):
        aggregator.record(ServerError("x"), component="llm")
    assert aggregator.health("llm").state is HealthState.FAILING
    aggregator.record_success("llm")
    assert aggregator.health("llm").state is HealthState.HEALTHY


def test_a_row_of_failures_is_forgotten_with_the_window(aggregator: ErrorAggregator, clock: Clock) -> None:
    for _ in range(9):
        aggregator.record(ServerError("x"), component="llm")
    clock.now += 61.0
    health = aggregator.health("llm")
    assert (health.state, health.failures_in_a_row) == (HealthState.HEALTHY, 9)
    assert health.last_error is not None


def test_what_the_caller_did_wrong_is_counted_and_held_against_nobody(aggregator: ErrorAggregator) -> None:
    for _ in range(10):
        aggregator.record(InvalidFilterError("x"), component="retrieval")
        aggregator.record(PromptBlockedError("x"), component="retrieval")
    health = aggregator.health("retrieval")
    assert (health.state, health.rates.errors, health.rates.failures) == (HealthState.HEALTHY, 20, 0)


def test_thresholds_can_be_set() -> None:
    strict = ErrorAggregator(thresholds=HealthThresholds(degraded_share=0.01, least_calls=1, failing_share=0.02))
    strict.record(ServerError("x"), component="llm")
    for _ in range(60):
        strict.record_success("llm")
    assert strict.health("llm").state is HealthState.DEGRADED


def test_a_component_that_was_never_called_is_healthy_and_takes_no_room(aggregator: ErrorAggregator) -> None:
    assert aggregator.health("nobody").state is HealthState.HEALTHY
    assert aggregator.healths() == ()


def test_the_health_of_all_comes_by_name_and_a_reset_forgets(aggregator: ErrorAggregator) -> None:
    for name in "bca":
        aggregator.record_success(name)
    assert [health.component for health in aggregator.healths()] == ["a", "b", "c"]
    aggregator.reset()
    assert (aggregator.healths(), aggregator.last_errors()) == ((), ())


def test_names_without_number_take_no_memory_without_bound(aggregator: ErrorAggregator) -> None:
    for number in range(3 * COMPONENTS_KEPT):
        aggregator.record(ServerError("x"), component=f"component-{number}")
    for number in range(3 * CODES_KEPT):
        aggregator.record(type(f"Error{number}", (Exception,), {})(), component="component-0")
    counts = aggregator.counts()
    assert len(counts) <= COMPONENTS_KEPT + 1
    assert counts[OTHERS] == {"server": 2 * COMPONENTS_KEPT}
    assert len(counts["component-0"]) <= CODES_KEPT + 1
    assert sum(counts["component-0"].values()) == 3 * CODES_KEPT + 1


def test_a_window_of_millions_of_calls_keeps_sixty_steps(aggregator: ErrorAggregator, clock: Clock) -> None:
    for _ in range(2000):
        clock.now += 0.7
        aggregator.record_success("llm")
    assert len(aggregator._components["llm"].steps) <= 60
    assert aggregator.rates("llm").calls == pytest.approx(60 / 0.7, abs=2)


def test_no_count_is_lost_between_threads() -> None:
    aggregator, barrier = ErrorAggregator(), threading.Barrier(8)

    def work(number: int) -> None:
        barrier.wait()
        for turn in range(500):
            aggregator.record(ServerError("x"), component=f"component-{turn % 3}")
            aggregator.record_success("shared")
            if turn % 50 == 0:
                aggregator.healths()
                aggregator.last_errors()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(sum(codes.values()) for codes in aggregator.counts().values()) == 4000
    assert aggregator.calls()["shared"] == 4000
    assert aggregator.rates("shared").calls == 4000


def test_the_process_has_one_of_its_own() -> None:
    assert default_aggregator() is default_aggregator()
