"""``python -m benchmarks list`` and ``python -m benchmarks run GROUP[/ROW]``."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.conditions import Row, read_conditions, select
from benchmarks.runner import REPOSITORY, CheckResult, Folders, RowResult, run_row
from rag_engine.errors import ConfigurationError


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0: every row OK, better or skipped; 1: one fell short or failed; 2: wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        rows = read_conditions(options.conditions)
        if options.command == "list":
            return _list(rows, as_json=options.json)
        selected = select(rows, options.target) if options.target else rows
    except ConfigurationError as error:
        print(error.public_message, file=sys.stderr)
        return 2
    return _run(selected, Folders(options.shared.resolve(), options.results.resolve()), as_json=options.json)


def _list(rows: list[Row], *, as_json: bool) -> int:
    if as_json:
        print(json.dumps([row.model_dump(mode="json") for row in rows]))
        return 0
    for row in rows:
        expected = ", ".join(f"{check.metric} {check.expected:g} ± {check.tolerance:g}" for check in row.checks)
        print(f"{row.title}: {expected}")
    return 0


def _run(rows: list[Row], folders: Folders, *, as_json: bool) -> int:
    results = []
    for row in rows:
        print(f"running {row.title} ...", file=sys.stderr)
        result = run_row(row, folders)
        results.append(result)
        _keep(result, folders.results / "results.jsonl")
        if not as_json:
            print(_shown(result), flush=True)
    if as_json:
        print(json.dumps([result.to_json() for result in results]))
    return int(any(result.fell_short for result in results))


def _keep(result: RowResult, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    record = {"time": datetime.now(UTC).isoformat(timespec="seconds"), **result.to_json()}
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(record) + "\n")


def _shown(result: RowResult) -> str:
    if not result.checks:
        return f"{result.verdict}: {result.row.title}: {result.reason}"
    return "\n".join(f"{check.verdict}: {result.row.title}: {_figures(check)}" for check in result.checks)


def _figures(result: CheckResult) -> str:
    check = result.check
    expected = f"{check.expected:g} ± {check.tolerance:g}"
    return f"{check.metric} {result.value:g} (expected {expected}, {check.direction} is better)"


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print JSON")
    common.add_argument(
        "--conditions", type=Path, default=REPOSITORY / "benchmarks" / "conditions.toml", help="file of the rows"
    )
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", parents=[common], help="name the rows and what they must come to")
    run = commands.add_parser("run", parents=[common], help="run a group or a row; all rows where none is named")
    run.add_argument("target", nargs="?", metavar="GROUP[/ROW]")
    run.add_argument("--shared", type=Path, default=REPOSITORY.parent / "shared", help="folder of the shared data")
    run.add_argument(
        "--results", type=Path, default=REPOSITORY / "benchmarks" / "results", help="folder for results and indexes"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
