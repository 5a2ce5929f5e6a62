"""Where each deployment of a plan stands in one walk along it, and who is asked next."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import chain

from rag_engine.llm.circuit_breaker import BreakerPermit, CircuitBreaker
from rag_engine.llm.deployment import Deployment
from rag_engine.llm.failover_handler.plan import Plan
from rag_engine.llm.rate_limit import RatePermit
from rag_engine.types.models import ModelProfile


class Standing:
    """One deployment's. ``tries`` are the calls made of it, ``error`` the last one's; with ``again`` it may be asked
    once more, from ``ready_at`` on. ``refusal`` says why it was not asked, ``free_at`` when that has passed. Moments
    are those of ``time.monotonic()``."""

    __slots__ = ("again", "asked_to_wait", "deployment", "error", "free_at", "longer", "ready_at", "refusal", "tries")

    def __init__(self, deployment: Deployment, *, longer: bool = False) -> None:
        self.deployment = deployment
        self.longer = longer
        self.tries = 0
        self.error: Exception | None = None
        self.again = True
        self.ready_at = 0.0
        self.free_at = 0.0
        self.refusal = ""
        self.asked_to_wait = False


class Leave:
    """Leave to call a deployment, from its breaker and from its limits."""

    __slots__ = ("permit", "rate_permit", "standing")

    def __init__(self, standing: Standing, permit: BreakerPermit, rate_permit: RatePermit) -> None:
        self.standing = standing
        self.permit = permit
        self.rate_permit = rate_permit


class Standings:
    """All of a plan's, found as far as they are needed."""

    __slots__ = ("_closed", "_dearest", "_further", "_known", "_least_window", "_plan")

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._further: Iterator[Standing] = map(Standing, plan.ranked)
        self._known: list[Standing] = []
        self._least_window = 0
        self._dearest = math.inf
        self._closed = False

    def __iter__(self) -> Iterator[Standing]:
        """In the plan's order."""
        yield from self._known
        for standing in self._further:
            self._known.append(standing)
            yield standing

    @property
    def known(self) -> Sequence[Standing]:
        """Those found until now."""
        return self._known

    def leave(self, now: float, *, besides: Standing | None = None) -> Leave | None:
        """To call the best that can be called now: one that was not asked yet, else one that may be asked again."""
        for standing in self:
            if not standing.tries and standing.again and self._admits(standing) and standing is not besides:
                leave = self.leave_of(standing, now)
                if leave is not None:
                    return leave
        for standing in self._known:
            if standing.tries and standing.again and standing.ready_at <= now and standing is not besides:
                leave = self.leave_of(standing, now) if self._admits(standing) else None
                if leave is not None:
                    return leave
        return None

    def leave_of(self, standing: Standing, now: float) -> Leave | None:
        """To call this one; else it stands there why not, and until when."""
        deployment = standing.deployment
        permit = deployment.breaker.acquire()
        if permit is None:
            seconds = deployment.breaker.seconds_until_probe
            standing.refusal = "it has failed of late, and is asked again " + (
                f"in {seconds:.1f} s" if seconds else "once the call that tries it has ended"
            )
            standing.free_at = now + seconds if seconds and standing.asked_to_wait else math.inf
            return None
        rate = deployment.limiter.acquire(input_tokens=self._plan.input_tokens, output_tokens=self._plan.output_tokens)
        if isinstance(rate, (int, float)):
            permit.released()
            standing.refusal = (
                "the call alone is over its limits" if math.isinf(rate) else f"its limits are reached for {rate:.1f} s"
            )
            standing.free_at = now + rate
            return None
        return Leave(standing, permit, rate)

    def somebody_fresh(self, besides: Standing) -> bool:
        """Whether another one, not asked yet, could be called now."""
        return any(
            not other.tries and other is not besides and self._could_be_called(other) and self._admits(other)
            for other in self
        )

    def somebody(self, *, besides: Standing | None = None) -> bool:
        """Whether anybody could be called, now or after a wait."""
        return any(
            other is not besides
            and other.again
            and (other.deployment.breaker.available or other.asked_to_wait or _is_probed(other.deployment.breaker))
            and self._admits(other)
            for other in self
        )

    def next_moment(self) -> float:
        """When somebody may be asked whom a wait or a limit holds back; infinite where nobody is."""
        return min(
            (max(one.ready_at, one.free_at) for one in self._known if one.again and self._admits(one)),
            default=math.inf,
        )

    def probed(self) -> CircuitBreaker | None:
        """The breaker of the first of whom somebody finds out just now whether it is well again."""
        for one in self._known:
            if one.again and self._admits(one) and _is_probed(one.deployment.breaker):
                return one.deployment.breaker
        return None

    def soonest(self, now: float) -> float | None:
        """The fewest seconds after which any of them may be asked, as far as any limit, breaker or error says."""
        found = [seconds for one in self._known for seconds in _waits(one, now) if 0 < seconds < math.inf]
        return min(found, default=None)

    def only_larger(self, profile: ModelProfile) -> None:
        """The prompt is too long for this one's window: those with no larger one are not asked, and others are."""
        if not self._least_window and not self._closed:
            self._further = chain(self._further, self._new(self._plan.for_longer, longer=True))
        self._least_window = max(self._least_window, profile.window)

    def only_cheaper(self, deployment: Deployment) -> None:
        """A call of this one would go over a budget: those that cost as much are not asked."""
        self._dearest = min(self._dearest, self._cost(deployment.profile))

    def only(self, deployments: Sequence[Deployment]) -> None:
        """Nobody else is asked from here on."""
        self._closed = True
        for standing in self._known:
            standing.again = not standing.tries and standing.deployment in deployments
        self._further = self._new(deployments)

    def clear(self) -> None:
        """Lets go of everything: errors hold the frames they passed through, and with them whoever holds the errors."""
        self._known = []
        self._further = iter(())

    def _new(self, deployments: Sequence[Deployment], *, longer: bool = False) -> Iterator[Standing]:
        for deployment in deployments:
            if all(deployment is not one.deployment for one in self._known):
                yield Standing(deployment, longer=longer)

    def _admits(self, standing: Standing) -> bool:
        profile = standing.deployment.profile
        if profile.window <= self._least_window and not standing.longer:
            standing.refusal = f"its window of {profile.window} tokens is no larger"
            return False
        if self._dearest < math.inf:
            cheaper = self._cost(profile) < self._dearest or (profile.price is None and standing.deployment.local)
            standing.refusal = standing.refusal if cheaper else "it is no cheaper"
            return cheaper
        return True

    def _cost(self, profile: ModelProfile) -> float:
        price = profile.price
        if price is None:
            return math.inf
        return price.input * (self._plan.input_tokens or 1) + price.output * (self._plan.output_tokens or 1)

    @staticmethod
    def _could_be_called(standing: Standing) -> bool:
        deployment = standing.deployment
        return deployment.breaker.available and deployment.limiter.available


def _is_probed(breaker: CircuitBreaker) -> bool:
    return not breaker.available and not breaker.seconds_until_probe


def _waits(standing: Standing, now: float) -> Iterator[float]:
    yield standing.deployment.breaker.seconds_until_probe
    yield standing.free_at - now
    retry_after = getattr(standing.error, "retry_after", None)
    if retry_after is not None:
        yield float(retry_after)
