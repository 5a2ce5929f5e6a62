"""The tables of the routing ledger: what a row says, which of two that differ holds, and who may probe."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from rag_engine.types.models import ModelTask
from rag_engine.types.routing import BreakerState, DeploymentHealth, ModelOutcome

MOST_OUTCOMES = 20_000
SCHEMA_VERSION = 1
SCHEMA = (
    "create table health (deployment text primary key, state text not null, until real not null, "
    "open_seconds real not null, cause text not null, failures integer not null, calls integer not null, "
    "first_token_seconds real, token_seconds real, changed real not null, counted real not null, "
    "edition integer not null)",
    "create index health_by_edition on health (edition)",
    "create table probes (deployment text primary key, begun real not null, seconds real not null)",
    "create table outcomes (number integer primary key autoincrement, question text not null, task text not null, "
    "model text not null, quality real not null, cost real, seconds real, recorded real not null)",
)
# Who probes for longer is taken for dead, whatever the file says.
_LONGEST_PROBE = 600.0
# Clocks that are set right go back by so much without notice.
_SLEWED_SECONDS = 1.0


def later(one: DeploymentHealth, other: DeploymentHealth, *, today: float) -> bool:
    """Whether ``one`` tells of a later change than ``other``; what was written by a clock ahead of ``today`` is late
    for nobody."""
    return other.changed < one.changed <= today


def write_health(connection: sqlite3.Connection, health: DeploymentHealth, *, today: float) -> None:
    """Keeps this, and with it ends the probe; unless a later change is known."""
    written = connection.execute(
        "insert into health (deployment, state, until, open_seconds, cause, failures, calls, first_token_seconds, "
        "token_seconds, changed, counted, edition) "
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (select coalesce(max(edition), 0) + 1 from health)) "
        "on conflict (deployment) do update set state = excluded.state, until = excluded.until, "
        "open_seconds = excluded.open_seconds, cause = excluded.cause, failures = excluded.failures, "
        "calls = excluded.calls, first_token_seconds = excluded.first_token_seconds, "
        "token_seconds = excluded.token_seconds, changed = excluded.changed, counted = excluded.counted, "
        "edition = excluded.edition "
        "where excluded.changed >= health.changed or health.changed > ?",
        (health.deployment, health.state.value, health.until, health.open_seconds, health.cause, health.failures,
         health.calls, health.first_token_seconds, health.token_seconds, health.changed, health.counted, today),
    )  # fmt: skip
    if written.rowcount:
        connection.execute("delete from probes where deployment = ?", (health.deployment,))


def read_health(connection: sqlite3.Connection, *, after: int) -> tuple[list[DeploymentHealth], int]:
    """What was written after an edition, and the last edition; rows that say nothing sensible are passed over."""
    rows = connection.execute(
        "select edition, deployment, state, until, open_seconds, cause, failures, calls, first_token_seconds, "
        "token_seconds, changed, counted from health where edition > ? order by edition",
        (after,),
    ).fetchall()
    read = [_health(row[1:]) for row in rows]
    return [health for health in read if health is not None], rows[-1][0] if rows else after


def claim_probe(connection: sqlite3.Connection, deployment: str, *, seconds: float, today: float) -> bool:
    """Whether nobody probes, so that the caller does from now on. Within a transaction."""
    row = connection.execute("select begun, seconds from probes where deployment = ?", (deployment,)).fetchone()
    if row is not None:
        begun, granted = row
        if begun - _SLEWED_SECONDS <= today < begun + min(granted, max(seconds, _LONGEST_PROBE)):
            return False
    connection.execute("insert or replace into probes values (?, ?, ?)", (deployment, today, seconds))
    return True


def write_outcomes(connection: sqlite3.Connection, outcomes: Iterable[ModelOutcome], *, today: float) -> None:
    """Keeps these, and no more than the last 20,000."""
    connection.executemany(
        "insert into outcomes (question, task, model, quality, cost, seconds, recorded) values (?, ?, ?, ?, ?, ?, ?)",
        [
            (one.question, one.task.value, one.model, min(1.0, max(0.0, one.quality)), one.cost, one.seconds,
             one.when or today)
            for one in outcomes
            if math.isfinite(one.quality)
        ],
    )  # fmt: skip
    connection.execute("delete from outcomes where number <= (select max(number) from outcomes) - ?", (MOST_OUTCOMES,))


def read_outcomes(connection: sqlite3.Connection) -> list[ModelOutcome]:
    """All that are kept, the oldest first, but for tasks that only a later version knows."""
    tasks = {task.value: task for task in ModelTask}
    rows = connection.execute(
        "select question, task, model, quality, cost, seconds, recorded from outcomes order by number"
    ).fetchall()
    return [ModelOutcome(row[0], tasks[row[1]], *row[2:]) for row in rows if row[1] in tasks]


def _health(row: Sequence[Any]) -> DeploymentHealth | None:
    deployment, state, until, open_seconds, cause, failures, calls, first, further, changed, counted = row
    numbers = [
        until,
        open_seconds,
        failures,
        calls,
        changed,
        counted,
        *(speed for speed in (first, further) if speed is not None),
    ]
    if state not in [known.value for known in BreakerState] or not all(isinstance(one, int | float) for one in numbers):
        return None
    return DeploymentHealth(
        str(deployment), BreakerState(state), until, open_seconds, str(cause), failures, calls, first, further, changed,
        counted,
    )  # fmt: skip
