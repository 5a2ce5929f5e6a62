"""A failing primary with a fallback beside it, ours beside its peers: ``python -m benchmarks.faults.failover --json``.

Runs the sixteen scenarios of ``failover_scenarios`` against every contender over real sockets, each in a process and an
environment of its own with pinned versions, all with the same limits, streams asked of all, and prints the verdicts.
Most of the time they wait: they run beside each other, each with providers of its own.
``--full`` takes the scenarios' own seconds, else those of long waits are a fifth. ``rag_engine`` is read as a reader
of a live stream reads it, who throws away what a restart voids; ``rag_engine_buffered`` gives no word before the last.

Exit status 1 where ours did not pass throughout, 2 where a peer could not be run.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.arguments import names_among
from benchmarks.faults.failover_contenders import NAMES, examine, failover_contender
from benchmarks.faults.failover_providers import BRIEF, FULL, TEXT, Timing, actions
from benchmarks.faults.failover_scenarios import SCENARIOS, Scenario, back_after
from benchmarks.faults.failover_verdicts import FALLBACK, Seen, Verdict, verdict_on
from benchmarks.faults.wire_contenders import OURS, Contender, ContenderError
from benchmarks.peers.environments import Environments
from benchmarks.runner import REPOSITORY


@dataclass
class Score:
    """What one contender made of the scenarios: the verdict on each, why it is none better, and what was seen."""

    version: str = ""
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many of each verdict."""
        counted = Counter(self.verdicts.values())
        return {verdict.value: counted[verdict] for verdict in Verdict}


def judged(scenario: Scenario, seen: Seen, timing: Timing) -> tuple[Verdict, str]:
    """The verdict on what was seen, and why."""
    return verdict_on(
        seen,
        text=TEXT,
        ideal_is_error=scenario.ideal_is_error,
        longest_seconds=scenario.longest(timing),
        required=scenario.required(timing),
        advised=scenario.advised(timing),
    )


def scored(contender: Contender, scenarios: Sequence[Scenario], timing: Timing) -> Score:
    """All scenarios, one after another."""
    score = Score(contender.version)
    for scenario in scenarios:
        seen = examine(scenario, contender, timing)
        verdict, reason = judged(scenario, seen, timing)
        score.verdicts[scenario.name], score.reasons[scenario.name] = verdict, reason
        score.shown[scenario.name] = shown(scenario, seen, timing)
        score.logs[scenario.name] = actions(seen.arrivals)
        print(f"{contender.name} {scenario.name}: {verdict} {reason} ({score.shown[scenario.name]})", file=sys.stderr)
    return score


def entered(name: str, environments: Environments, scenarios: Sequence[Scenario], timing: Timing) -> Score | str:
    """What a contender made of it; where it could not be run, why."""
    try:
        with failover_contender(name, environments) as contender:
            return scored(contender, scenarios, timing)
    except ContenderError as error:
        print(f"{name} was not run: {error}", file=sys.stderr)
        return str(error)


def shown(scenario: Scenario, seen: Seen, timing: Timing) -> str:
    """In a few words: how often either provider was asked, and how long it took."""
    tries = f"{seen.tries} + {len(seen.of(FALLBACK))} tries"
    if scenario.calls == 1:
        return f"{tries}, {seen.calls[0].seconds:.1f} s"
    during = [call for call in seen.calls if call.began < timing.down]
    served = sum(call.text == TEXT for call in during)
    after = back_after(seen, timing)
    back = "never back" if after is None else f"back after {after:.1f} s"
    return f"{tries}, {served} of {len(during)} served, {back}"


def to_markdown(scores: Mapping[str, Score], scenarios: Sequence[Scenario]) -> str:
    """The table, with the counts below."""
    names = list(scores)
    lines = [
        "| | " + " | ".join(f"{name} {scores[name].version}" for name in names) + " |",
        "|---|" + "---|" * len(names),
    ]
    for scenario in scenarios:
        cells = [_cell(scores[name], scenario.name) for name in names]
        lines.append(f"| {scenario.name} {scenario.does}: {scenario.right} | " + " | ".join(cells) + " |")
    lines += [
        f"| {verdict} | " + " | ".join(str(scores[name].counts[verdict.value]) for name in names) + " |"
        for verdict in Verdict
    ]
    return "\n".join(lines)


def _cell(score: Score, name: str) -> str:
    if name not in score.verdicts:
        return "not run"
    reason = f": {score.reasons[name]}" if score.reasons[name] else ""
    return f"{score.verdicts[name]}{reason} ({score.shown[name]})"


def to_json(scores: Mapping[str, Score]) -> dict[str, Any]:
    """Every figure."""
    return {
        name: {
            "version": score.version,
            **score.counts,
            "of": len(score.verdicts),
            "verdicts": score.verdicts,
            "reasons": {scenario: reason for scenario, reason in score.reasons.items() if reason},
            "came": score.shown,
            "arrivals": score.logs,
        }
        for name, score in scores.items()
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs everything and prints the table on stdout, or on stderr and, asked for, one JSON object."""
    options = _parser().parse_args(arguments)
    environments = Environments(options.work.resolve() / "environments")
    timing = FULL if options.full else BRIEF
    scenarios = [scenario for scenario in SCENARIOS if not options.scenarios or scenario.name in options.scenarios]
    with ThreadPoolExecutor(len(options.contenders)) as beside:
        done = list(beside.map(lambda name: entered(name, environments, scenarios, timing), options.contenders))
    scores = {name: score for name, score in zip(options.contenders, done, strict=True) if isinstance(score, Score)}
    not_run = {name: why for name, why in zip(options.contenders, done, strict=True) if isinstance(why, str)}
    print(to_markdown(scores, scenarios), file=sys.stderr if options.json else sys.stdout)
    if options.json:
        print(json.dumps({"full": options.full, "contenders": to_json(scores), "not_run": not_run}))
    ours = [score for name, score in scores.items() if name.startswith(OURS)]
    if any(verdict is not Verdict.PASS for score in ours for verdict in score.verdicts.values()):
        return 1
    return 2 if not_run else 0


def _parser() -> argparse.ArgumentParser:
    known = [scenario.name for scenario in SCENARIOS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults.failover", description=__doc__)
    parser.add_argument("--contenders", type=names_among(NAMES), default=list(NAMES), help="names with commas between")
    parser.add_argument("--scenarios", type=names_among(known), default=[], help="these scenarios only")
    parser.add_argument("--full", action="store_true", help="the scenarios' own seconds; takes six minutes")
    parser.add_argument("--work", type=Path, default=REPOSITORY / "benchmarks" / "results" / "faults")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
