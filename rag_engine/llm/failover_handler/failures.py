"""What becomes of the errors in a walk: who is asked again, who is not, and which of them ends it."""

from __future__ import annotations

import random
import time
from dataclasses import replace

from rag_engine.error_handler import Action, Verdict, verdict_for
from rag_engine.error_handler.retry_course import may_pass
from rag_engine.errors import (
    BudgetExceededError,
    ContentPolicyError,
    ContextWindowError,
    DeadlineExceededError,
)
from rag_engine.llm.failover_handler.causes import total_failure, with_attempts
from rag_engine.llm.failover_handler.next_leave import NextLeave
from rag_engine.llm.failover_handler.plan import FailoverPolicy, Plan
from rag_engine.llm.failover_handler.running_call import RunningCall
from rag_engine.llm.failover_handler.settlement import is_unsent
from rag_engine.llm.failover_handler.standing import Standing, Standings
from rag_engine.types.generation import Attempt

# A deadline that a model says is over this long before the walk's own is one of its own.
_AT_THE_DEADLINE = 0.05


class Failures:
    """Those of one walk. ``final`` is the one that ends it, whoever else could be asked."""

    __slots__ = ("_deadline", "_next", "_plan", "_policy", "_refusal", "_standings", "final")

    def __init__(
        self, plan: Plan, standings: Standings, following: NextLeave, *, policy: FailoverPolicy, deadline: float
    ) -> None:
        self._plan = plan
        self._standings = standings
        self._next = following
        self._policy = policy
        self._deadline = deadline
        self._refusal: Exception | None = None
        self.final: Exception | None = None

    def note(self, call: RunningCall, error: Exception, *, pinned: bool) -> None:
        """Tells the call of its end, and decides what follows. With ``pinned`` the same deployment may be called again
        before any other."""
        standing, now = call.standing, time.monotonic()
        verdict = verdict_for(error)
        if verdict.cool_down and getattr(error, "retryable", False) and not self._standings.somebody(besides=standing):
            # Left alone it would leave everybody without an answer: the last one is asked as long as it mostly answers.
            verdict = replace(verdict, cool_down=verdict.retry_after or 0.0)
        call.failed(error, verdict)
        self._next.sent = self._next.sent or not is_unsent(error)
        standing.error = error
        standing.again = False
        if isinstance(error, ContextWindowError):
            self._standings.only_larger(standing.deployment.profile)
        elif isinstance(error, BudgetExceededError):
            self._standings.only_cheaper(standing.deployment)
        elif isinstance(error, ContentPolicyError) and self._plan.for_refused:
            if self._refusal is None:
                self._refusal = error
                self._standings.only(self._plan.for_refused)
        elif isinstance(error, DeadlineExceededError) and now < self._deadline - _AT_THE_DEADLINE:
            pass  # a deadline of its own: others have time left
        elif verdict.action in (Action.RETRY, Action.FAIL_OVER):
            self._plan_retry(standing, error, verdict, now, pinned=pinned)
        else:
            self.final = error

    def nobody(self, attempts: tuple[Attempt, ...]) -> Exception:
        """What is raised where nobody is left to be asked."""
        if self._refusal is not None:
            return with_attempts(self._refusal, attempts)  # no route further out is to go around it either
        errors = [one.error for one in self._standings.known if one.error is not None]
        if errors and all(isinstance(error, BudgetExceededError) for error in errors):
            return with_attempts(errors[0], attempts)
        return total_failure(self._plan, self._standings, attempts=attempts, now=time.monotonic(), why=self._next.why)

    def _plan_retry(self, standing: Standing, error: Exception, verdict: Verdict, now: float, *, pinned: bool) -> None:
        """Whether the one that failed is asked again: at once, later, or not at all."""
        retry = self._policy.retry
        passes = verdict.action is Action.RETRY or may_pass(error, verdict)
        if not (self._next.alone and passes and standing.tries < retry.attempts):
            return
        asked_to_wait = verdict.retry_after or 0.0
        standing.again = asked_to_wait <= max(self._policy.longest_wait, retry.longest_wait)
        standing.ready_at = now + max(retry.wait(standing.tries, random.random()), asked_to_wait)  # noqa: S311
        standing.free_at = 0.0
        standing.asked_to_wait = asked_to_wait > 0
        if pinned and standing.again and verdict.action is Action.RETRY:
            elsewhere = asked_to_wait > retry.longest_wait and self._standings.somebody_fresh(standing)
            self._next.pinned = None if elsewhere else standing
