"""What came of a call on a faulty wire, and by which rules it is right: the same for every contender."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from benchmarks.faults.socket_server import ReceivedRequest

# On top of the time that was allowed: two cores, shared by the server, the contender and whatever else runs.
MARGIN_SECONDS = 0.5
# An error of these modules' own classes was meant for the author of a parser, not for who asked a model.
PARSERS = ("builtins", "json", "pydantic", "pydantic_core")
CLEAR_BUILTINS = ("builtins.TimeoutError", "builtins.ConnectionError")
# Reasons to stop with which an answer is whole, or says nothing about being a part.
SAYS_NOTHING = (None, "", "stop")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One call as its caller saw it. ``text`` is None where an error was raised; ``error`` are then the full names of
    its class and of that one's bases. ``usage`` are tokens read and written, where the contender says so."""

    seconds: float
    text: str | None = None
    finish: str | None = None
    usage: tuple[int, int] | None = None
    attempts: int | None = None
    error: tuple[str, ...] = ()
    message: str = ""

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Outcome:
        """As a contender's program printed it."""
        usage = record.get("usage")
        return cls(
            seconds=float(record["seconds"]),
            text=record.get("text"),
            finish=record.get("finish"),
            usage=None if usage is None else (usage[0], usage[1]),
            attempts=record.get("attempts"),
            error=tuple(record.get("error", ())),
            message=str(record.get("message", "")),
        )

    @property
    def shown(self) -> str:
        """In a few words."""
        if self.text is None:
            return f"{self.error[0] if self.error else 'nothing'}: {self.message[:100]}"
        return f"answer {self.text[:40]!r}, finish {self.finish}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a judge sees: the outcomes in order, and what the server received and when (seconds from the first)."""

    outcomes: Sequence[Outcome]
    timeout: float
    requests: Sequence[ReceivedRequest] = field(default_factory=tuple)
    arrivals: Sequence[float] = field(default_factory=tuple)


# What is wrong, empty where all is right.
Judge: TypeAlias = Callable[[Evidence], str]


def is_clear(outcome: Outcome) -> bool:
    """Whether an error is one that a caller can act on: a library's or its transport's own, and not a parser's."""
    if not outcome.error:
        return False
    if any(name in CLEAR_BUILTINS for name in outcome.error):
        return True
    return outcome.error[0].partition(".")[0] not in PARSERS


def judge(
    *, whole: str = "", error: bool = False, told: bool = False, calls: int = 3, at_least: int = 1, gap: float = 0.0
) -> Judge:
    """The rules of one call.

    ``whole`` is the one text that is right, empty where none can be; ``error`` allows a clear error; ``told`` allows a
    part, if it is given with a reason to stop that says so. ``calls`` is the most that may arrive, ``at_least`` the
    fewest, ``gap`` the seconds that must lie between them. All of it within the time allowed.
    """

    def judged(evidence: Evidence) -> str:
        outcome = evidence.outcomes[0]
        if outcome.seconds > evidence.timeout + MARGIN_SECONDS:
            return f"ended after {outcome.seconds:.1f} s"
        wrong = _wrong_kind(outcome, whole=whole, error=error, told=told)
        if wrong:
            return wrong
        arrived = len(evidence.requests)
        if arrived > calls:
            return f"asked {arrived} times"
        if arrived < at_least:
            return f"asked {arrived} times only"
        gaps = [later - earlier for earlier, later in zip(evidence.arrivals, evidence.arrivals[1:], strict=False)]
        if gaps and min(gaps) < gap:
            return f"asked again after {min(gaps):.2f} s"
        return ""

    return judged


def _wrong_kind(outcome: Outcome, *, whole: str, error: bool, told: bool) -> str:
    if outcome.text is None:
        if not is_clear(outcome):
            return f"raw {outcome.error[0] if outcome.error else 'nothing'}"
        return "" if error else f"gave up: {outcome.error[0]}"
    if whole and outcome.text == whole:
        return ""
    if told and outcome.finish not in SAYS_NOTHING:
        return ""
    if not outcome.text:
        return "an empty answer passed for one"
    return "a wrong text passed for an answer" if whole else "a part passed for the answer"
