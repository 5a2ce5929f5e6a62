"""What an outage costs and how it ends: ``python -m benchmarks.faults.outage --json``.

Parts: ``amplification`` (all fail: calls upstream for each call, LiteLLM's Router beside ours), ``probes`` (a thousand
callers when a breaker is half open, in one process and in four), ``recovery``, ``decision`` (with an open breaker) and
``hedging`` (a log-normal server of which one request in a hundred stalls). Real sockets, the servers in a process of
their own. Exit status 1 where ours falls short of an aim, 2 where a peer could not be run.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.faults import outage_costs, outage_probes
from benchmarks.faults.failover_contenders import failover_contender
from benchmarks.faults.wire_contenders import OURS, ContenderError
from benchmarks.peers.environments import Environments
from benchmarks.runner import REPOSITORY

PARTS = ("amplification", "probes", "recovery", "decision", "hedging")
AT_ONCE = (1, 16, 1000)
WITHOUT_BREAKER = f"{OURS}_budget_alone"
CONTENDERS = (OURS, "litellm_router")
OUTAGES = (1.0, 6.0, 12.0)
# A call's own time, and the pause between two, on a machine that does other things too.
ONE_CALL = 0.25
MOST = {
    "amplification": 1.2,
    "probes": 1,
    "over_interval": ONE_CALL,
    "decision": 1000.0,
    "p99_share": 0.5,
    "extra": 0.05,
}


def amplification(options: argparse.Namespace, not_run: dict[str, str]) -> dict[str, Any]:
    """By contender and calls at once."""
    environments = Environments(options.work.resolve() / "environments")
    alone = {str(at_once): outage_costs.budget_alone(calls=options.calls, at_once=at_once) for at_once in AT_ONCE}
    found: dict[str, Any] = {WITHOUT_BREAKER: alone}
    for name in CONTENDERS:
        try:
            with failover_contender(name, environments) as contender:
                found[name] = {
                    str(at_once): outage_costs.amplification(
                        contender, calls=options.calls, at_once=at_once, seconds=options.seconds
                    )
                    for at_once in AT_ONCE
                }
        except ContenderError as error:
            not_run[name] = str(error)
    return found


def probes(options: argparse.Namespace) -> dict[str, Any]:
    """A probe that is answered, one that fails, and one over several processes."""
    return {
        "answered": outage_probes.half_open(callers=options.callers, well=True),
        "failing": outage_probes.half_open(callers=options.callers, well=False),
        "processes": outage_probes.half_open_in_processes(callers=options.callers),
    }


def short_of(found: dict[str, Any]) -> list[str]:
    """Where ours falls short of what is aimed at."""
    wrong = []
    for name, rows in found.get("amplification", {}).items():
        wrong += [
            f"{name}: {told['share']:.2f} calls upstream for each of {told['calls']}, {at_once} at once"
            for at_once, told in rows.items()
            if name.startswith(OURS) and told["share"] > MOST["amplification"]
        ]
    for name, told in found.get("probes", {}).items():
        if told["probes"] != MOST["probes"] or told["answered"] != told["callers"]:
            wrong.append(f"{name}: {told['probes']} probes, {told['answered']} of {told['callers']} answered")
    wrong += [
        f"back after {told['seconds']:.2f} s, the interval was {told['interval']:.2f} s"
        for told in found.get("recovery", [])
        if told["over_interval"] > MOST["over_interval"] or told["calls_when_due"] > 1
    ]
    if found.get("decision", {}).get("open_p99", 0.0) > MOST["decision"]:
        wrong.append(f"{found['decision']['open_p99']:.0f} microseconds to decide")
    hedged = found.get("hedging")
    if hedged and (hedged["p99_share"] > MOST["p99_share"] or hedged["extra"] > MOST["extra"]):
        wrong.append(f"p99 at {hedged['p99_share']:.2f} for {hedged['extra']:.1%} more calls")
    return wrong


def to_markdown(found: dict[str, Any]) -> str:
    """One table a part."""
    lines: list[str] = []
    for part, told in found.items():
        rows = _rows(part, told)
        columns = list(rows[0][1])
        lines += [f"| {part} | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
        lines += [
            f"| {title} | " + " | ".join(_shown(row.get(column)) for column in columns) + " |" for title, row in rows
        ]
        lines.append("")
    return "\n".join(lines)


def _rows(part: str, told: Any) -> list[tuple[str, dict[str, Any]]]:
    if part == "amplification":
        return [(f"{name}, {at_once} at once", row) for name, rows in told.items() for at_once, row in rows.items()]
    if part == "probes":
        return list(told.items())
    if part == "recovery":
        return [(f"outage of {row['outage']:g} s", row) for row in told]
    return [("microseconds" if part == "decision" else "milliseconds", told)]


def _shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the parts and prints their tables on stdout, or on stderr and, asked for, one JSON object."""
    options = _parser().parse_args(arguments)
    not_run: dict[str, str] = {}
    measured: dict[str, Callable[[], Any]] = {
        "amplification": lambda: amplification(options, not_run),
        "probes": lambda: probes(options),
        "recovery": lambda: outage_probes.recovery(outages=OUTAGES),
        "decision": lambda: outage_costs.decision(calls=options.calls),
        "hedging": lambda: outage_costs.hedging(calls=options.hedged_calls),
    }
    found: dict[str, Any] = {}
    for part in options.parts:
        found[part] = measured[part]()
        print(f"{part}: {json.dumps(found[part])}", file=sys.stderr)
    wrong = short_of(found)
    print(to_markdown(found), file=sys.stderr if options.json else sys.stdout)
    for each in wrong:
        print(f"falls short: {each}", file=sys.stderr)
    if options.json:
        print(json.dumps({**found, "short": wrong, "fell_short": len(wrong), "not_run": not_run}))
    return 1 if wrong else 2 if not_run else 0


def _parser() -> argparse.ArgumentParser:
    def parts(text: str) -> list[str]:
        for name in text.split(","):
            if name not in PARTS:
                raise argparse.ArgumentTypeError(f"no {name}; known are {', '.join(PARTS)}")
        return text.split(",")

    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults.outage", description=__doc__)
    parser.add_argument("--parts", type=parts, default=list(PARTS), help="names with commas between")
    parser.add_argument("--calls", type=int, default=2000, help="calls of amplification and decision")
    parser.add_argument("--seconds", type=float, default=60.0, help="in which calls of amplification are begun")
    parser.add_argument("--callers", type=int, default=1000, help="callers at once when half open")
    parser.add_argument("--hedged-calls", type=int, default=4000, help="calls with, and calls without hedging")
    parser.add_argument("--work", type=Path, default=REPOSITORY / "benchmarks" / "results" / "faults")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
