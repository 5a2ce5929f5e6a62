"""What came of a scenario with two providers, seen by the caller and by the providers, and the verdict on it.

The same four verdicts for every contender: it is the caller who must have the whole answer, and the providers who must
not be asked more often, or sooner, than is good for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

PRIMARY, FALLBACK = "primary", "fallback"
# A check's moments are read from clocks of two processes on two cores.
MARGIN_SECONDS = 0.1


class Verdict(StrEnum):
    """How good what came is, from best to worst."""

    PASS = "pass"
    PARTIAL = "partial"
    SAFE = "safe"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request as a provider saw it: whose, how many seconds after the call began, and how it was answered."""

    provider: str
    seconds: float
    action: str


@dataclass(frozen=True, slots=True)
class Call:
    """One call as its caller saw it. ``text`` is None where an error was raised, whose class ``error`` names; ``hung``
    says that nothing came at all. ``began`` is in seconds from the scenario's start. ``model`` is who is said to have
    answered, ``usage`` tokens read and written and ``attempts`` how many there were, where the contender tells."""

    seconds: float
    text: str | None = None
    model: str = ""
    usage: tuple[int, int] | None = None
    attempts: int | None = None
    error: str = ""
    message: str = ""
    hung: bool = False
    began: float = 0.0

    @classmethod
    def from_json(cls, record: Mapping[str, Any], *, began: float = 0.0) -> Call:
        """As a contender's program printed it."""
        usage = record.get("usage")
        return cls(
            seconds=float(record["seconds"]),
            text=record.get("text"),
            model=str(record.get("model") or ""),
            usage=None if usage is None else (usage[0], usage[1]),
            attempts=record.get("attempts"),
            error=str(record.get("error", "")),
            message=str(record.get("message", "")),
            began=began,
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """A scenario's calls, what arrived at the providers, and the call that was made after it, when all was well."""

    calls: Sequence[Call]
    arrivals: Sequence[Arrival] = field(default_factory=tuple)
    afterwards: Call | None = None

    def of(self, provider: str) -> list[Arrival]:
        """What arrived at one provider."""
        return [arrival for arrival in self.arrivals if arrival.provider == provider]

    @property
    def tries(self) -> int:
        """How often the primary was asked."""
        return len(self.of(PRIMARY))


# What is wrong, empty where all is right.
Check: TypeAlias = Callable[[Seen], str]


def at_most(tries: int, *, within: float = float("inf")) -> Check:
    """The primary is asked at most so often, in the first ``within`` seconds from its first request."""

    def checked(seen: Seen) -> str:
        moments = [arrival.seconds for arrival in seen.of(PRIMARY)]
        counted = sum(moment - moments[0] < within for moment in moments)
        when = "" if within == float("inf") else f" in {within:g} s"
        return f"asked {counted} times{when}" if counted > tries else ""

    return checked


def at_least(tries: int) -> Check:
    """The primary is asked so often: it would have answered."""
    return lambda seen: f"asked {seen.tries} times only" if seen.tries < tries else ""


def gap(seconds: float) -> Check:
    """Between the primary's first two requests is the wait that it asked for."""

    def checked(seen: Seen) -> str:
        moments = [arrival.seconds for arrival in seen.of(PRIMARY)][:2]
        if len(moments) < 2:
            return "not asked again"
        return f"asked again after {moments[1] - moments[0]:.2f} s" if moments[1] - moments[0] < seconds else ""

    return checked


def ended_within(seconds: float) -> Check:
    """The call ends in time."""
    return lambda seen: (
        f"ended after {seen.calls[0].seconds:.1f} s" if seen.calls[0].seconds > seconds + MARGIN_SECONDS else ""
    )


def usage_told(seen: Seen) -> str:
    """The answer's own tokens are told."""
    return "" if seen.calls[0].usage is not None else "no usage told"


def usage_is(usage: tuple[int, int]) -> Check:
    """The tokens of the answer are told, and no others are added to them."""
    return lambda seen: "" if seen.calls[0].usage == usage else f"usage told as {seen.calls[0].usage}"


def model_is(model: str) -> Check:
    """It is told who answered."""
    return lambda seen: "" if model in seen.calls[0].model else f"said to be of {seen.calls[0].model or 'nobody'}"


def attempts_are_true(seen: Seen) -> str:
    """Where attempts are told, they are those that the providers saw."""
    told = seen.calls[0].attempts
    return "" if told is None or told == len(seen.arrivals) else f"{told} attempts told of {len(seen.arrivals)}"


def alive_afterwards(text: str) -> Check:
    """The next call is answered as ever."""

    def checked(seen: Seen) -> str:
        after = seen.afterwards
        return "" if after is not None and after.text == text else "the next call was not answered"

    return checked


def fallback_unasked(seen: Seen) -> str:
    """Nobody else is asked behind the caller's back."""
    return "went around the refusal" if seen.of(FALLBACK) else ""


def verdict_on(
    seen: Seen,
    *,
    text: str,
    ideal_is_error: bool = False,
    longest_seconds: float,
    required: Sequence[Check] = (),
    advised: Sequence[Check] = (),
) -> tuple[Verdict, str]:
    """The verdict and what is to be said of it.

    pass: every caller has the whole answer (or, of what must be refused, the provider's error), and all checks hold.
    partial: so, but for an advised check. safe: a clear error in time, with the required checks. fail: a required
    check does not hold, nothing came within ``longest_seconds``, or something else than ``text`` passed for it.
    """
    for call in seen.calls:
        if call.hung or call.seconds > longest_seconds:
            return Verdict.FAIL, f"nothing within {longest_seconds:g} s"
        if call.text is not None and call.text != text:
            return Verdict.FAIL, _wrong_text(call.text, text)
    wrong = [reason for check in required if (reason := check(seen))]
    if wrong:
        return Verdict.FAIL, "; ".join(wrong)
    failed = next((call for call in seen.calls if call.text is None), None)
    advice = "; ".join(reason for check in advised if (reason := check(seen)))
    if ideal_is_error:
        return (Verdict.PASS, advice) if failed is not None and not advice else (Verdict.PARTIAL, advice or "answered")
    if failed is not None:
        return Verdict.SAFE, f"gave up: {failed.error}: {failed.message[:80]}"
    return (Verdict.PARTIAL, advice) if advice else (Verdict.PASS, "")


def _wrong_text(text: str, right: str) -> str:
    words = len(text.split())
    if right.startswith(text):
        return f"{words} of {len(right.split())} words passed for the answer"
    return f"a wrong text of {words} words passed for the answer"
