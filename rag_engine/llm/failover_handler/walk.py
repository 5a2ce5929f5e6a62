"""The walk along a plan for one prompt: who is asked, how often, what becomes of each error, and when it is enough."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncGenerator
from dataclasses import replace

from rag_engine.error_handler import Phase, retry_is_owned
from rag_engine.errors import (
    DeadlineExceededError,
    RagEngineError,
)
from rag_engine.llm.failover_handler.causes import with_attempts
from rag_engine.llm.failover_handler.failures import Failures
from rag_engine.llm.failover_handler.hedging import HedgeShare, SecondCall
from rag_engine.llm.failover_handler.next_leave import NextLeave
from rag_engine.llm.failover_handler.plan import FailoverPolicy, MidStream, Plan
from rag_engine.llm.failover_handler.retry_budget import RetryBudget
from rag_engine.llm.failover_handler.running_call import OvertakenError, RunningCall
from rag_engine.llm.failover_handler.settlement import Settlement
from rag_engine.llm.failover_handler.standing import Leave, Standings
from rag_engine.types.generation import (
    Attempt,
    CallContext,
    Completion,
    CompletionDone,
    CompletionEvent,
    Prompt,
    StreamRestarted,
)
from rag_engine.types.models import Ability


class Walk:
    """One prompt's. Used once, by ``events``."""

    def __init__(
        self, prompt: Prompt, plan: Plan, *, policy: FailoverPolicy, budget: RetryBudget, hedges: HedgeShare, live: bool
    ) -> None:
        """``live`` says that the events are wanted as they come; otherwise only the last one is given."""
        call = prompt.call
        self._prompt = prompt
        self._plan = plan
        self._policy = policy
        self._budget = budget
        self._hedges = hedges
        self._live = live
        self._deadline = time.monotonic() + policy.deadline_seconds if call.deadline is None else call.deadline
        self._id = call.id or os.urandom(16).hex()
        self._standings = Standings(plan)
        self._next = NextLeave(self._standings, policy=policy, budget=budget, deadline=self._deadline)
        self._failures = Failures(plan, self._standings, self._next, policy=policy, deadline=self._deadline)
        self._calls: list[RunningCall] = []
        self._second: SecondCall | None = None

    async def events(self) -> AsyncGenerator[CompletionEvent, None]:
        """The events of whoever answers. Raises as FailoverHandler.stream."""
        reading: RunningCall | SecondCall | None = None
        mode = self._policy.mid_stream
        shown = False
        code = ""
        self._budget.called()
        self._hedges.called()
        self._next.alone = not retry_is_owned()
        try:
            while True:
                reading = await self._begun()
                event = reading.event
                held: list[CompletionEvent] = []
                if shown:
                    yield StreamRestarted(_call_of(reading).standing.deployment.model.name, code)
                    shown = False
                while event is not None and not isinstance(event, CompletionDone):
                    if self._live and mode is not MidStream.BUFFER:
                        shown = True
                        yield event
                    elif self._live and isinstance(event, StreamRestarted):
                        held.clear()
                    elif self._live:
                        held.append(event)
                    try:
                        event = await reading.next()
                    except Exception as error:
                        event = None
                        code = error.code if isinstance(error, RagEngineError) else type(error).__name__
                        self._fail(_call_of(reading), error)
                        if shown and mode is MidStream.RAISE:
                            raise
                if event is None:
                    await self._closed(reading)
                    continue
                _call_of(reading).answered(event)
                await self._closed(reading)
                reading = None
                for piece in held:
                    yield piece
                yield CompletionDone(self._told(event.completion))
                return
        except Exception as error:
            await self._closed(reading)  # what was still under way is among the attempts
            with_attempts(error, self._attempts())
            raise
        finally:
            if reading is not None or self._second is not None:
                await self._closed(reading)
            self._next.give_back()
            self._standings.clear()

    async def _begun(self) -> RunningCall | SecondCall:
        """Whoever has a first event, after as many failures as it takes."""
        while True:
            if self._failures.final is not None:
                raise self._failures.final
            call = await self._asked()
            second = None
            try:
                await call.begin(
                    streamed=self._is_streamed(call), hedge_after=self._hedge_after(call), second=self._open_second
                )
            except OvertakenError:
                self._next.sent = True
                call.cancelled(slow=True)
                await call.close()
                second = self._second
            except Exception as error:  # noqa: BLE001 - the error table knows what to do about each
                await self._failed_at_first(call, error)
                second = self._second
            except BaseException:
                await call.close()
                raise
            else:
                if self._second is not None:
                    await self._close_second()
                return call
            if second is not None and await second.began():
                return second
            await self._close_second()

    async def _failed_at_first(self, call: RunningCall, error: Exception) -> None:
        try:
            self._fail(call, error, pinned=self._second is None)
        finally:
            await call.close()

    async def _asked(self) -> RunningCall:
        now = time.monotonic()
        if now >= self._deadline and not self._calls:
            raise DeadlineExceededError("the call's time was over before anybody was asked", phase=Phase.BEFORE_SENDING)
        leave = await self._next.leave() if now < self._deadline else None
        if leave is None:
            raise self._failures.nobody(self._attempts())
        return self._start(leave, extra=self._next.taken())

    def _start(self, leave: Leave, *, extra: bool) -> RunningCall:
        number = self._prompt.call.attempt + sum([len(call.settlement.attempts) or 1 for call in self._calls])
        leave.standing.tries += 1
        call = RunningCall(
            leave.standing,
            Settlement(leave, plan=self._plan, policy=self._policy, extra=self._budget if extra else None),
            replace(self._prompt, call=CallContext(self._id, number, self._deadline)),
            deadline=self._deadline,
            first_token_seconds=self._policy.first_token_of(leave.standing.deployment),
            others=self._others,
        )
        self._calls.append(call)
        return call

    def _fail(self, call: RunningCall, error: Exception, *, pinned: bool = True) -> None:
        """Notes a failure. Raises it where it is final."""
        self._failures.note(call, error, pinned=pinned)
        if self._failures.final is not None:
            raise self._failures.final from None

    # The second call

    def _hedge_after(self, call: RunningCall) -> float | None:
        """Seconds after which a second call is made beside this one; None for never."""
        if not self._policy.hedge_quantile or not self._hedges.available:
            return None
        return call.standing.deployment.load.quantile(self._policy.hedge_quantile)

    def _open_second(self, first: RunningCall) -> None:
        if self._second is None and self._hedges.available and self._somebody_beside(first):
            self._second = SecondCall(
                lambda: self._second_call(first),
                streamed=self._is_streamed,
                on_begun=first.overtake,
                on_failure=lambda call, error: self._failures.note(call, error, pinned=False),
            )

    def _somebody_beside(self, first: RunningCall) -> bool:
        deployment = first.standing.deployment
        return self._standings.somebody_fresh(first.standing) or (
            deployment.breaker.available
            and deployment.limiter.available
            and not self._standings.somebody(besides=first.standing)
        )

    async def _second_call(self, first: RunningCall) -> RunningCall | None:
        if not self._hedges.take() or not await self._budget.withdraw(deadline=time.monotonic()):
            return None
        now = time.monotonic()
        leave = self._standings.leave(now, besides=first.standing)
        if leave is None and not self._standings.somebody(besides=first.standing):
            leave = self._standings.leave_of(first.standing, now)
        if leave is None:
            self._budget.ended(answered=False)
            return None
        return self._start(leave, extra=True)

    async def _close_second(self) -> None:
        second, self._second = self._second, None
        if second is not None:
            await second.close()

    # Small things

    def _is_streamed(self, call: RunningCall) -> bool:
        """A whole answer is read as a stream too: only so it is seen in time that none comes, or that it is cut."""
        profile = call.standing.deployment.profile
        return self._live or (self._policy.complete_by_stream and Ability.STREAMING in profile.abilities)

    def _others(self, call: RunningCall) -> bool:
        """Whether an answer may still come from elsewhere."""
        running = any(one is not call and not one.settlement.ended for one in self._calls)
        return running or self._standings.somebody(besides=call.standing)

    def _attempts(self) -> tuple[Attempt, ...]:
        """All until now, in the order in which they began."""
        return tuple([attempt for call in self._calls for attempt in call.settlement.attempts])

    def _told(self, completion: Completion) -> Completion:
        return replace(completion, attempts=self._attempts())

    async def _closed(self, reading: RunningCall | SecondCall | None) -> None:
        """Leaves nothing open, whatever is cancelled meanwhile."""
        try:
            if reading is not None:
                await reading.close()
        finally:
            await self._close_second()


def _call_of(reading: RunningCall | SecondCall) -> RunningCall:
    return reading if isinstance(reading, RunningCall) else reading.call
