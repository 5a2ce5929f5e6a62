"""Who is called next in a walk: now, or after a wait for a retry, a limit, or whoever finds out that one is well."""

from __future__ import annotations

import asyncio
import math
import time

from rag_engine.llm.failover_handler.plan import FailoverPolicy
from rag_engine.llm.failover_handler.retry_budget import RetryBudget
from rag_engine.llm.failover_handler.standing import Leave, Standing, Standings

# A limit that is free so soon after a retry was due is that of the clock's last digit: no reason to go elsewhere.
_MOMENT = 0.1
# Where a wait ends at once, and nobody can be called all the same, so many seconds pass before the next look.
_PAUSE = 0.02


class NextLeave:
    """Gives leave for one call after the other, within a deadline and a budget for all but the first."""

    __slots__ = ("_budget", "_deadline", "_longest_wait", "_standings", "_token", "alone", "pinned", "sent", "why")

    def __init__(
        self,
        standings: Standings,
        *,
        policy: FailoverPolicy,
        budget: RetryBudget,
        deadline: float,
    ) -> None:
        self._standings = standings
        self._budget = budget
        self._deadline = deadline
        self._longest_wait = policy.longest_wait
        self._token = False
        self.pinned: Standing | None = None  # to be called again, after its wait, before anybody else
        self.alone = True  # nobody further out decides when to try again: waits are waited here
        self.sent = False  # whether a call was made already, so that each further one is an extra one
        self.why = ""

    async def leave(self) -> Leave | None:
        """To call somebody; None where nobody may be called in time, ``why`` then says so."""
        since = time.monotonic()
        until = min(self._deadline, since + self._longest_wait) if self.alone else since
        while True:
            if self.sent and not self._token and not await self._takes_token():
                return None
            leave = await self._pinned() or self._standings.leave(time.monotonic())
            if leave is not None or not await self._waited(until):
                return leave

    def taken(self) -> bool:
        """Whether the leave was given against the budget, which whoever calls tells how that ended."""
        token, self._token = self._token, False
        return token

    def give_back(self) -> None:
        """Nobody is called any more."""
        if self.taken():
            self._budget.ended(answered=False)

    async def _takes_token(self) -> bool:
        if self.pinned is None and not self._standings.somebody():
            return True  # nothing to take one for; what can be waited for is seen behind
        self._token = await self._budget.withdraw(deadline=self._deadline)
        if not self._token:
            self.why = "no more extra calls are made for now, so that an outage is not made worse"
        return self._token

    async def _pinned(self) -> Leave | None:
        pinned, self.pinned = self.pinned, None
        if pinned is None or pinned.ready_at >= self._deadline:
            return None
        await asyncio.sleep(max(0.0, pinned.ready_at - time.monotonic()))
        leave = self._standings.leave_of(pinned, time.monotonic())
        if leave is None and pinned.free_at - time.monotonic() <= _MOMENT:
            await asyncio.sleep(max(0.0, pinned.free_at - time.monotonic()))
            leave = self._standings.leave_of(pinned, time.monotonic())
        return leave

    async def _waited(self, until: float) -> bool:
        """Whether it is worth another look, after a wait."""
        now = time.monotonic()
        moment = self._standings.next_moment()
        probed = self._standings.probed() if now < until else None
        if probed is not None:
            await probed.probe_ended(deadline=min(until, moment))
        elif moment <= until:
            await asyncio.sleep(moment - now)
        else:
            self.why = "" if math.isinf(moment) else "its wait is longer than the call may take"
            return False
        if time.monotonic() - now < _PAUSE / 2:
            await asyncio.sleep(_PAUSE)
        return True
