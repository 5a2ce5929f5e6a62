"""Reports of errors, in the forms in which servers of OpenAI's interface give them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.llm.providers.dialect import ReportedFault
from rag_engine.llm.providers.openai_faults import MESSAGE_CHARACTERS, openai_fault

FORMS: dict[str, tuple[object, ReportedFault]] = {
    "OpenAI": (
        {"error": {"message": "Bad key", "type": "invalid_request_error", "param": None, "code": "invalid_api_key"}},
        ReportedFault(type="invalid_request_error", code="invalid_api_key", message="Bad key"),
    ),
    "OpenAI, without a code": (
        {"error": {"message": "Oops", "type": "server_error", "param": None, "code": None}},
        ReportedFault(type="server_error", message="Oops"),
    ),
    "Azure's filter": (
        {
            "error": {
                "code": "content_filter",
                "message": "Filtered",
                "type": None,
                "param": "prompt",
                "status": 400,
                "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {}},
            }
        },
        ReportedFault(code="content_filter", reason="ResponsibleAIPolicyViolation", message="Filtered", status=400),
    ),
    "Azure's door": (
        {"error": {"code": "401", "message": "Access denied"}},
        ReportedFault(code="401", message="Access denied", status=401),
    ),
    "Azure's gateway": (
        {"statusCode": 429, "message": "Rate limit is exceeded. Try again in 1 seconds."},
        ReportedFault(message="Rate limit is exceeded. Try again in 1 seconds.", status=429, retry_delay=1.0),
    ),
    "Mistral": (
        {"object": "error", "message": "Too many", "type": "rate_limited", "param": None, "code": "1300"},
        ReportedFault(type="rate_limited", code="1300", message="Too many"),
    ),
    "Mistral's validation": (
        {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs", "input": "secret"}]},
        ReportedFault(type="extra_forbidden", message="body.seed: Extra inputs"),
    ),
    "Mistral's validation within a message": (
        {
            "object": "error",
            "message": {"detail": [{"type": "missing", "loc": ["body", "model"], "msg": "Field required"}]},
            "type": "invalid_request_error",
            "code": None,
            "raw_status_code": 422,
        },
        ReportedFault(type="invalid_request_error", message="body.model: Field required", status=422),
    ),
    "Mistral's door": ({"message": "Unauthorized", "request_id": "7"}, ReportedFault(message="Unauthorized")),
    "FastAPI": ({"detail": "Not Found"}, ReportedFault(message="Not Found")),
    "llama.cpp": (
        {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}},
        ReportedFault(type="unavailable_error", code="503", message="Loading model", status=503),
    ),
    "llama.cpp's window": (
        {
            "error": {
                "code": 400,
                "message": "too long",
                "type": "exceed_context_size_error",
                "n_prompt_tokens": 9,
                "n_ctx": 8,
            }
        },
        ReportedFault(type="exceed_context_size_error", code="400", message="too long", status=400),
    ),
    "vLLM": (
        {"error": {"message": "long", "type": "BadRequestError", "param": "input_tokens", "code": 400}},
        ReportedFault(type="BadRequestError", code="400", message="long", status=400),
    ),
    "older vLLM": (
        {"object": "error", "message": "long", "type": "BadRequestError", "param": None, "code": 400},
        ReportedFault(type="BadRequestError", code="400", message="long", status=400),
    ),
    "a text for an error": ({"error": "Unauthorized"}, ReportedFault(message="Unauthorized")),
    "a list": (
        [{"error": {"message": "In a list", "code": 500}}],
        ReportedFault(message="In a list", code="500", status=500),
    ),
    "a text": ("upstream failed", ReportedFault(message="upstream failed")),
    "nothing": (None, ReportedFault()),
    "an empty list": ([], ReportedFault()),
    "a number": (7, ReportedFault()),
    "an empty object": ({}, ReportedFault()),
    "an error that is none": ({"error": None}, ReportedFault()),
}


def fields(fault: ReportedFault) -> tuple[object, ...]:
    return fault.type, fault.code, fault.reason, fault.message, fault.retry_delay, fault.status


@pytest.mark.parametrize("form", FORMS)
def test_a_report_is_read_in_every_form(form: str) -> None:
    body, expected = FORMS[form]
    assert fields(openai_fault(body)) == fields(expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Rate limit reached. Please try again in 6m0s.", 360.0),
        ("Please try again in 17ms. Visit the page", 0.017),
        ("Please try again in 1.5s", 1.5),
        ("Please try again in 1h2m3s.", 3723.0),
        ("Please retry after 26 seconds.", 26.0),
        ("Try again in 1 second.", 1.0),
        ("Please try again in a while", None),
        ("Please try again in 5 minutes", None),
        (f"try again in {'9' * 400}s", None),
    ],
)
def test_a_time_to_wait_is_read_from_the_message(message: str, seconds: float | None) -> None:
    delay = openai_fault({"error": {"message": message}}).retry_delay
    assert delay == (pytest.approx(seconds) if seconds is not None else None)


def test_a_long_message_is_cut_for_it_repeats_what_was_sent() -> None:
    assert len(openai_fault({"error": {"message": "x" * 10_000}}).message) == MESSAGE_CHARACTERS


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "message", "detail", "code", "type", "status", "innererror", "loc", "msg"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(json_values)
def test_anything_is_read_without_an_exception_and_into_texts(body: object) -> None:
    fault = openai_fault(body)  # type: ignore[arg-type]
    assert all(isinstance(text, str) for text in (fault.type, fault.code, fault.reason, fault.message))
    assert fault.status is None or 400 <= fault.status < 600
