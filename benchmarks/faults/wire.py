"""Faults on the wire, ours beside its peers: ``python -m benchmarks.faults.wire --json``.

Runs the faults of ``wire_faults`` and the scenarios of ``wire_scenarios`` against every contender over real sockets,
each in a process and an environment of its own with pinned versions, and prints a table of what was right. Exit status
1 where ours was not right throughout, 2 where a peer could not be run.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.arguments import names_among
from benchmarks.faults.wire_contenders import NAMES, OURS, Contender, ContenderError, contender, examine
from benchmarks.faults.wire_faults import FAULTS, WireCase
from benchmarks.faults.wire_scenarios import SCENARIOS
from benchmarks.peers.environments import Environments
from benchmarks.runner import REPOSITORY

GROUPS: Mapping[str, Sequence[WireCase]] = {"faults": FAULTS, "scenarios": SCENARIOS}


@dataclass
class Score:
    """What one contender made of the cases: per case what was wrong, empty where it was right."""

    version: str = ""
    wrong: dict[str, str] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)

    def right(self, cases: Sequence[WireCase]) -> int:
        """How many of the cases were right."""
        return sum(self.wrong.get(case.name, "not run") == "" for case in cases)


def scored(entered: Contender, cases: Sequence[WireCase]) -> Score:
    """All cases, one after another."""
    score = Score(entered.version)
    for case in cases:
        evidence = examine(case, lambda url, case=case: entered.ask(url, stream=case.stream, timeout=case.timeout))  # type: ignore[misc]
        score.wrong[case.name] = case.judge(evidence)
        last = evidence.outcomes[-1]
        score.shown[case.name] = f"{len(evidence.requests)} calls, {last.seconds:.2f} s, {last.shown}"
        print(
            f"{entered.name} {case.name}: {score.wrong[case.name] or 'right'} ({score.shown[case.name]})",
            file=sys.stderr,
        )
    return score


def to_markdown(scores: Mapping[str, Score], groups: Mapping[str, Sequence[WireCase]]) -> str:
    """The tables, one a group, with the totals below."""
    lines: list[str] = []
    names = list(scores)
    for title, cases in groups.items():
        lines += [f"| {title} | " + " | ".join(f"{name} {scores[name].version}" for name in names) + " |"]
        lines += ["|---|" + "---|" * len(names)]
        for case in cases:
            cells = [scores[name].wrong.get(case.name, "not run") or "right" for name in names]
            lines += [f"| {case.name}: {case.does} | " + " | ".join(cells) + " |"]
        lines += [
            "| right | " + " | ".join(f"{scores[name].right(cases)} of {len(cases)}" for name in names) + " |",
            "",
        ]
    return "\n".join(lines)


def to_json(scores: Mapping[str, Score], groups: Mapping[str, Sequence[WireCase]]) -> dict[str, Any]:
    """Every figure; ``right`` are counts a group."""
    return {
        name: {
            "version": score.version,
            "right": {title: score.right(cases) for title, cases in groups.items()},
            "of": {title: len(cases) for title, cases in groups.items()},
            "wrong": {case: reason for case, reason in score.wrong.items() if reason},
            "came": score.shown,
        }
        for name, score in scores.items()
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs everything and prints the tables on stderr and, asked for, one JSON object."""
    options = _parser().parse_args(arguments)
    environments = Environments(options.work.resolve() / "environments")
    groups = {title: GROUPS[title] for title in options.groups}
    cases = [case for chosen in groups.values() for case in chosen if not options.cases or case.name in options.cases]
    scores: dict[str, Score] = {}
    not_run: dict[str, str] = {}
    for name in options.contenders:
        try:
            with contender(name, environments) as entered:
                scores[name] = scored(entered, cases)
        except ContenderError as error:
            not_run[name] = str(error)
            print(f"{name} was not run: {error}", file=sys.stderr)
    chosen = {title: [case for case in group if case in cases] for title, group in groups.items()}
    table = to_markdown(scores, chosen)
    print(table, file=sys.stderr if options.json else sys.stdout)
    if options.json:
        print(json.dumps({"contenders": to_json(scores, chosen), "not_run": not_run}))
    if OURS in scores and any(scores[OURS].wrong.values()):
        return 1
    return 2 if not_run else 0


def _parser() -> argparse.ArgumentParser:
    cases = [case.name for group in GROUPS.values() for case in group]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults.wire", description=__doc__)
    parser.add_argument("--contenders", type=names_among(NAMES), default=list(NAMES), help="names with commas between")
    parser.add_argument("--groups", type=names_among(list(GROUPS)), default=list(GROUPS), help="faults, scenarios")
    parser.add_argument("--cases", type=names_among(cases), default=[], help="these cases only")
    parser.add_argument("--work", type=Path, default=REPOSITORY / "benchmarks" / "results" / "faults")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
