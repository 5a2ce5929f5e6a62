"""Every error has a verdict, and it fits what the error says of itself."""

from __future__ import annotations

import asyncio
import errno
import inspect
import socket

import pytest

from rag_engine import errors
from rag_engine.error_handler import Action, Verdict, verdict_for, verdict_of

CLASSES = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.RagEngineError) and kind.__module__ == errors.__name__
]
MODELS = [kind for kind in CLASSES if issubclass(kind, errors.LanguageModelError)]

EXPECTED = {
    "language_model": "fail_over",
    **dict.fromkeys(
        ["authentication", "missing_key", "malformed_key", "invalid_key", "permission_denied"], "fail_over"
    ),
    **dict.fromkeys(["rate_limit", "ramp_limit", "concurrency_limit"], "retry"),
    **dict.fromkeys(["quota", "credit_exhausted", "period_quota"], "fail_over"),
    "budget_exceeded": "abort",
    **dict.fromkeys(["model_timeout", "connect_timeout"], "retry"),
    **dict.fromkeys(["first_byte_timeout", "stalled_stream", "slow_stream"], "fail_over"),
    "deadline_exceeded": "abort",
    **dict.fromkeys(["model_connection", "name_resolution", "connection_refused", "connection_lost"], "retry"),
    **dict.fromkeys(["tls", "proxy", "redirect"], "fail_over"),
    "invalid_request": "abort",
    **dict.fromkeys(["context_window", "unknown_model", "unsupported_parameter", "request_too_large"], "fail_over"),
    **dict.fromkeys(["content_policy", "prompt_blocked", "output_filtered"], "abstain"),
    **dict.fromkeys(["provider_failure", "server", "incomplete_response"], "retry"),
    **dict.fromkeys(["routing", "no_model_fits", "all_models_failed"], "fail_over"),
    **dict.fromkeys(["overloaded", "bad_response", "response_too_large"], "fail_over"),
}


@pytest.mark.parametrize("kind", MODELS)
def test_every_error_of_a_language_model_calls_for_one_thing(kind: type[errors.LanguageModelError]) -> None:
    assert verdict_for(kind("x")).action == EXPECTED[kind.code]


def test_the_list_above_is_whole() -> None:
    assert set(EXPECTED) == {kind.code for kind in MODELS}


@pytest.mark.parametrize("kind", CLASSES)
def test_what_is_tried_again_says_of_itself_that_it_may_be(kind: type[errors.RagEngineError]) -> None:
    verdict = verdict_for(kind("x"))
    assert verdict == verdict_of(kind)
    if verdict.action is Action.RETRY:
        assert kind.retryable


def test_nothing_that_a_user_has_to_mend_goes_by_unseen() -> None:
    for kind in CLASSES:
        if issubclass(kind, (errors.AuthenticationError, errors.QuotaError, errors.ContentPolicyError)):
            assert verdict_of(kind).user_visible, kind


def test_nothing_that_was_never_sent_is_billable() -> None:
    for kind in (errors.MissingKeyError, errors.BudgetExceededError, errors.NameResolutionError, errors.TlsError):
        assert not verdict_of(kind).billable


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (ConnectionResetError(), Action.RETRY),
        (BrokenPipeError(), Action.RETRY),
        (TimeoutError(), Action.RETRY),
        (OSError(errno.ENETUNREACH, "away"), Action.RETRY),
        (socket.gaierror(socket.EAI_AGAIN, "later"), Action.RETRY),
        (OSError(errno.ENOSPC, "full"), Action.ABORT),
        (PermissionError(), Action.ABORT),
        (MemoryError(), Action.ABORT),
        (ValueError(), Action.ABORT),
        (errors.IndexLockedError("held"), Action.RETRY),
        (errors.CitationError("moved"), Action.ABSTAIN),
        (errors.ConfigurationError("bad"), Action.ABORT),
    ],
)
def test_other_errors_have_a_verdict_too(error: BaseException, action: Action) -> None:
    assert verdict_for(error).action is action


@pytest.mark.parametrize("kind", [asyncio.CancelledError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_no_exception_is_never_held_up_and_nobody_is_told(kind: type[BaseException]) -> None:
    assert verdict_for(kind()) == Verdict(Action.ABORT)


def test_the_providers_words_go_before_the_class() -> None:
    verdict = Verdict(Action.FAIL_OVER, cool_down=3.0)
    assert verdict_for(errors.ServerError("x", verdict=verdict)) == verdict


def test_a_wait_that_was_asked_for_is_also_the_least_time_to_leave_the_model_alone() -> None:
    verdict = verdict_for(errors.RateLimitError("x", retry_after=7.0))
    assert (verdict.retry_after, verdict.cool_down) == (7.0, 7.0)
    assert verdict_for(errors.OverloadedError("x", retry_after=1.0)).cool_down > 1.0
