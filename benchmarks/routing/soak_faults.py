"""What the servers of a soak do wrong, how often, and for how long they are worse than usual."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import accumulate


class Fault(StrEnum):
    """One answer's fault."""

    NONE = "none"
    RATE_LIMIT = "429"
    RATE_LIMIT_WITH_WAIT = "429 with a wait"
    SERVER_ERROR = "500"
    UNAVAILABLE = "503"
    OVERLOADED = "529"
    RESET_BEFORE_HEAD = "reset before the head"
    RESET_AFTER_HEAD = "reset after the head"
    RESET_MIDWAY = "reset midway"
    CUT = "closed midway"
    NO_END = "ended without its end"
    SHORT_PAUSE = "a pause that is allowed"
    LONG_PAUSE = "a pause for ever"
    SILENCE = "no head for ever"
    SLOW = "a slow body"
    NO_JSON = "malformed JSON"
    EMPTY = "an empty answer"
    LENGTH_TOO_LONG = "less than the length says"
    LENGTH_TOO_SHORT = "more than the length says"
    ANOTHERS_BEHIND = "somebody else's answer behind it"
    ERROR_MIDWAY = "an error midway"
    PAGE = "a page"


# After these the answer is right and whole.
HARMLESS = frozenset({Fault.NONE, Fault.SHORT_PAUSE, Fault.SLOW, Fault.ANOTHERS_BEHIND})

# Parts of a thousand.
FAIR: Mapping[Fault, float] = {
    Fault.RATE_LIMIT: 4,
    Fault.RATE_LIMIT_WITH_WAIT: 1,
    Fault.SERVER_ERROR: 4,
    Fault.UNAVAILABLE: 4,
    Fault.RESET_BEFORE_HEAD: 4,
    Fault.RESET_AFTER_HEAD: 4,
    Fault.RESET_MIDWAY: 4,
    Fault.CUT: 4,
    Fault.NO_END: 4,
    Fault.SHORT_PAUSE: 8,
    Fault.LONG_PAUSE: 3,
    Fault.SILENCE: 3,
    Fault.SLOW: 6,
    Fault.NO_JSON: 4,
    Fault.EMPTY: 4,
    Fault.LENGTH_TOO_LONG: 3,
    Fault.LENGTH_TOO_SHORT: 3,
    Fault.ANOTHERS_BEHIND: 4,
    Fault.ERROR_MIDWAY: 3,
    Fault.PAGE: 2,
}
FOUL: Mapping[Fault, float] = {fault: 8 * share for fault, share in FAIR.items()} | {Fault.OVERLOADED: 20}
# How many servers are in foul weather at once, and how often, in parts of a hundred.
_AT_ONCE = {0: 25, 1: 60, 2: 10, 3: 5}


class Faults:
    """Draws the fault of each answer, by a seed. ``now`` is any clock's seconds."""

    def __init__(self, *, seed: int, servers: int, turn_seconds: float) -> None:
        self._seed = seed
        self._servers = servers
        self._turn_seconds = turn_seconds
        self._random = random.Random(seed)
        self._foul: frozenset[int] = frozenset()
        self._turn = -1
        self._tables = [_table(FAIR), _table(FOUL)]

    def drawn(self, server: int, now: float) -> Fault:
        """What the server does with the answer that it is about to give."""
        turn = int(now / self._turn_seconds)
        if turn != self._turn:
            self._turn, self._foul = turn, self.foul(turn)
        bounds, faults = self._tables[server in self._foul]
        return faults[bisect_right(bounds, self._random.random() * 1000)]

    def foul(self, turn: int) -> frozenset[int]:
        """The servers that are in foul weather in this turn."""
        draw = random.Random(f"{self._seed} {turn}")
        (count,) = draw.choices(list(_AT_ONCE), list(_AT_ONCE.values()))
        return frozenset(draw.sample(range(self._servers), min(count, self._servers)))

    def draw(self) -> float:
        """A number in [0, 1), for how far an answer comes."""
        return self._random.random()


def _table(shares: Mapping[Fault, float]) -> tuple[Sequence[float], Sequence[Fault]]:
    return list(accumulate(shares.values())), [*shares, Fault.NONE]
