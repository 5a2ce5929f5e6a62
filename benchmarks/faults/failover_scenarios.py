"""Sixteen scenarios of a failing primary with a fallback beside it, re-made from published descriptions.

Each says what the primary does, what is right, and by which checks that is told. Every answer is the same sixty words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from benchmarks.faults import failover_faults as faults
from benchmarks.faults.failover_providers import MODELS, TEXT, USAGE, Behaviour, Timing
from benchmarks.faults.failover_verdicts import (
    FALLBACK,
    PRIMARY,
    Check,
    Seen,
    alive_afterwards,
    at_least,
    at_most,
    attempts_are_true,
    ended_within,
    fallback_unasked,
    gap,
    model_is,
    usage_is,
    usage_told,
)

FLAP_CALLS = 20
Checks: TypeAlias = Callable[[Timing], Sequence[Check]]


def _none(_: Timing) -> Sequence[Check]:
    return ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """What the primary does and what is right. ``longest`` gives the seconds after which a call counts as hung.
    Of ``calls`` that are more than one, the next begins ``Timing.apart`` seconds after the one before."""

    name: str
    does: str
    right: str
    primary: Behaviour
    longest: Callable[[Timing], float]
    required: Checks = _none
    advised: Checks = _none
    ideal_is_error: bool = False
    refuses_parts: bool = False
    calls: int = 1


def back_after(seen: Seen, timing: Timing) -> float | None:
    """Seconds from the end of the outage until the primary answered again."""
    moments = [arrival.seconds for arrival in seen.of(PRIMARY) if arrival.action.startswith("200")]
    return min(moments) - timing.down if moments else None


def _served(timing: Timing) -> Check:
    def checked(seen: Seen) -> str:
        during = [call for call in seen.calls if call.began < timing.down]
        served = sum(call.text == TEXT for call in during)
        return "" if during and served == len(during) else f"{served} of {len(during)} served during the outage"

    return checked


def _back(timing: Timing) -> Check:
    def checked(seen: Seen) -> str:
        after = back_after(seen, timing)
        if after is None:
            return "the primary was never used again"
        return f"back after {after:.1f} s" if after > timing.back_within else ""

    return checked


def _few_probes(timing: Timing) -> Check:
    def checked(seen: Seen) -> str:
        tries = sum(arrival.seconds < timing.down for arrival in seen.of(PRIMARY))
        calls = sum(call.began < timing.down for call in seen.calls)
        return f"{tries} tries for {calls} calls during the outage" if tries > 3 * calls else ""

    return checked


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        "S01",
        "429 with retry-after: 2, once",
        "asked again after 1.8 s at the earliest, in no tight loop",
        faults.once(faults.limited),
        longest=lambda _: 20.0,
        required=lambda _: [at_most(2, within=1.5)],
        advised=lambda _: [at_least(2), gap(1.8)],
    ),
    Scenario(
        "S02",
        "429 without a header, always",
        "at most 4 tries in 3 s and 6 in all, then the fallback",
        faults.limited_without_header,
        longest=lambda _: 40.0,
        required=lambda _: [at_most(4, within=3.0), at_most(6)],
    ),
    Scenario(
        "S03",
        "500, once",
        "the same is asked again",
        faults.once(faults.broken),
        longest=lambda _: 20.0,
        advised=lambda _: [at_least(2)],
    ),
    Scenario(
        "S04",
        "503, always",
        "at most 6 tries, then the fallback",
        faults.overloaded,
        longest=lambda _: 40.0,
        required=lambda _: [at_most(6)],
    ),
    Scenario(
        "S05",
        "a reset before the head, once",
        "an answer",
        faults.once(faults.reset),
        longest=lambda _: 20.0,
    ),
    Scenario(
        "S06",
        "silence",
        "given up once and not asked again; the fallback answers",
        faults.silent,
        longest=lambda timing: timing.silence + 10,
        required=lambda timing: [ended_within(timing.silence * 100 / 120)],
        advised=lambda _: [at_most(1)],
    ),
    Scenario(
        "S07",
        "the first word comes late",
        "given up before it; the fallback answers",
        faults.late,
        longest=lambda timing: timing.first_word * 3,
        advised=lambda timing: [ended_within(timing.first_word * 15 / 20)],
    ),
    Scenario(
        "S08",
        f"a stream is cut after {faults.CUT_AFTER} of 60 words",
        "the whole answer of the fallback",
        faults.cut,
        longest=lambda _: 40.0,
    ),
    Scenario(
        "S09",
        f"a stream stops after {faults.STALL_AFTER} words and is closed much later",
        "the whole answer of the fallback",
        faults.stalled,
        longest=lambda timing: timing.stall * 70 / 30,
        required=lambda timing: [ended_within(timing.stall * 1.5), alive_afterwards(TEXT)],
    ),
    Scenario(
        "S10",
        "an event among the others is no JSON",
        "the whole answer without garbage",
        faults.malformed,
        longest=lambda _: 30.0,
        required=lambda _: [alive_afterwards(TEXT)],
    ),
    Scenario(
        "S11",
        "a whole stream without [DONE]",
        "the whole answer in 8 s and its usage",
        faults.without_done,
        longest=lambda _: 30.0,
        required=lambda _: [ended_within(8.0)],
        advised=lambda _: [usage_told],
    ),
    Scenario(
        "S12",
        "400 context_length_exceeded",
        "asked once; the model with the larger window answers",
        faults.too_long,
        longest=lambda _: 20.0,
        required=lambda _: [at_most(1)],
    ),
    Scenario(
        "S13",
        "400 of a content filter",
        "that error after one call: no way around is tried",
        faults.filtered,
        longest=lambda _: 20.0,
        required=lambda _: [at_most(1)],
        advised=lambda _: [fallback_unasked],
        ideal_is_error=True,
    ),
    Scenario(
        "S14",
        "a stream is cut, the fallback refuses parts",
        "the whole answer from a new beginning",
        faults.cut,
        longest=lambda _: 40.0,
        refuses_parts=True,
    ),
    Scenario(
        "S15",
        f"{FLAP_CALLS} calls while the primary is down and after it",
        "all served, and the primary is back",
        faults.flapping,
        longest=lambda _: 30.0,
        required=lambda timing: [_served(timing), _back(timing)],
        advised=lambda timing: [_few_probes(timing)],
        calls=FLAP_CALLS,
    ),
    Scenario(
        "S16",
        "503, always",
        "the fallback's name and its usage alone; attempts, where told, are true",
        faults.overloaded,
        longest=lambda _: 40.0,
        required=lambda _: [model_is(MODELS[FALLBACK]), at_most(6), attempts_are_true],
        advised=lambda _: [usage_is(USAGE)],
    ),
)
