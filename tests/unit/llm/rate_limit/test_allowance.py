"""Headers of limits, as each provider writes them and as none should."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.llm.rate_limit.allowance import _NAMES, allowance_after, allowance_of
from rag_engine.types.generation import Allowance

NOW = datetime(2026, 11, 24, 3, 40, 0, tzinfo=UTC).timestamp()


def anthropic(kind: str, remaining: str, reset: str) -> dict[str, str]:
    return {f"anthropic-ratelimit-{kind}-remaining": remaining, f"anthropic-ratelimit-{kind}-reset": reset}


@pytest.mark.parametrize(
    ("headers", "allowance"),
    [
        pytest.param(
            {
                "x-ratelimit-limit-requests": "5000",
                "x-ratelimit-remaining-requests": "4999",
                "x-ratelimit-reset-requests": "12ms",
                "x-ratelimit-limit-tokens": "150000",
                "x-ratelimit-remaining-tokens": "149984",
                "x-ratelimit-reset-tokens": "6m0s",
            },
            Allowance(4999, 0.012, 149984, 360.0, 149984, 360.0),
            id="openai",
        ),
        pytest.param(
            {
                "x-ratelimit-remaining-tokens": "900",
                "x-ratelimit-reset-tokens": "1s",
                "x-ratelimit-remaining-project-tokens": "500",
                "x-ratelimit-reset-project-tokens": "2s",
            },
            Allowance(None, None, 500, 2.0, 500, 2.0),
            id="openai-project",
        ),
        pytest.param(
            {"x-ratelimit-remaining-requests": "9", "x-ratelimit-remaining-tokens": "9985"},
            Allowance(9, None, 9985, None, 9985, None),
            id="azure",
        ),
        pytest.param(
            anthropic("requests", "49", "2026-11-24T03:40:01Z")
            | anthropic("input-tokens", "27000", "2026-11-24T03:40:06Z")
            | anthropic("output-tokens", "8000", "2026-11-24T04:40:02+01:00")
            | anthropic("tokens", "35000", "2026-11-24T03:40:06Z"),
            Allowance(49, 1.0, 27000, 6.0, 8000, 2.0),
            id="anthropic",
        ),
        pytest.param(
            anthropic("requests", "49", "2026-11-24T03:40:01Z") | {"date": "Tue, 24 Nov 2026 03:39:00 GMT"},
            Allowance(49, 61.0),
            id="anthropic-seen-from-its-own-clock",
        ),
        pytest.param(
            {"x-ratelimit-remaining-req-minute": "59", "x-ratelimit-remaining-tokens-minute": "47196"},
            Allowance(59, 60.0, 47196, 60.0, 47196, 60.0),
            id="mistral",
        ),
        pytest.param(
            {"ratelimitbysize-remaining": "499900", "ratelimitbysize-reset": "28"},
            Allowance(None, None, 499900, 28.0, 499900, 28.0),
            id="mistral-before",
        ),
        pytest.param({"x-trial-endpoint-call-remaining": "19"}, Allowance(19, 60.0), id="cohere"),
        pytest.param({"ratelimit-remaining": "3", "ratelimit-reset": "17"}, Allowance(3, 17.0), id="draft-3"),
        pytest.param({"ratelimit": "limit=100, remaining=50, reset=5"}, Allowance(50, 5.0), id="draft-7"),
        pytest.param({"ratelimit": '"day";r=900;t=7200, "minute";r=50;t=30'}, Allowance(50, 30.0), id="draft-8"),
        pytest.param({"ratelimit": '"default"; r=0'}, Allowance(0), id="draft-8-without-time"),
        pytest.param(
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW) + 42)}, Allowance(0, 42.0), id="gateway"
        ),
        pytest.param(
            {"x-ratelimit-remaining": "5", "x-ratelimit-reset": "1741305600000"}, Allowance(5), id="milliseconds"
        ),
    ],
)
def test_what_a_provider_says_is_read(headers: dict[str, str], allowance: Allowance) -> None:
    assert allowance_of({"content-type": "application/json", **headers}, now=NOW) == allowance


@pytest.mark.parametrize("left", ["", "many", "-1", "NaN", "inf", "1e9", "10, 20", "9" * 5000, "٣"])
def test_what_is_no_number_says_nothing(left: str) -> None:
    assert allowance_of({"x-ratelimit-remaining-requests": left, "ratelimit": left}, now=NOW) is None


@pytest.mark.parametrize("reset", ["", "soon", "-5", "NaN", "9" * 400, "6m0", "2026-13-45T00:00:00Z"])
def test_a_reset_that_is_none_leaves_what_is_left(reset: str) -> None:
    headers = {"x-ratelimit-remaining-requests": "7", "x-ratelimit-reset-requests": reset}
    assert allowance_of(headers, now=NOW) == Allowance(7)


def test_headers_without_limits_say_nothing() -> None:
    assert allowance_of({"content-type": "application/json", "x-request-id": "1"}, now=NOW) is None
    assert allowance_of({}, now=NOW) is None


@given(st.dictionaries(st.sampled_from(sorted(_NAMES)) | st.text(max_size=10), st.text(max_size=40)))
def test_no_header_makes_it_fail(headers: dict[str, str]) -> None:
    allowance = allowance_of(headers, now=NOW)
    if allowance is not None:
        assert all(value is None or value >= 0 for value in (allowance.requests, allowance.requests_reset))


def test_later_the_reset_is_nearer_and_what_was_reset_is_not_known() -> None:
    said = Allowance(5, 10.0, 100, 2.0, 50, None)
    assert allowance_after(said, 4.0) == Allowance(5, 6.0, None, None, 50, None)
    assert allowance_after(Allowance(5, 10.0), 10.0) is None
