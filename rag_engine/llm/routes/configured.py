"""The table of routes that settings make: a file's, and the route from the model of the settings to its fallbacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rag_engine.errors import ConfigurationError
from rag_engine.llm.routes.entries import ROUTE, SETTINGS_ROUTE, DeploymentEntry, RouteEntry, RouteTable
from rag_engine.llm.routes.names import check_names
from rag_engine.llm.routes.route_file import read_routes_file
from rag_engine.types.secret import Secret

_EXTRACTIVE = "extractive"


def configured_table(
    *,
    model: str,
    fallbacks: Sequence[str] = (),
    routes_file: str | None = None,
    base_url: str | None = None,
    api_version: str | None = None,
    key: Secret | None = None,
    key_file: str | None = None,
    attempts: int = 3,
) -> tuple[RouteTable, str]:
    """The table, and the name of the route that answers; empty where answers are the sources' own sentences. The
    arguments are settings; ``base_url`` to ``key_file`` are those of ``model``.

    Raises:
        ConfigurationError: the file does not fit, a model is named that there is not, or settings contradict each
            other.
    """
    said = RouteTable() if routes_file is None else read_routes_file(Path(routes_file).expanduser())
    if SETTINGS_ROUTE in said.routes:
        raise ConfigurationError(
            f"{said.routes[SETTINGS_ROUTE].place}: the name is that of the settings' own route",
            hint="give the route another name",
        )
    own = DeploymentEntry(
        name=model,
        model=model,
        place=SETTINGS_ROUTE,
        base_url=base_url,
        api_version=api_version,
        key=key,
        key_file=key_file,
    )
    _check(own, fallbacks, routes_file)
    if model == _EXTRACTIVE:
        return said, ""
    if model.startswith(ROUTE) and not fallbacks:
        check_names(replace(said, routes={**said.routes, SETTINGS_ROUTE: _route([model], attempts)}))
        return said, model.removeprefix(ROUTE)
    named = {} if model.startswith(ROUTE) or model in said.deployments else {model: own}
    for name in fallbacks:
        if name not in said.deployments and not name.startswith(ROUTE):
            named[name] = DeploymentEntry(name=name, model=name, place="llm.fallbacks")
    deployments = {**said.deployments, **named}
    routes = {**said.routes, SETTINGS_ROUTE: _route([model, *fallbacks], attempts)}
    said = replace(said, deployments=deployments, routes=routes)
    check_names(said)
    return said, SETTINGS_ROUTE


def _route(models: Sequence[str], attempts: int) -> RouteEntry:
    return RouteEntry(name=SETTINGS_ROUTE, models=tuple(models), place="llm.model and llm.fallbacks", attempts=attempts)


def _check(own: DeploymentEntry, fallbacks: Sequence[str], routes_file: str | None) -> None:
    """Raises ConfigurationError where settings contradict each other."""
    if own.model.startswith(ROUTE):
        if routes_file is None:
            raise ConfigurationError(
                f"llm.model is {own.model}, and no file says what that is", hint="set llm.routes_file"
            )
        for name in ("base_url", "api_version", "key", "key_file"):
            if getattr(own, name) is not None:
                raise ConfigurationError(
                    f"llm.{name} is that of one model, and llm.model is a route",
                    hint="write it below the [deployments.NAME] that it belongs to",
                )
    if own.model == _EXTRACTIVE and fallbacks:
        raise ConfigurationError(
            "llm.fallbacks are asked where llm.model fails, and no model is set", hint="set llm.model to the first"
        )
    names = [own.model, *fallbacks]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(f"llm.fallbacks names {name!r} a second time", hint="leave it out")
    if _EXTRACTIVE in fallbacks:
        raise ConfigurationError(
            "llm.fallbacks names extractive, which is no provider's model",
            hint="leave it out; with llm.model = 'extractive' answers are the sources' own sentences",
        )
