"""Checks the names in a table of routes: that each is of something, and that no route leads to itself."""

from __future__ import annotations

import difflib

from rag_engine.errors import ConfigurationError
from rag_engine.llm.providers.provider_data import provider_names
from rag_engine.llm.routes.entries import ROUTE, SETTINGS_ROUTE, RouteEntry, RouteTable


def check_names(said: RouteTable) -> None:
    """Raises ConfigurationError where a route names what there is not, or itself, also through others."""
    for route in said.routes.values():
        for key, model in route.named:
            place = route.place if route.name == SETTINGS_ROUTE else f"{route.place}.{key}"
            _check_model(model, place, said)
    done: set[str] = set()
    for name in said.routes:
        _walk(name, (), said, done)


def _check_model(model: str, place: str, said: RouteTable) -> None:
    if model in said.deployments:
        return
    if model.startswith(ROUTE):
        if model.removeprefix(ROUTE) not in said.routes:
            known = [f"{ROUTE}{name}" for name in said.routes if name != SETTINGS_ROUTE]
            raise ConfigurationError(f"{place}: there is no {model!r}", hint=_meant(model, known, "routes"))
        return
    provider, slash, name = model.partition("/")
    if not slash:
        raise ConfigurationError(
            f"{place}: there is no deployment {model!r}",
            hint=f"{_meant(model, list(said.deployments), 'deployments')}; a model is written PROVIDER/MODEL",
        )
    if provider not in provider_names() or not name:
        raise ConfigurationError(
            f"{place}: no provider has a model {model!r}",
            hint=f"write PROVIDER/MODEL with one of: {', '.join(provider_names())}",
        )


def _meant(name: str, known: list[str], what: str) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"perhaps {near[0]!r} is meant"
    return f"{what}: {', '.join(known[:20])}" if known else f"the file has no {what}"


def _walk(name: str, path: tuple[str, ...], said: RouteTable, done: set[str]) -> None:
    if name in path:
        circle = [*path[path.index(name) :], name]
        raise ConfigurationError(
            f"{said.routes[name].place}: the route leads to itself: {' -> '.join(ROUTE + one for one in circle)}",
            hint=f"take {ROUTE}{name} out of {_place_of(said.routes[circle[-2]])}",
        )
    if name in done:
        return
    for _, model in said.routes[name].named:
        if model.startswith(ROUTE):
            _walk(model.removeprefix(ROUTE), (*path, name), said, done)
    done.add(name)


def _place_of(route: RouteEntry) -> str:
    return f"routes.{route.name}"
