"""A policy can be kept, and is."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.error_handler import RetryPolicy
from rag_engine.errors import (
    ConfigurationError,
    RateLimitError,
)
from tests.unit.error_handler.scripted_calls import Clock, Scripted, run


@pytest.mark.parametrize(
    "numbers",
    [
        {"attempts": 0},
        {"first_wait": -1.0},
        {"longest_wait": float("inf")},
        {"first_wait": float("nan")},
        {"jitter": 1.5},
    ],
)
def test_a_policy_that_cannot_be_kept_is_refused(numbers: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="cannot be kept"):
        RetryPolicy(**numbers)


@given(
    attempt=st.integers(1, 10**6),
    draw=st.floats(0, 1, exclude_max=True),
    first=st.floats(0, 1e6),
    longest=st.floats(0, 1e6),
    jitter=st.floats(0, 1),
)
def test_a_wait_lies_between_its_fixed_share_and_its_bound(
    attempt: int, draw: float, first: float, longest: float, jitter: float
) -> None:
    policy = RetryPolicy(first_wait=first, longest_wait=longest, jitter=jitter)
    bound = min(longest, first * 2.0 ** min(attempt - 1, 60))
    assert bound * (1 - jitter) * (1 - 1e-9) <= policy.wait(attempt, draw) <= bound * (1 + 1e-9)


@given(
    waits=st.lists(st.none() | st.floats(0, 1e9), max_size=8),
    attempts=st.integers(1, 6),
    seconds=st.none() | st.floats(0, 1e6),
)
def test_a_retry_never_sleeps_past_its_deadline_and_never_calls_more_than_it_may(
    waits: list[float | None], attempts: int, seconds: float | None
) -> None:
    clock, scripted = Clock(), Scripted(*(RateLimitError("x", retry_after=wait) for wait in waits))
    with contextlib.suppress(RateLimitError):
        run(scripted, sync=True, clock=clock, policy=RetryPolicy(attempts=attempts), seconds=seconds)
    assert scripted.calls <= attempts
    assert seconds is None or clock.now <= 1000.0 + seconds
