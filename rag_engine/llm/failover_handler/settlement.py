"""What the end of a call tells its deployment's breaker, limits and load, and by which attempts it is remembered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rag_engine.error_handler import Phase, Verdict
from rag_engine.errors import (
    BudgetExceededError,
    ContentPolicyError,
    DeadlineExceededError,
    InvalidRequestError,
    LanguageModelError,
    NoModelFitsError,
    RagEngineError,
    RateLimitError,
    UnknownModelError,
)
from rag_engine.llm.failover_handler.plan import FailoverPolicy, Plan
from rag_engine.llm.failover_handler.retry_budget import RetryBudget
from rag_engine.llm.failover_handler.standing import Leave
from rag_engine.types.generation import Attempt, Completion

CANCELLED = "cancelled"
_ROUTE = "route/"


class Settlement:
    """Of one call; ended by exactly one of ``answered``, ``failed`` and ``cancelled``, a second end is not heard."""

    __slots__ = ("_extra", "_leave", "_plan", "_policy", "attempts", "ended")

    def __init__(self, leave: Leave, *, plan: Plan, policy: FailoverPolicy, extra: RetryBudget | None) -> None:
        """``extra`` is the budget that the call was taken from, None of a prompt's first call."""
        self._leave = leave
        self._plan = plan
        self._policy = policy
        self._extra = extra
        self.attempts: tuple[Attempt, ...] = ()
        self.ended = False
        leave.standing.deployment.load.began()

    def answered(self, completion: Completion, *, seconds: float, first_token_seconds: float | None) -> None:
        """The whole answer is there."""
        if self._ends(answered=True):
            usage = completion.usage
            deployment = self._leave.standing.deployment
            self._leave.permit.succeeded()
            self._leave.rate_permit.settled(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens)
            deployment.load.ended(
                seconds=seconds, first_token_seconds=first_token_seconds, output_tokens=usage.output_tokens
            )
            self._remember(
                completion.attempts,
                lambda: Attempt(
                    completion.model,
                    completion.finish_reason.value,
                    seconds,
                    deployment.profile.provider,
                    usage=usage,
                    request_id=completion.request_id,
                    first_token_seconds=first_token_seconds,
                    deployment=deployment.name,
                ),
            )

    def failed(
        self, error: Exception, verdict: Verdict, *, seconds: float, given: float, first_token_seconds: float | None
    ) -> None:
        """It ended with an error, after ``seconds`` of the ``given`` ones."""
        if self._ends(answered=False):
            self._tell_breaker(error, verdict, given)
            self._tell_limits(error, verdict)
            load = self._leave.standing.deployment.load
            if _is_the_callers(error):
                load.forgotten()
            else:
                load.ended(seconds=seconds, first_token_seconds=first_token_seconds, failed=True)
            deployment = self._leave.standing.deployment
            self._remember(
                getattr(error, "attempts", ()),
                lambda: Attempt(
                    getattr(error, "model", "") or deployment.model.name,
                    error.code if isinstance(error, RagEngineError) else type(error).__name__,
                    seconds,
                    getattr(error, "provider", "") or deployment.profile.provider,
                    request_id=getattr(error, "request_id", ""),
                    first_token_seconds=first_token_seconds,
                    deployment=deployment.name,
                ),
            )

    def cancelled(self, *, seconds: float, slow: bool) -> None:
        """Nobody waits for it any more; with ``slow`` because it did not begin in the time that it mostly needs."""
        if self._ends(answered=False):
            deployment = self._leave.standing.deployment
            self._leave.permit.released()
            self._leave.rate_permit.settled(input_tokens=self._plan.input_tokens, output_tokens=0)
            if slow:
                deployment.load.ended(seconds=seconds)
            else:
                deployment.load.forgotten()
            own = Attempt(
                deployment.model.name, CANCELLED, seconds, deployment.profile.provider, deployment=deployment.name
            )
            self._remember((), lambda: own)

    def _ends(self, *, answered: bool) -> bool:
        if self.ended:
            return False
        self.ended = True
        if self._extra is not None:
            self._extra.ended(answered=answered)
        return True

    def _tell_breaker(self, error: Exception, verdict: Verdict, given: float) -> None:
        permit = self._leave.permit
        if is_a_refusal(error):
            if is_unsent(error):
                permit.released()
            else:
                permit.succeeded()  # it works: others may ask otherwise
        elif _is_the_callers(error) or self._was_given_too_little(error, given):
            permit.released()
        else:
            cool_down = verdict.cool_down
            if isinstance(error, RateLimitError) and cool_down <= self._policy.longest_wait:
                cool_down = 0.0  # the limiter holds calls back for so long, and lets them wait
            cause = error.code if isinstance(error, RagEngineError) else type(error).__name__
            permit.failed(cause=cause, cool_down=cool_down)

    def _tell_limits(self, error: Exception, verdict: Verdict) -> None:
        if is_unsent(error):
            self._leave.rate_permit.released()
        elif verdict.billable:
            self._leave.rate_permit.settled(
                input_tokens=self._plan.input_tokens, output_tokens=self._plan.output_tokens
            )
        else:
            self._leave.rate_permit.settled(input_tokens=0, output_tokens=0)
        if isinstance(error, RateLimitError):
            seconds = max(verdict.retry_after or 0.0, verdict.cool_down)
            if seconds:
                self._leave.standing.deployment.limiter.refused(retry_after=seconds)

    def _was_given_too_little(self, error: Exception, given: float) -> bool:
        if not isinstance(error, DeadlineExceededError):
            return False
        deployment = self._leave.standing.deployment
        usual = deployment.load.seconds(self._plan.output_tokens)
        return given < (self._policy.first_token_of(deployment) if usual is None else usual)

    def _remember(self, told: tuple[Attempt, ...], own: Callable[[], Attempt]) -> None:
        """The attempts that the model tells of; of one that tells none, what was seen of it from here."""
        deployment = self._leave.standing.deployment
        if told and not deployment.model.name.startswith(_ROUTE):
            # An error that is raised a second time still tells of the first: those are named already.
            told = tuple([attempt for attempt in told if not attempt.deployment])
        attempts = told or (own(),)
        self.attempts = tuple(
            [attempt if attempt.deployment else replace(attempt, deployment=deployment.name) for attempt in attempts]
        )
        for attempt in told:
            if attempt.allowance is not None and attempt.deployment in ("", deployment.name):
                deployment.limiter.heard(attempt.allowance)


def is_a_refusal(error: Exception) -> bool:
    """Whether it is what was asked that does not do, and not who was asked."""
    return isinstance(error, (ContentPolicyError, InvalidRequestError)) and not isinstance(error, UnknownModelError)


def is_unsent(error: Exception) -> bool:
    """Whether it was raised before anything was sent."""
    return isinstance(error, (BudgetExceededError, NoModelFitsError)) or (
        isinstance(error, LanguageModelError) and error.phase == Phase.BEFORE_SENDING
    )


def _is_the_callers(error: Exception) -> bool:
    """Whether it says nothing about the deployment: what was asked was at fault, or who answers is a program of one's
    own and has a fault of its own."""
    if isinstance(error, LanguageModelError):
        return isinstance(error, (BudgetExceededError, NoModelFitsError)) or is_a_refusal(error)
    return not isinstance(error, OSError)
