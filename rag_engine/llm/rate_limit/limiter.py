"""Limits on requests, tokens and calls at a time, kept before a call is made rather than learnt from a refusal."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rag_engine.types.generation import Allowance


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Limits of one deployment, by the minute; ``concurrency`` is calls under way. None is no limit."""

    requests_per_minute: float | None = None
    input_tokens_per_minute: float | None = None
    output_tokens_per_minute: float | None = None
    concurrency: int | None = None


class RatePermit:
    """Leave for one call. Ended exactly once; a second end is not heard."""

    def settled(self, *, input_tokens: int, output_tokens: int) -> None:
        """The call used so many tokens: what was set aside beyond them is free again."""
        raise NotImplementedError

    def released(self) -> None:
        """Nothing was sent."""
        raise NotImplementedError


class RateLimiter:
    """One deployment's limits. From any thread, never waits."""

    def __init__(self, limits: RateLimits | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        raise NotImplementedError

    @property
    def available(self) -> bool:
        """Whether a small call would have leave now. Costs less than a microsecond."""
        raise NotImplementedError

    def acquire(self, *, input_tokens: int, output_tokens: int) -> RatePermit | float:
        """Leave for a call that reads and writes at most so many tokens, or the seconds after which to ask again;
        infinite where no wait helps, as the call alone is over a limit."""
        raise NotImplementedError

    def heard(self, allowance: Allowance) -> None:
        """What the provider says is left of its own limits."""
        raise NotImplementedError

    def refused(self, *, retry_after: float) -> None:
        """The provider refuses calls for so many seconds."""
        raise NotImplementedError
