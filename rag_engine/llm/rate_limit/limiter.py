"""Limits on requests, tokens and calls at a time, kept before a call is made rather than learnt from a refusal."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import islice

from rag_engine.error_handler.forks import across_forks
from rag_engine.llm.rate_limit.limits import RateLimits
from rag_engine.llm.rate_limit.token_bucket import LEAST_WAIT, MINUTE, TokenBucket
from rag_engine.llm.rate_limit.told_limit import SECONDS_UNTOLD, ToldLimit
from rag_engine.types.generation import Allowance

# What a call takes of each limit: 1 request, tokens read, tokens written.
_Amounts = tuple[float, float, float]
# How long calls last, before one has ended; the longest wait that is named where as many as may be are under way.
_FIRST_GUESS, _LONGEST_TURN = 0.5, 1.0
# So many calls are looked at for the moment at which enough of the last minute has passed.
_LOOKED_AT = 64


class RatePermit:
    """Leave for one call. Ended exactly once; a second end is not heard."""

    __slots__ = ("amounts", "limiter", "of_late", "taken")

    def __init__(self, limiter: RateLimiter | None, taken: float, amounts: _Amounts) -> None:
        self.limiter = limiter  # none once it has ended
        self.taken = taken
        self.amounts = amounts
        self.of_late = True  # among the calls of the last minute

    def settled(self, *, input_tokens: int, output_tokens: int) -> None:
        """The call used so many tokens: what was set aside beyond them is free again."""
        if self.limiter is not None:
            took = (1, input_tokens if input_tokens > 0 else 0, output_tokens if output_tokens > 0 else 0)
            self.limiter.end(self, took)

    def released(self) -> None:
        """Nothing was sent."""
        if self.limiter is not None:
            self.limiter.end(self, (0, 0, 0))


_UNLIMITED = RatePermit(None, 0.0, (0, 0, 0))


class RateLimiter:
    """One deployment's limits. From any thread, never waits.

    Its time only goes forward: a clock that jumps back stands still for it.
    """

    def __init__(self, limits: RateLimits | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        limits = RateLimits() if limits is None else limits
        self._clock = clock
        self._shown = clock()
        self._now = 0.0
        self._begin_anew()
        by_minute = (limits.requests_per_minute, limits.input_tokens_per_minute, limits.output_tokens_per_minute)
        self._buckets = tuple((axis, TokenBucket(most, 0.0)) for axis, most in enumerate(by_minute) if most is not None)
        self._of_late: deque[RatePermit] = deque()
        self._concurrency = math.inf if limits.concurrency is None else limits.concurrency
        self._lasting = _FIRST_GUESS
        self._limited = bool(self._buckets) or limits.concurrency is not None
        self._told: tuple[tuple[int, ToldLimit], ...] = ()
        self._refused_until = 0.0
        self._told_until = 0.0  # so long, what the provider said may stand against a call
        across_forks(self, begin_anew=RateLimiter._begin_anew)

    def _begin_anew(self) -> None:
        """Nothing is under way: in the child of a fork, what was is the parent's."""
        self._lock = threading.Lock()
        self._under_way = 0

    @property
    def available(self) -> bool:
        """Whether a small call would have leave now. Costs less than a microsecond."""
        if not (self._limited or self._told_until):
            return True
        if self._under_way >= self._concurrency:
            return False
        passed = self._clock() - self._shown
        now = self._now + passed if passed > 0 else self._now
        if now < self._told_until:
            if now < self._refused_until:
                return False
            for _, told in self._told:
                if told.level < 1 and not told.holds_one(now):
                    return False
        for _, bucket in self._buckets:
            if not bucket.holds_one(now) or (bucket.full_minute and not self._grows_old(now)):
                return False
        return True

    def acquire(self, *, input_tokens: int, output_tokens: int) -> RatePermit | float:
        """Leave for a call that reads and writes at most so many tokens, or the seconds after which to ask again;
        infinite where no wait helps, as the call alone is over a limit."""
        if not (self._limited or self._told_until):
            return _UNLIMITED
        amounts = (1, input_tokens if input_tokens > 0 else 0, output_tokens if output_tokens > 0 else 0)
        with self._lock:
            now = self._advance()
            wait = self._turn() if self._under_way >= self._concurrency else 0.0
            if self._told_until:
                wait = self._told_wait(amounts, now, wait)
            for axis, bucket in self._buckets:
                amount = amounts[axis]
                until = bucket.wait(amount, now)
                if until:
                    wait = max(wait, until, self._passing(axis, bucket.beyond(amount), now))
            if wait > 0:
                return wait
            for axis, bucket in self._buckets:
                bucket.take(amounts[axis])
            for axis, told in self._told:
                told.take(amounts[axis])
            self._under_way += 1
            permit = RatePermit(self, now, amounts)
            if self._buckets:
                self._of_late.append(permit)
            return permit

    def end(self, permit: RatePermit, took: _Amounts) -> None:
        """A call is over, and took so much; what ``RatePermit`` calls."""
        with self._lock:
            if permit.limiter is None:
                return
            permit.limiter = None
            now = self._advance()
            self._under_way = max(0, self._under_way - 1)  # a parent's call is none of ours
            if took[0]:
                self._lasting += (now - permit.taken - self._lasting) / 8
            thought, permit.amounts = permit.amounts, took
            for axis, bucket in self._buckets:
                bucket.give_back(thought[axis] - took[axis], of_late=permit.of_late)
            for axis, told in self._told:
                told.give_back(thought[axis] - took[axis], taken=permit.taken)

    def heard(self, allowance: Allowance) -> None:
        """What the provider says is left of its own limits."""
        said = (
            (allowance.requests, allowance.requests_reset),
            (allowance.input_tokens, allowance.input_tokens_reset),
            (allowance.output_tokens, allowance.output_tokens_reset),
        )
        with self._lock:
            now = self._advance()
            known = dict(self._told)
            for axis, (left, reset) in enumerate(said):
                if left is None:
                    continue
                seconds = SECONDS_UNTOLD if reset is None else reset
                if not 0 < seconds < math.inf:
                    known.pop(axis, None)
                elif axis in known and known[axis].until > now:
                    known[axis].heard(max(0, left), now + seconds, now)
                else:
                    known[axis] = ToldLimit(max(0, left), now + seconds, now)
            self._told = tuple(sorted(known.items()))
            self._told_until = max((self._refused_until, *(told.until for told in known.values())))

    def refused(self, *, retry_after: float) -> None:
        """The provider refuses calls for so many seconds."""
        if not 0 < retry_after < math.inf:
            return
        with self._lock:
            self._refused_until = max(self._refused_until, self._advance() + retry_after)
            self._told_until = max(self._told_until, self._refused_until)

    def _advance(self) -> float:
        """The time; what was taken more than a minute ago is let go."""
        shown = self._clock()
        if shown > self._shown:
            self._now += shown - self._shown
        self._shown = shown
        now = self._now
        of_late = self._of_late
        while of_late and of_late[0].taken <= now - MINUTE:
            permit = of_late.popleft()
            permit.of_late = False
            for axis, bucket in self._buckets:
                bucket.spent -= permit.amounts[axis]
        return now

    def _turn(self) -> float:
        """Until one of the calls under way has most likely ended."""
        if self._concurrency < 1:
            return math.inf
        return min(_LONGEST_TURN, max(LEAST_WAIT, self._lasting / self._concurrency))

    def _told_wait(self, amounts: _Amounts, now: float, wait: float) -> float:
        """``wait``, or longer where what the provider said stands against the call."""
        if now >= self._told_until:
            self._told, self._told_until = (), 0.0
            return wait
        wait = max(wait, self._refused_until - now)
        for axis, told in self._told:
            until = told.wait(amounts[axis], now)
            if until > wait:
                wait = until
        return wait

    def _passing(self, axis: int, beyond: float, now: float) -> float:
        """Until so much of what the last minute took is older; or some of it, where that is far to see."""
        if beyond <= 0:
            return 0.0
        taken = now
        for permit in islice(self._of_late, _LOOKED_AT):
            taken = permit.taken
            beyond -= permit.amounts[axis]
            if beyond <= 0:
                break
        return max(LEAST_WAIT, taken + MINUTE - now)

    def _grows_old(self, now: float) -> bool:
        """Whether some of the last minute has passed since anybody asked."""
        try:
            return self._of_late[0].taken <= now - MINUTE
        except IndexError:
            return True
