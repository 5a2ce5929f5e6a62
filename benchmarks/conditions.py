"""Reads conditions.toml: what is run, on which data, and what its figures must be."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rag_engine.errors import ConfigurationError

_Name = Annotated[str, Field(pattern=r"^[\w.-]+$")]


class Direction(StrEnum):
    """Which way a figure is better."""

    HIGHER = "higher"
    LOWER = "lower"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Check(_Strict):
    """A figure of the JSON that a command prints, as a dotted path, and what it must be within ``tolerance``."""

    metric: str = Field(min_length=1)
    expected: float = Field(allow_inf_nan=False)
    tolerance: float = Field(0.0, ge=0, allow_inf_nan=False)
    direction: Direction = Field(Direction.HIGHER, strict=False)


class Row(_Strict):
    """A command and the checks of what it prints.

    In ``command``, ``{python}`` is the running interpreter, ``{shared}`` the folder of shared data and ``{work}``
    a folder of the row's own. A row whose data is absent is skipped: ``needs_shared`` says that it needs the
    shared folder, every argument that starts with ``{shared}`` is a path that must exist. ``timeout`` is in seconds.
    """

    group: _Name
    name: _Name
    command: list[str] = Field(min_length=1)
    checks: list[Check] = Field(min_length=1)
    needs_shared: bool = False
    timeout: float = Field(600.0, gt=0)

    @property
    def title(self) -> str:
        """GROUP/NAME, as the command line takes it."""
        return f"{self.group}/{self.name}"


class _Conditions(_Strict):
    row: list[Row]


def read_conditions(file: Path) -> list[Row]:
    """The rows in order. A row with one check may write its fields beside the others instead of ``checks``.

    Raises:
        ConfigurationError: the file is absent, no TOML, or a row is not as it must be or there twice; says which.
    """
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}", hint="mend the file or name another") from error
    tables = content.get("row")
    if isinstance(tables, list):
        content["row"] = [_with_checks(table) if isinstance(table, dict) else table for table in tables]
    try:
        rows = _Conditions.model_validate(content).row
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ConfigurationError(
            f"{file}: {_place(first['loc'], tables)}: {first['msg']}",
            hint="Row and Check in benchmarks/conditions.py say what a row holds",
        ) from error
    titles = [row.title for row in rows]
    twice = {title for title in titles if titles.count(title) > 1}
    if twice:
        raise ConfigurationError(f"{file}: rows there twice: {', '.join(sorted(twice))}", hint="rename one of them")
    return rows


def select(rows: list[Row], target: str) -> list[Row]:
    """The rows of a GROUP, or the one GROUP/ROW.

    Raises:
        ConfigurationError: there is none; the hint names those there are.
    """
    selected = [row for row in rows if target in (row.group, row.title)]
    if not selected:
        group = target.partition("/")[0]
        known = [row.title for row in rows if row.group == group] or list(dict.fromkeys(row.group for row in rows))
        raise ConfigurationError(f"no benchmark {target}", hint=f"known are {', '.join(known)}")
    return selected


def _with_checks(table: Mapping[str, Any]) -> dict[str, Any]:
    fields = Check.model_fields.keys()
    check = {name: value for name, value in table.items() if name in fields}
    if not check or "checks" in table:
        return dict(table)
    return {name: value for name, value in table.items() if name not in fields} | {"checks": [check]}


def _place(location: tuple[int | str, ...], tables: Any) -> str:
    match location:
        case ("row", int(number), *rest):
            table = tables[number]
            title = f"{table.get('group')}/{table.get('name')}" if isinstance(table, dict) else str(number + 1)
            return ".".join([f"row {title}", *map(str, rest)])
    return ".".join(map(str, location))
