"""One run of a retry: who owns it, what is decided after each failure, and what the errors are told."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rag_engine.error_handler.actions import Action, Verdict, verdict_for
from rag_engine.error_handler.retry_policy import Failure, RetryPolicy
from rag_engine.errors import LanguageModelError

if TYPE_CHECKING:
    from tenacity import RetryCallState

    from rag_engine.types.generation import Attempt


class _Owner:
    """Whoever retries now. What is called within runs once: three tries of three tries are nine."""

    __slots__ = ("active",)

    def __init__(self) -> None:
        self.active = True


_owner: contextvars.ContextVar[_Owner | None] = contextvars.ContextVar("rag_engine_retry_owner", default=None)


class owning:  # noqa: N801 - used as a function is
    """Whatever is called within, this context is who retries. For one use."""

    __slots__ = ("_mark", "_mine")

    def __enter__(self) -> None:
        self._mine = _Owner()
        self._mark = _owner.set(self._mine)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # A task that was started within may outlive this one, and holds a copy of the mark.
        self._mine.active = False
        with suppress(ValueError):  # a coroutine that is thrown away ends in whatever context is at hand
            _owner.reset(self._mark)


def retry_is_owned() -> bool:
    """Whether a retry further out is responsible for what runs now."""
    owner = _owner.get()
    return owner is not None and owner.active


@dataclass(slots=True)
class RetryCourse:
    """One run: decides after each failure whether there is a next call, and when."""

    policy: RetryPolicy
    until: float | None
    alone: bool
    clock: Callable[[], float]
    draw: Callable[[], float]
    on_failure: Callable[[Failure], None] | None
    started: float = 0.0
    wait: float = 0.0
    attempts: tuple[Attempt, ...] = ()

    def begin(self, _: RetryCallState) -> None:
        """A call starts."""
        self.started = self.clock()

    def goes_on(self, state: RetryCallState) -> bool:
        """Whether there is a next call after this one; ``wait`` then holds the seconds until it."""
        error = state.outcome.exception() if state.outcome else None
        if not isinstance(error, Exception):
            return False  # an answer; or a cancellation, which nothing holds up
        now = self.clock()
        verdict = verdict_for(error)
        again = verdict.action is Action.RETRY or (self.alone and may_pass(error, verdict))
        self.wait = max(self.policy.wait(state.attempt_number, self.draw()), verdict.retry_after or 0.0)
        again = again and state.attempt_number < self.policy.attempts
        again = again and (self.until is None or now + self.wait < self.until)
        self._tell(error, state.attempt_number, now - self.started)
        if self.on_failure is not None:
            self.on_failure(
                Failure(error, state.attempt_number, now - self.started, verdict, self.wait if again else None)
            )
        return again

    def _tell(self, error: Exception, number: int, seconds: float) -> None:
        """Every call until now is written on the error, as any may be the one that is raised."""
        if isinstance(error, LanguageModelError):
            from rag_engine.types.generation import Attempt

            own = Attempt(error.model, error.code, seconds, error.provider, request_id=error.request_id)
            told = error.attempts
            if self.attempts and told[: len(self.attempts)] == self.attempts:
                told = told[len(self.attempts) :]  # the very error that was raised before
            self.attempts += told or (own,)
            error.attempts = self.attempts
        elif number > 1:
            error.add_note(f"this was attempt {number} of {self.policy.attempts}")

    def options(self, sleep: Callable[[float], Any]) -> dict[str, Any]:
        """What tenacity is told. When to stop is in ``goes_on``: it then raises what was raised last, as it was."""
        return {
            "sleep": sleep,
            "retry": self.goes_on,
            "wait": lambda _: self.wait,
            "before": self.begin,
            "reraise": True,
        }


def may_pass(error: Exception, verdict: Verdict) -> bool:
    """Whether what calls for another model may pass here too, at no cost, where there is no other to fail over to."""
    may_pass = bool(getattr(error, "retryable", False))
    return verdict.action is Action.FAIL_OVER and may_pass and not (verdict.billable or verdict.final)
