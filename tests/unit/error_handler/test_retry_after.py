"""Seconds to wait, from whatever form a provider says them in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_engine.error_handler.retry_after import delay_in_words, retry_after, should_retry

NOW = datetime(2026, 11, 24, 10, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "1e9"}, 1e9),
        ({"retry-after": "86400"}, 86400.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"x-ms-retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after-ms": "-5", "retry-after": "9"}, 9.0),
        ({"retry-after": "Tue, 24 Nov 2026 10:01:00 GMT"}, 60.0),
        ({"retry-after": "Tuesday, 24-Nov-26 10:01:00 GMT"}, 60.0),
        ({"retry-after": "Tue Nov 24 10:01:00 2026"}, 60.0),
        ({"retry-after": "2026-11-24T10:00:30Z"}, 30.0),
        ({"retry-after": "Tue, 24 Nov 2026 09:00:00 GMT"}, 0.0),
    ],
)
def test_a_wait_is_read_in_every_form(headers: dict[str, str], seconds: float) -> None:
    assert retry_after(headers, now=NOW) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "said", ["-1", "NaN", "inf", "-inf", "Infinity", "soon", "", "1_000", "٣", "0x10", "1 2", "--"]
)
def test_what_is_negative_no_number_or_infinite_counts_as_not_said(said: str) -> None:
    assert retry_after({"retry-after": said}, now=NOW) is None
    assert retry_after({"retry-after-ms": said}, now=NOW) is None


def test_a_wait_without_measure_is_kept_as_a_number() -> None:
    assert retry_after({"retry-after": "1e999"}, now=NOW) > 1e300  # type: ignore[operator]
    assert retry_after({"retry-after": "9" * 400}, now=NOW) > 1e300  # type: ignore[operator]


def test_a_date_is_seen_from_the_servers_own_clock_where_it_tells_it() -> None:
    ours_is_a_day_late = datetime(2026, 11, 25, 10, 0, 0, tzinfo=UTC)
    headers = {"retry-after": "Tue, 24 Nov 2026 10:00:30 GMT", "date": "Tue, 24 Nov 2026 10:00:00 GMT"}
    assert retry_after(headers, now=ours_is_a_day_late) == 30.0


def test_the_bodys_delay_counts_where_no_header_says_one() -> None:
    assert retry_after({}, now=NOW, body_delay=46.4) == 46.4
    assert retry_after({"retry-after": "3"}, now=NOW, body_delay=46.4) == 3.0
    assert retry_after({}, now=NOW, body_delay=float("nan")) is None
    assert retry_after({}, now=NOW, body_delay=-1.0) is None


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [("1s", 1.0), ("6m0s", 360.0), ("17ms", 0.017), ("1h2m3.5s", 3723.5), ("2026-11-24T10:00:40Z", 40.0), ("12", 12.0)],
)
def test_a_limit_of_which_nothing_remains_says_when_it_is_filled_again(reset: str, seconds: float) -> None:
    openai = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": reset}
    anthropic = {"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": reset}
    assert retry_after(openai, now=NOW) == pytest.approx(seconds)
    assert retry_after(anthropic, now=NOW) == pytest.approx(seconds)


def test_the_reset_of_a_limit_of_which_something_remains_says_nothing() -> None:
    headers = {"x-ratelimit-remaining-tokens": "12", "x-ratelimit-reset-tokens": "6m0s"}
    assert retry_after(headers, now=NOW) is None


def test_of_several_spent_limits_the_last_to_be_filled_counts() -> None:
    headers = {
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "6m0s",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "17ms",
    }
    assert retry_after(headers, now=NOW) == 360.0


def test_a_reset_as_a_moment_since_1970_is_seen_from_now() -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW.timestamp()) + 25)}
    assert retry_after(headers, now=NOW) == pytest.approx(25.0)


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Please retry after 20 seconds.", 20.0),
        ("Please retry in 45.578569677s.", 45.578569677),
        ("Please try again in 6m0s. Visit", 360.0),
        ("try again in 17ms", 0.017),
        ("try again later", None),
        ("retry in 3 moons", None),
    ],
)
def test_a_wait_that_stands_only_in_words_is_found(message: str, seconds: float | None) -> None:
    assert delay_in_words(message) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(("said", "opinion"), [("true", True), (" False ", False), ("perhaps", None), ("", None)])
def test_the_providers_own_opinion_is_read(said: str, opinion: bool | None) -> None:
    assert should_retry({"x-should-retry": said}) is opinion


NAMES = ["retry-after", "retry-after-ms", "x-ms-retry-after-ms", "date", "x-ratelimit-remaining", "x-ratelimit-reset"]
VALUES = (
    st.text(max_size=40)
    | st.from_regex(r"[-+]?[0-9]{0,9}\.?[0-9]{0,5}([eE][-+]?[0-9]{1,4})?", fullmatch=True)
    | st.from_regex(r"([0-9]{1,9}(h|m|s|ms|us|ns)){1,3}", fullmatch=True)
    | st.sampled_from(["9" * 400, "9" * 400 + "h", "9" * 400 + "h" + "9" * 400 + "s"])
    | st.datetimes().map(str)
    | st.from_regex(r"[0-9]{1,4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[-+][0-9]{2}:[0-9]{2}", fullmatch=True)
    | st.from_regex(r"(Mon|Tue), [0-9]{1,3} (Jan|Dec) [0-9]{1,6} [0-9]{2}:[0-9]{2}:[0-9]{2} ([-+][0-9]{4}|GMT|)")
)


# The tables of characters that hypothesis makes for its first text take seconds on a busy machine.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(headers=st.dictionaries(st.sampled_from(NAMES), VALUES), body=st.none() | st.floats())
def test_any_headers_give_a_wait_from_zero_to_the_largest_number_or_none(
    headers: dict[str, str], body: float | None
) -> None:
    wait = retry_after(headers, now=NOW, body_delay=body)
    assert wait is None or 0.0 <= wait < float("inf")
    naive = retry_after(headers, now=NOW.replace(tzinfo=None), body_delay=body)
    assert naive == wait


@given(message=st.text() | st.from_regex(r"retry in [0-9]{1,9}(\.[0-9]+)?[a-z0-9.]{0,20}"))
def test_any_words_give_a_wait_or_none(message: str) -> None:
    wait = delay_in_words(message)
    assert wait is None or 0.0 <= wait < float("inf")
