"""Runs a row's command as a process of its own and holds its figures against what they must be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from benchmarks.conditions import Check, Direction, Row

REPOSITORY = Path(__file__).resolve().parent.parent


class Verdict(StrEnum):
    """What became of a check, or of a row that came to no check."""

    OK = "OK"
    BETTER = "BETTER"
    FELL_SHORT = "FELL SHORT"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Folders:
    """Where rows find the shared data, keep their indexes (which rows share) and do their work."""

    shared: Path
    results: Path

    def work(self, row: Row) -> Path:
        """The folder of the row's own."""
        return self.results / "work" / row.group / row.name

    @property
    def indexes(self) -> Path:
        """The root of the indexes."""
        return self.results / "indexes"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A check with the figure found."""

    check: Check
    value: float
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class RowResult:
    """A row with its checks' results, or with the reason why there are none."""

    row: Row
    seconds: float
    checks: tuple[CheckResult, ...] = ()
    verdict: Verdict = Verdict.OK
    reason: str = ""

    @property
    def fell_short(self) -> bool:
        """Whether the run as a whole must end with exit status 1."""
        return self.verdict in (Verdict.FAILED, Verdict.FELL_SHORT)

    def to_json(self) -> dict[str, Any]:
        """The result as it is printed and kept."""
        return {
            "row": self.row.title,
            "verdict": self.verdict.value,
            "reason": self.reason,
            "checks": [
                {**result.check.model_dump(mode="json"), "value": result.value, "verdict": result.verdict.value}
                for result in self.checks
            ],
            "seconds": round(self.seconds, 3),
        }


def run_row(row: Row, folders: Folders) -> RowResult:
    """Runs one row in the repository's root, with RAG_ENGINE_ROOT at the folder of the indexes."""
    absent = _absent_data(row, folders)
    if absent is not None:
        return RowResult(row, 0.0, verdict=Verdict.SKIPPED, reason=f"no data at {absent}")
    for folder in (folders.work(row), folders.indexes):
        folder.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    try:
        output = _last_object(_output_of([_filled(argument, row, folders) for argument in row.command], row, folders))
        checks = tuple(_checked(check, output) for check in row.checks)
    except RowError as error:
        return RowResult(row, time.perf_counter() - start, verdict=Verdict.FAILED, reason=str(error))
    return RowResult(row, time.perf_counter() - start, checks, _overall(checks))


class RowError(Exception):
    """A row came to no figures."""


def judge(check: Check, value: float) -> Verdict:
    """OK within the tolerance, BETTER or FELL SHORT beyond it."""
    gain = value - check.expected if check.direction is Direction.HIGHER else check.expected - value
    if gain > check.tolerance:
        return Verdict.BETTER
    return Verdict.OK if gain >= -check.tolerance else Verdict.FELL_SHORT


def _checked(check: Check, output: Mapping[str, Any]) -> CheckResult:
    value = _figure(output, check.metric)
    return CheckResult(check, value, judge(check, value))


def _overall(checks: tuple[CheckResult, ...]) -> Verdict:
    verdicts = {result.verdict for result in checks}
    if Verdict.FELL_SHORT in verdicts:
        return Verdict.FELL_SHORT
    return Verdict.BETTER if Verdict.BETTER in verdicts else Verdict.OK


def _absent_data(row: Row, folders: Folders) -> Path | None:
    needed = [folders.shared] if row.needs_shared else []
    needed += [Path(_filled(argument, row, folders)) for argument in row.command if argument.startswith("{shared}")]
    return next((path for path in needed if not path.exists()), None)


def _filled(argument: str, row: Row, folders: Folders) -> str:
    # Not str.format: a command may hold braces of its own, as code and JSON do.
    for name, value in (("python", sys.executable), ("shared", folders.shared), ("work", folders.work(row))):
        argument = argument.replace(f"{{{name}}}", str(value))
    return argument


def _output_of(command: list[str], row: Row, folders: Folders) -> str:
    environment = {**os.environ, "RAG_ENGINE_ROOT": str(folders.indexes), "PYTHONIOENCODING": "utf-8"}
    try:
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise RowError(f"{command[0]} cannot be started: {error.strerror}") from error
    with process:
        try:
            stdout, stderr = process.communicate(timeout=row.timeout)
        except subprocess.TimeoutExpired as error:
            raise RowError(f"ran over its {row.timeout:g} seconds") from error
        finally:
            if process.poll() is None:  # its children too: they would hold the pipes open
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode != 0:
        last = next((line for line in reversed(stderr.splitlines()) if line.strip()), "nothing on stderr")
        raise RowError(f"exit status {process.returncode}: {last.strip()}")
    return stdout


def _last_object(stdout: str) -> dict[str, Any]:
    """The last JSON object that starts a line, on one line or over several."""
    decoder = json.JSONDecoder()
    found: dict[str, Any] | None = None
    position = 0
    while position < len(stdout):
        end = position
        if stdout[position] == "{":
            try:
                found, end = decoder.raw_decode(stdout, position)
            except (ValueError, RecursionError):
                end = position
        line_end = stdout.find("\n", end)
        position = len(stdout) if line_end < 0 else line_end + 1
    if found is None:
        raise RowError("printed no JSON object on stdout")
    return found


def _figure(output: Mapping[str, Any], metric: str) -> float:
    value: Any = output
    for part in metric.split("."):
        if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, Mapping) and part in value:
            value = value[part]
        else:
            raise RowError(f"printed no {metric}")
    if not isinstance(value, int | float) or value != value:
        raise RowError(f"{metric} is no number: {value!r}")
    return float(value)
