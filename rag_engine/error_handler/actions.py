"""What to do about an error: try again, ask another model, abstain, or give up."""

from __future__ import annotations

import errno
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from rag_engine import errors


class Action(StrEnum):
    """What may still lead to an answer."""

    RETRY = "retry"
    """The same call, after a wait."""
    FAIL_OVER = "fail_over"
    """The same question to another model; this one would say the same again."""
    ABSTAIN = "abstain"
    """Nothing: there is to be no answer, and another model is not asked behind anyone's back."""
    ABORT = "abort"
    """Nothing: what was asked, or where it was asked, has to be mended first."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an error calls for.

    ``retry_after`` is the least wait in seconds that the provider asks for. ``cool_down`` is seconds for which calls of
    the same model, or with the same key, will most likely fail as well; 0 where this call says nothing about others.
    ``final`` says not to ask this model again even where there is no other.
    ``billable`` says that the call may have cost something although it failed. ``user_visible`` says that somebody
    should hear of it even when another model has answered: it does not go away by itself.
    """

    action: Action
    retry_after: float | None = None
    cool_down: float = 0.0
    billable: bool = False
    user_visible: bool = False
    final: bool = False


_RETRY: Final = Verdict(Action.RETRY)
_RETRY_PAID: Final = Verdict(Action.RETRY, billable=True)
_FAIL_OVER: Final = Verdict(Action.FAIL_OVER)
_FAIL_OVER_PAID: Final = Verdict(Action.FAIL_OVER, billable=True)
_ABORT: Final = Verdict(Action.ABORT, user_visible=True)
_ABSTAIN: Final = Verdict(Action.ABSTAIN, user_visible=True)
_SILENT: Final = Verdict(Action.ABORT)

# An account without money or with a refused key stays so until somebody acts: one question in ten minutes or an hour
# finds out whether somebody has.
_LOCKED_OUT: Final = Verdict(Action.FAIL_OVER, cool_down=600.0, user_visible=True)
_USED_UP: Final = Verdict(Action.FAIL_OVER, cool_down=3600.0, user_visible=True)
_MISPLACED: Final = Verdict(Action.FAIL_OVER, cool_down=300.0, user_visible=True)

_BY_CLASS: Final[dict[type[BaseException], Verdict]] = {
    errors.RagEngineError: _ABORT,
    errors.UsageError: _ABORT,
    errors.IngestionError: _ABORT,
    errors.UnreadableSourceError: _RETRY,
    errors.EmbeddingError: _ABORT,
    errors.RerankingError: _ABORT,
    errors.StorageError: _ABORT,
    errors.IndexLockedError: _RETRY,
    errors.OutOfMemoryError: _ABORT,
    errors.EvaluationError: _ABORT,
    errors.GenerationError: _ABSTAIN,
    errors.CitationError: _ABSTAIN,
    errors.LanguageModelError: _FAIL_OVER,
    errors.AuthenticationError: _LOCKED_OUT,
    errors.RateLimitError: _RETRY,
    errors.RampLimitError: Verdict(Action.RETRY, cool_down=30.0),
    errors.ConcurrencyLimitError: Verdict(Action.RETRY, cool_down=1.0),
    errors.QuotaError: _USED_UP,
    errors.BudgetExceededError: _ABORT,
    errors.ModelTimeoutError: _RETRY_PAID,
    errors.ConnectTimeoutError: _RETRY,
    # Whoever waits for the same model again pays for the same prompt again, and waits as long: another one is faster.
    errors.FirstByteTimeoutError: _FAIL_OVER_PAID,
    errors.StalledStreamError: _FAIL_OVER_PAID,
    errors.SlowStreamError: _FAIL_OVER_PAID,
    errors.DeadlineExceededError: Verdict(Action.ABORT, billable=True),
    errors.ModelConnectionError: _RETRY,
    errors.ConnectionLostError: _RETRY_PAID,
    errors.TlsError: _MISPLACED,
    errors.ProxyError: _MISPLACED,
    errors.RedirectError: _MISPLACED,
    errors.InvalidRequestError: _ABORT,
    errors.ContextWindowError: _FAIL_OVER,
    errors.UnknownModelError: _LOCKED_OUT,
    errors.UnsupportedParameterError: Verdict(Action.FAIL_OVER, user_visible=True),
    errors.RequestTooLargeError: _FAIL_OVER,
    errors.ContentPolicyError: _ABSTAIN,
    errors.OutputFilteredError: Verdict(Action.ABSTAIN, billable=True, user_visible=True),
    errors.ProviderFailureError: _RETRY,
    errors.OverloadedError: Verdict(Action.FAIL_OVER, cool_down=15.0),
    errors.BadResponseError: _FAIL_OVER_PAID,
    errors.IncompleteResponseError: _RETRY_PAID,
    errors.ResponseTooLargeError: _FAIL_OVER_PAID,
    # What is not ours.
    ConnectionError: _RETRY,
    TimeoutError: _RETRY,
    OSError: _ABORT,
    MemoryError: _ABORT,
    Exception: _ABORT,
    # Cancellation, Control-C and the interpreter's end: nobody is told, nothing is tried.
    BaseException: _SILENT,
}

# A network that is away for a moment; every other OSError says the same again.
_PASSING: Final = frozenset(
    {errno.EAGAIN, errno.EINTR, errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENOBUFS}
)


def verdict_of(kind: type[BaseException]) -> Verdict:
    """What errors of this class call for, where nothing more is known: what the nearest class above does that says."""
    for above in kind.__mro__:
        found = _BY_CLASS.get(above)
        if found is not None:
            return found
    return _SILENT


def verdict_for(error: BaseException) -> Verdict:
    """What this error calls for.

    The provider's words go before the class (``error_for`` has put them into the error's ``verdict``), and so does the
    wait that it asks for, which also is the least time for which the model is better left alone. What is no
    ``Exception``, such as a cancellation, is never to be held up: ABORT, and nobody is told.
    """
    if isinstance(error, errors.LanguageModelError):
        verdict = error.verdict or verdict_of(type(error))
        if error.retry_after is not None:
            return replace(verdict, retry_after=error.retry_after, cool_down=max(verdict.cool_down, error.retry_after))
        return verdict
    if isinstance(error, OSError) and (error.errno in _PASSING or _is_of_name_resolution(error)):
        return _RETRY
    return verdict_of(type(error))


def _is_of_name_resolution(error: OSError) -> bool:
    import socket

    return isinstance(error, socket.gaierror)
