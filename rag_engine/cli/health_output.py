"""What ``rag models --health`` prints: how each configured deployment does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag_engine.cli.json_output import print_json
from rag_engine.cli.terminal import console, in_one_line
from rag_engine.types.routing import BreakerState, DeploymentStanding

if TYPE_CHECKING:
    from rag_engine.config import Settings


def print_health(folder: Path, settings: Settings, *, probe: bool, as_json: bool) -> None:
    """How the deployments do, as the processes on an index know it; asked first with ``probe``."""
    from rag_engine.engine import standings

    found = standings(folder, settings=settings, probe=probe)
    if as_json:
        print_json({"deployments": [_fields(standing) for standing in found]})
        return
    if not found:
        console().print("no model is configured: answers are the sources' own sentences")
        return
    _show(found)


def _fields(standing: DeploymentStanding) -> dict[str, Any]:
    health = standing.health
    return {
        "deployment": standing.deployment,
        "model": standing.model,
        "routes": standing.routes,
        "state": health.state,
        "since": health.changed or None,
        "until": health.until if health.state is BreakerState.OPEN else None,
        "cause": health.cause,
        "failures": health.failures,
        "calls": health.calls,
        "first_token_seconds": health.first_token_seconds,
        "token_seconds": health.token_seconds,
        "probed": standing.probed,
        "probe_seconds": standing.probe_seconds,
    }


def _show(found: Sequence[DeploymentStanding]) -> None:
    from rich.table import Table
    from rich.text import Text

    probed = any(standing.probed for standing in found)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    titles = ("deployment", "model", "state", "failed", "first token", "a token", "routes")
    for title in (*titles, "probe") if probed else titles:
        table.add_column(title)
    for standing in found:
        health = standing.health
        style = "green" if health.state is BreakerState.CLOSED and not health.cause else "bold red"
        row: list[Text | str] = [
            Text(in_one_line(standing.deployment), style="cyan"),
            Text(in_one_line(standing.model)),
            Text(_state(standing, time.time()), style=style),
            f"{health.failures} of {health.calls}" if health.calls else "",
            _seconds(health.first_token_seconds),
            _seconds(health.token_seconds),
            Text(in_one_line(" ".join(standing.routes))),
        ]
        if probed:
            row.append(f"{standing.probed}, {standing.probe_seconds or 0:.2f} s")
        table.add_row(*row)
    console().print(table)


def _state(standing: DeploymentStanding, now: float) -> str:
    health = standing.health
    if health.state is BreakerState.CLOSED and health.cause:  # that of its key, without which nothing is sent
        return f"cannot be asked: {health.cause}"
    if health.state is BreakerState.CLOSED:
        return "asked"
    since = f" for {_age(now - health.changed)}" if health.changed else ""
    cause = f", {health.cause}" if health.cause else ""
    opened = health.state is BreakerState.OPEN
    return f"left alone{since}{cause}, tried again {f'in {_age(health.until - now)}' if opened else 'by the next call'}"


def _age(seconds: float) -> str:
    seconds = max(0.0, seconds)
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.3g} s"
