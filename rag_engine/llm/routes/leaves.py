"""Which models of providers a route leads to, through whatever routes between."""

from __future__ import annotations

from rag_engine.llm.routes.entries import ROUTE, RouteTable


def leaves(name: str, said: RouteTable) -> tuple[str, ...]:
    """The deployments of providers to which a route leads, each once, in the order in which it names them."""
    found: dict[str, None] = {}
    for _, model in said.routes[name].named:
        found.update(dict.fromkeys(leaves(model.removeprefix(ROUTE), said) if model.startswith(ROUTE) else [model]))
    return tuple(found)
