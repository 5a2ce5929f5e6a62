"""What the dialect of Google reads of errors, wherever they stand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rag_engine.errors import IncompleteResponseError
from rag_engine.llm.providers.dialect import ReportedFault
from rag_engine.llm.providers.unframed_json import UnframedJson
from rag_engine.llm.transport import EventStream
from tests.unit.llm.providers.google_answers import DIALECT, WORDS, answer, read, stream

QUOTA = {
    "error": {
        "code": 429,
        "message": "You exceeded your current quota. limit: 50",
        "status": "RESOURCE_EXHAUSTED",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [
                    {"quotaMetric": "m", "quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"},
                    {"quotaId": "GenerateRequestsPerMinutePerProjectPerModel"},
                ],
            },
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RATE_LIMIT_EXCEEDED", "domain": "d"},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "46.5s"},
            {"@type": "type.googleapis.com/google.rpc.Help", "links": []},
        ],
    }
}


def assert_quota(fault: ReportedFault) -> None:
    assert (fault.type, fault.code, fault.status, fault.retry_delay) == ("RESOURCE_EXHAUSTED", "429", 429, 46.5)
    assert fault.reason == (
        "GenerateRequestsPerDayPerProjectPerModel-FreeTier,GenerateRequestsPerMinutePerProjectPerModel,"
        "RATE_LIMIT_EXCEEDED"
    )
    assert fault.message.endswith("limit: 50")


@pytest.mark.parametrize("body", [QUOTA, [QUOTA]])
def test_an_error_is_read_with_its_details(body: Any) -> None:
    assert_quota(DIALECT.fault(body))


@pytest.mark.parametrize("body", [QUOTA, [QUOTA]])
@pytest.mark.parametrize("indent", [None, 2])
def test_an_error_in_a_stream_is_raised_however_it_is_written(body: Any, indent: int | None) -> None:
    with pytest.raises(ReportedFault) as raised:
        stream(answer(WORDS, finish=None), json.dumps(body, indent=indent))
    assert_quota(raised.value)


def test_an_error_written_beside_the_events_is_raised_and_without_its_reader_leaves_no_answer() -> None:
    raw = f"data: {json.dumps(answer(WORDS, finish=None))}\n\n{json.dumps(QUOTA, indent=2)}\n".encode()
    with pytest.raises(ReportedFault) as raised:
        stream(*(event.data for event in UnframedJson(EventStream()).feed(raw)))
    assert_quota(raised.value)
    with pytest.raises(IncompleteResponseError):
        stream(*(event.data for event in EventStream().feed(raw)))


def test_an_error_in_place_of_a_whole_answer_is_raised() -> None:
    with pytest.raises(ReportedFault) as raised:
        read(QUOTA)
    assert_quota(raised.value)


@pytest.mark.parametrize("delay", ["-3s", "NaNs", "1e9s", "46", 46, None, {"seconds": 3}, "99999999999s", "٣s"])
def test_a_delay_that_is_none_is_not_kept(delay: Any) -> None:
    detail = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}
    assert DIALECT.fault({"error": {"details": [detail]}}).retry_delay is None


@pytest.mark.parametrize(
    "body",
    [
        None,
        5,
        "no",
        [],
        [[]],
        {},
        {"error": None},
        {"error": 3},
        {"error": {"code": True, "details": 3, "message": 1}},
        {"error": {"code": 7, "details": [3, {"@type": 3}, {"@type": "QuotaFailure", "violations": [3, {}]}]}},
    ],
)
def test_an_error_that_says_nothing_is_an_empty_fault(body: Any) -> None:
    fault = DIALECT.fault(body)
    assert (fault.type, fault.reason, fault.message, fault.retry_delay, fault.status) == ("", "", "", None, None)


def test_an_error_that_is_a_word_is_its_type() -> None:
    fault = DIALECT.fault({"error": "invalid_grant", "error_description": "Token expired."})
    assert (fault.type, fault.message) == ("invalid_grant", "Token expired.")
