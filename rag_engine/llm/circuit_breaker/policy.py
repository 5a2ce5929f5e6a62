"""When a breaker opens, and for how long."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from rag_engine.errors import ConfigurationError

# Whatever a provider asks for, and whatever a file says: after a day it is looked at again.
LONGEST_COOL_DOWN = 86_400.0


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a breaker opens, and for how long.

    It opens when ``failing_share`` of at least ``least_calls`` calls within ``window_seconds`` failed, for
    ``open_seconds``; each probe that fails doubles that, up to ``longest_open_seconds``. A probe of which nothing is
    heard for ``probe_seconds`` no longer keeps others from probing.

    Raises:
        ConfigurationError: a share outside (0, 1], less than one call, or seconds that are no positive number.
    """

    failing_share: float = 0.5
    least_calls: int = 5
    window_seconds: float = 30.0
    open_seconds: float = 5.0
    longest_open_seconds: float = 15.0
    probe_seconds: float = 60.0

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and math.isfinite(value) and value > 0):
                raise ConfigurationError(
                    f"a breaker's {name} is {value!r}", hint=f"give {name} a number above 0, or leave it out"
                )
        if self.failing_share > 1:
            raise ConfigurationError(
                f"a breaker's failing_share is {self.failing_share!r}", hint="give it a share, such as 0.5 for a half"
            )
        if self.longest_open_seconds < self.open_seconds:
            raise ConfigurationError(
                f"a breaker's longest_open_seconds is {self.longest_open_seconds!r}, below open_seconds",
                hint="raise longest_open_seconds to open_seconds at least",
            )

    def cool_down(self, seconds: float) -> float:
        """So many seconds, as far as they can be meant: none that are not positive, and at most a day."""
        return min(seconds, LONGEST_COOL_DOWN) if seconds > 0 else 0.0
