"""Who is asked with a fallback beside a failing primary, each a program of its own in an environment of its own."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.faults.failover_providers import MODELS, Providers, Timing, well
from benchmarks.faults.failover_scenarios import Scenario
from benchmarks.faults.failover_verdicts import FALLBACK, PRIMARY, Call, Seen
from benchmarks.faults.wire_contenders import FOLDER, OURS, Contender, ContenderError
from benchmarks.peers.environments import Environments, PeerEnvironmentError

BUFFERED = f"{OURS}_buffered"
# By contender, the environment and the program.
PROGRAMS: Mapping[str, tuple[str, str]] = {
    OURS: (OURS, "rag_engine_route_peer.py"),
    BUFFERED: (OURS, "rag_engine_route_peer.py"),
    "litellm_router": ("litellm", "litellm_router_peer.py"),
    "langchain": ("langchain", "langchain_peer.py"),
}
NAMES = tuple(PROGRAMS)
HEALTHY_SECONDS = 20.0
# Beyond a call's own longest seconds, for the program to say that nothing came.
TO_SAY_SO = 5.0


def failover_contender(name: str, environments: Environments) -> Contender:
    """A contender with its environment made.

    Raises:
        ContenderError: the environment cannot be made.
    """
    environment, program = PROGRAMS[name]
    if environment == OURS:
        return Contender(name, Path(sys.executable), FOLDER / program)
    try:
        python = environments.made(environment, FOLDER / "requirements" / f"{environment}.txt")
    except PeerEnvironmentError as error:
        raise ContenderError(str(error)) from error
    return Contender(name, python, FOLDER / program)


def open_route(contender: Contender, primary: str, fallback: str, timing: Timing) -> None:
    """A new route of the contender's, with the limits that all are given."""
    contender.tell(
        {
            "open": {
                "primary": primary,
                "fallback": fallback,
                "primary_model": MODELS[PRIMARY],
                "fallback_model": MODELS[FALLBACK],
                "first_word": timing.first_word_limit,
                "idle": timing.idle_limit,
                "deadline": timing.deadline,
                "cooldown": timing.cooldown,
                "buffered": contender.name == BUFFERED,
            }
        },
        seconds=HEALTHY_SECONDS,
    )


def examine(scenario: Scenario, contender: Contender, timing: Timing) -> Seen:
    """What came of a scenario: its calls, one after another, and one more when all is well."""
    longest = scenario.longest(timing)
    with Providers(scenario.primary, timing, refuses_parts=scenario.refuses_parts) as providers:
        open_route(contender, providers.url(PRIMARY), providers.url(FALLBACK), timing)
        providers.began = time.monotonic()
        calls = []
        for number in range(scenario.calls):
            time.sleep(max(0.0, providers.began + number * timing.apart - time.monotonic()))
            calls.append(_asked(contender, longest, began=time.monotonic() - providers.began))
        arrivals = tuple(providers.arrivals)
        providers.primary = well
        afterwards = _asked(contender, HEALTHY_SECONDS)
    return Seen(calls, arrivals, afterwards)


def _asked(contender: Contender, longest: float, *, began: float = 0.0) -> Call:
    record = contender.tell({"ask": longest}, seconds=longest + TO_SAY_SO)
    if record.get("hung"):
        return Call(float(record["seconds"]), hung=True, began=began)
    return Call.from_json(record, began=began)
