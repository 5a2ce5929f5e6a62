"""One call of one deployment while it runs: its events, and how long they may take."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

from rag_engine.error_handler import Phase, Verdict
from rag_engine.error_handler.retry_course import owning
from rag_engine.errors import DeadlineExceededError, FirstByteTimeoutError, IncompleteResponseError
from rag_engine.llm.failover_handler.alarm import Alarm, Reason
from rag_engine.llm.failover_handler.settlement import Settlement
from rag_engine.llm.failover_handler.standing import Standing
from rag_engine.protocols import LanguageModel
from rag_engine.types.generation import CompletionDone, CompletionEvent, Prompt

# Models keep the deadline themselves, and say better what was under way when it came; one that does not is cut so many
# seconds behind it.
_GRACE = 0.02
# So often it is looked whether somebody else has become fit, once a first token is overdue.
_LOOK_AGAIN = 1.0


class OvertakenError(Exception):
    """Another call has begun to answer first."""


class RunningCall:
    """Read in one task: ``begin`` and then ``next`` until CompletionDone. ``close`` leaves nothing open."""

    __slots__ = (
        "_alarm", "_begun", "_deadline", "_events", "_first_due", "_first_token_at", "_given", "_hedge_at", "_loop",
        "_others", "_prompt", "_second", "_started", "_timer", "_waited", "event", "settlement", "standing",
    )  # fmt: skip

    def __init__(
        self,
        standing: Standing,
        settlement: Settlement,
        prompt: Prompt,
        *,
        deadline: float,
        first_token_seconds: float,
        others: Callable[[RunningCall], bool],
    ) -> None:
        """``others`` says whether somebody else could be asked in its place."""
        self.standing = standing
        self.settlement = settlement
        self.event: CompletionEvent | None = None
        self._prompt = prompt
        self._deadline = deadline
        self._others = others
        self._alarm = Alarm()
        self._begun = False
        self._first_due = first_token_seconds
        self._first_token_at: float | None = None
        self._hedge_at = math.inf
        self._second: Callable[[RunningCall], None] | None = None
        self._started = time.monotonic()
        self._given = deadline - self._started
        self._waited = 0.0
        self._events: Any = None
        self._timer: asyncio.TimerHandle | None = None

    async def begin(
        self, *, streamed: bool, hedge_after: float | None = None, second: Callable[[RunningCall], None] | None = None
    ) -> None:
        """Asks; returns when the first event is there, in ``event``. ``second`` is called once where that takes longer
        than ``hedge_after`` seconds.

        Raises:
            OvertakenError: ``overtake`` was called.
            Exception: what the model raised; FirstByteTimeoutError, DeadlineExceededError.
        """
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        # Nothing is seen of a whole answer before all of it is there.
        self._first_due = now + self._first_due if streamed else math.inf
        if hedge_after is not None:
            self._hedge_at, self._second = now + hedge_after, second
        self._deadline += now - self._started + _GRACE
        self._set_timer(now)
        model = self.standing.deployment.model
        with owning():
            self._events = model.stream(self._prompt) if streamed else _whole(model, self._prompt)
            self.event = await self.next()
        self._begun = True
        self._waited = time.monotonic() - self._started
        if streamed:
            self._first_token_at = self._waited

    async def next(self) -> CompletionEvent:
        """The next event.

        Raises:
            As ``begin``, and IncompleteResponseError where the stream ends without CompletionDone.
        """
        alarm = self._alarm
        if alarm.reason is not None:
            raise self._cut()
        since = time.monotonic()
        alarm.begin(self._loop)
        try:
            event: CompletionEvent = await anext(self._events)
        except BaseException as error:
            self._waited += time.monotonic() - since
            if alarm.end():
                raise self._cut() from None
            if isinstance(error, StopAsyncIteration):
                raise self._without_end() from None
            raise
        alarm.end()
        self._waited += time.monotonic() - since
        return event

    def overtake(self) -> None:
        """Another call is faster: ``begin`` ends."""
        if not self._begun:
            self._alarm.ring(Reason.OVERTAKEN)

    def answered(self, done: CompletionDone) -> None:
        """All of it is there."""
        self.settlement.answered(done.completion, seconds=self._waited, first_token_seconds=self._first_token_at)

    def failed(self, error: Exception, verdict: Verdict) -> None:
        """It ended with this error."""
        self.settlement.failed(
            error,
            verdict,
            seconds=self._waited,
            given=self._given,
            first_token_seconds=self._first_token_at,
        )

    def cancelled(self, *, slow: bool = False) -> None:
        """Nobody waits for it any more."""
        self.settlement.cancelled(seconds=time.monotonic() - self._started, slow=slow)

    async def close(self) -> None:
        """Leaves no timer and no stream open. One that has not ended counts as cancelled."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self.settlement.ended:
            self.cancelled()
        close = getattr(self._events, "aclose", None)  # generators have it, other iterators need not
        if close is not None:
            with suppress(Exception):  # what goes wrong behind an answer or an error changes neither
                await close()

    # Time

    def _set_timer(self, now: float) -> None:
        moment = self._deadline if self._begun else min(self._deadline, self._first_due, self._hedge_at)
        self._timer = self._loop.call_at(max(moment, now), self._tick)

    def _tick(self) -> None:
        now = self._loop.time()
        if now >= self._deadline:
            self._alarm.ring(Reason.DEADLINE)
            return
        if not self._begun:
            if now >= self._hedge_at and self._second is not None:
                self._hedge_at = math.inf
                self._second(self)
            if now >= self._first_due:
                if self._others(self):
                    self._alarm.ring(Reason.SILENCE)
                self._first_due = now + _LOOK_AGAIN
        self._set_timer(now)

    # What went wrong

    def _cut(self) -> Exception:
        reason = self._alarm.reason
        if reason is Reason.OVERTAKEN:
            return OvertakenError()
        name, profile = self.standing.deployment.name, self.standing.deployment.profile
        seconds = time.monotonic() - self._started
        if reason is Reason.SILENCE:
            return FirstByteTimeoutError(
                f"{name} wrote nothing in {seconds:.1f} s, and another model can be asked",
                provider=profile.provider,
                model=profile.name,
                phase=Phase.STREAM,
                hint="raise the route's first_token_seconds, or its patient_seconds for models that reason",
            )
        return DeadlineExceededError(
            f"{name} had not answered when the call's time was over, after {seconds:.1f} s",
            provider=profile.provider,
            model=profile.name,
            phase=Phase.STREAM,
        )

    def _without_end(self) -> IncompleteResponseError:
        profile = self.standing.deployment.profile
        return IncompleteResponseError(
            f"the stream of {self.standing.deployment.name} ended without its last event",
            provider=profile.provider,
            model=profile.name,
            phase=Phase.STREAM,
        )


async def _whole(model: LanguageModel, prompt: Prompt) -> AsyncIterator[CompletionEvent]:
    yield CompletionDone(await model.complete(prompt))
