"""Reads files with deployments and routes.

::

    [deployments.paris]                  # a model at a place; every key but model may be left out
    model = "openai/gpt-5.2"
    base_url = "https://paris.example/v1"
    key_variable = "PARIS_KEY"           # environment variable with the key, or key_file
    order = 1                            # lower ones are asked first
    requests_per_minute = 600

    [providers.openai]
    budget_per_day = 20.0                # US dollars, all its deployments together

    [routes.support]
    models = ["paris", "anthropic/claude-haiku-4-5", "route/local"]
    strategy = "latency"

    [breaker]
    open_seconds = 5.0
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rag_engine.errors import ConfigurationError
from rag_engine.llm.circuit_breaker import BreakerPolicy
from rag_engine.llm.failover_handler import MidStream
from rag_engine.llm.providers.provider_data import provider_names
from rag_engine.llm.rate_limit import RateLimits
from rag_engine.llm.routes.entries import ROUTE, DeploymentEntry, RouteEntry, RouteTable
from rag_engine.llm.routes.field_readers import (
    Reader,
    fields,
    member,
    number,
    some_texts,
    table,
    text,
    texts,
    truth,
    whole,
    words,
)
from rag_engine.llm.routes.names import check_names

_POSITIVE = number(above=True)
_SHARE = number(most=1.0)
_LIMITS: Mapping[str, Reader] = {
    "requests_per_minute": _POSITIVE,
    "input_tokens_per_minute": _POSITIVE,
    "output_tokens_per_minute": _POSITIVE,
    "concurrency": whole(),
}
_DEPLOYMENT: Mapping[str, Reader] = {
    "model": text,
    "base_url": text,
    "api_version": text,
    "key_file": text,
    "key_variable": text,
    "weight": _POSITIVE,
    "order": whole(least=0),
    "tags": words,
    "local": truth,
    **_LIMITS,
    "budget_per_day": number(),
    "probe_seconds": number(least=1.0),
}
_PROVIDER: Mapping[str, Reader] = {"budget_per_day": number()}
_ROUTE: Mapping[str, Reader] = {
    "models": some_texts,
    "strategy": text,
    "quality_floor": _SHARE,
    "local_only": truth,
    "tags": words,
    "for_longer": texts,
    "for_refused": texts,
    "budget_per_day": number(),
    "attempts": whole(most=10),
    "deadline_seconds": _POSITIVE,
    "first_token_seconds": _POSITIVE,
    "patient_seconds": _POSITIVE,
    "hedge_quantile": _SHARE,
    "hedge_share": _SHARE,
    "mid_stream": member(MidStream),
}
_BREAKER: Mapping[str, Reader] = {
    "failing_share": number(most=1.0, above=True),
    "least_calls": whole(),
    "window_seconds": _POSITIVE,
    "open_seconds": _POSITIVE,
    "longest_open_seconds": _POSITIVE,
}
_TABLES = ("deployments", "providers", "routes", "breaker")


def read_routes_file(path: Path) -> RouteTable:
    """What a user's file says.

    Raises:
        ConfigurationError: as ``read_routes``, or the file cannot be read.
    """
    try:
        written = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(f"{path} cannot be read: {why}", hint="check llm.routes_file") from error
    return read_routes(written, file=path)


def read_routes(written: str, *, file: Path | str) -> RouteTable:
    """What a file's text says, checked as far as it can be without asking anybody.

    Raises:
        ConfigurationError: it is no TOML, a key is unknown, a value unfit, a name unknown, or a route leads to itself;
            names file, table and key.
    """
    try:
        said = tomllib.loads(written)
    except tomllib.TOMLDecodeError as error:
        twice = "twice" in str(error) or "overwrite" in str(error)
        hint = "two have one name: give one of them another" if twice else "mend the file"
        raise ConfigurationError(f"{file} is no TOML: {error}", hint=hint) from error
    for key in said:
        if key not in _TABLES:
            raise ConfigurationError(f"{file}: unknown key {key}", hint=f"known here: {', '.join(_TABLES)}")
    deployments = {
        name: _deployment(name, one, f"{file}: deployments.{name}", file)
        for name, one in table(said.get("deployments", {}), f"{file}: deployments").items()
    }
    routes = {
        name: _route(name, one, f"{file}: routes.{name}")
        for name, one in table(said.get("routes", {}), f"{file}: routes").items()
    }
    budgets = {
        name: budget
        for name, one in table(said.get("providers", {}), f"{file}: providers").items()
        if (budget := _provider(name, one, f"{file}: providers.{name}")) is not None
    }
    if not routes:
        raise ConfigurationError(f"{file} has no route", hint="write [routes.NAME] and models = [...] below")
    read = RouteTable(deployments, routes, budgets, _breaker(said.get("breaker", {}), f"{file}: breaker"))
    check_names(read)
    return read


def _deployment(name: str, value: object, place: str, file: Path | str) -> DeploymentEntry:
    _check_name(name, place)
    said = fields(value, place, _DEPLOYMENT, needed=("model",))
    if "key_file" in said and isinstance(file, Path):
        said["key_file"] = str(file.parent / Path(said["key_file"]).expanduser())
    if "key_file" in said and "key_variable" in said:
        raise ConfigurationError(f"{place} has key_file and key_variable", hint="leave one of them out")
    limits = {key: said.pop(key) for key in _LIMITS if key in said}
    return DeploymentEntry(name=name, place=place, limits=RateLimits(**limits), **said)


def _route(name: str, value: object, place: str) -> RouteEntry:
    _check_name(name, place)
    return RouteEntry(name=name, place=place, **fields(value, place, _ROUTE, needed=("models",)))


def _provider(name: str, value: object, place: str) -> float | None:
    if name not in provider_names():
        raise ConfigurationError(f"{place}: there is no such provider", hint=f"one of: {', '.join(provider_names())}")
    budget: float | None = fields(value, place, _PROVIDER).get("budget_per_day")
    return budget


def _breaker(value: object, place: str) -> BreakerPolicy:
    said: dict[str, Any] = fields(value, place, _BREAKER)
    first = said.get("open_seconds", BreakerPolicy().open_seconds)
    longest = said.setdefault("longest_open_seconds", max(first, BreakerPolicy().longest_open_seconds))
    if longest < first:
        raise ConfigurationError(
            f"{place}.longest_open_seconds is {longest:g}, and open_seconds {first:g}",
            hint="give the longest at least open_seconds",
        )
    return replace(BreakerPolicy(), **said)


def _check_name(name: str, place: str) -> None:
    if not name.strip() or "/" in name:
        raise ConfigurationError(
            f"{place}: {name!r} is no name", hint=f"names have no slash: those with one are models, or {ROUTE}NAME"
        )
