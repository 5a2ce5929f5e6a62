from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies

from rag_engine.llm.providers.reported_usage import MOST, NO_NUMBERS, count_of, reported_usage, sum_of
from rag_engine.types.generation import Usage, UsageSource

COUNTS = strategies.none() | strategies.integers(0, MOST)


@pytest.mark.parametrize(("value", "count"), [(0, 0), (7, 7), (7.0, 7), (MOST, MOST), (float(MOST), MOST)])
def test_a_whole_number_is_a_count(value: object, count: int) -> None:
    assert count_of(value, floats=True) == count


@pytest.mark.parametrize(
    "value", [-1, -1.0, 1.5, math.nan, math.inf, True, "7", [7], {}, MOST + 1, 10**30, 10**400, 1e300]
)
def test_what_is_no_whole_number_from_zero_to_the_most_is_no_count(value: object) -> None:
    for floats in (True, False):
        assert count_of(value, floats=floats) is None
        assert count_of(value, absent=0, floats=floats) is None


def test_a_number_with_a_point_is_a_count_only_where_the_provider_writes_them_so() -> None:
    assert count_of(7.0) is None
    assert count_of(7.0, floats=True) == 7


def test_a_count_that_is_not_told_may_be_zero() -> None:
    assert count_of(None) is None
    assert count_of(None, absent=0) == 0


def test_a_sum_with_what_is_no_count_is_none() -> None:
    assert sum_of(1, 2, 3) == 6
    assert sum_of(1, None, 3) is None


@given(COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)
def test_all_numbers_are_believed_or_none(
    read: int | None, written: int | None, cache_read: int | None, cache_write: int | None, thought: int | None
) -> None:
    usage = reported_usage(read, written, cache_read=cache_read, cache_write=cache_write, thought=thought)
    if usage.source is UsageSource.ESTIMATED:
        assert usage == NO_NUMBERS
    else:
        assert usage == Usage(read or 0, written or 0, None, cache_read or 0, cache_write or 0, thought or 0)
        assert None not in (read, written, cache_read, cache_write, thought)
    assert 0 <= usage.cache_read_tokens + usage.cache_write_tokens <= usage.input_tokens
    assert 0 <= usage.reasoning_tokens <= usage.output_tokens


def test_a_part_that_exceeds_its_whole_is_believed_as_little_as_the_whole() -> None:
    assert reported_usage(5, 2, cache_read=5, thought=2) == Usage(5, 2, cache_read_tokens=5, reasoning_tokens=2)
    for parts in ({"cache_read": 6}, {"cache_read": 3, "cache_write": 3}, {"thought": 3}):
        assert reported_usage(5, 2, **parts) == NO_NUMBERS
