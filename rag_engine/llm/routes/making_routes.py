"""Makes routed models of what is written of them, inner ones first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rag_engine.error_handler import RetryPolicy
from rag_engine.errors import ConfigurationError
from rag_engine.llm.deployment import Deployment
from rag_engine.llm.failover_handler import FailoverHandler, FailoverPolicy, RetryBudget
from rag_engine.llm.router import RoutedModel, route_profile
from rag_engine.llm.routes.entries import ROUTE, RouteEntry, RouteTable
from rag_engine.llm.routes.leaves import leaves
from rag_engine.llm.routes.making_deployments import DeploymentMaker
from rag_engine.protocols import CallLedger, ModelSelector
from rag_engine.types.generation import Requirements

_LISTS = ("models", "for_longer", "for_refused")


def make_route(
    name: str,
    said: RouteTable,
    *,
    maker: DeploymentMaker,
    made: dict[str, RoutedModel],
    policy: FailoverPolicy,
    selector_for: Callable[[RouteEntry], ModelSelector | None],
    ledger: CallLedger | None,
) -> RoutedModel:
    """The route of a name and those that it leads to, which are put into ``made``. ``policy`` is for what a route does
    not say.

    Raises:
        ConfigurationError: something does not fit; names the route.
    """
    if name in made:
        return made[name]
    entry = said.routes[name]
    inner: dict[str, Deployment] = {}

    def deployment(model: str, key: str) -> Deployment:
        if not model.startswith(ROUTE):
            return maker.deployment(model, place=f"{entry.place}.{key}")
        if model not in inner:
            other = model.removeprefix(ROUTE)
            route = make_route(
                other, said, maker=maker, made=made, policy=policy, selector_for=selector_for, ledger=ledger
            )
            inner[model] = _as_deployment(route, [maker.made[one] for one in leaves(other, said)], name=other)
        return inner[model]

    deployments = {key: [deployment(model, key) for under, model in entry.named if under == key] for key in _LISTS}
    try:
        made[name] = RoutedModel(
            name=name,
            deployments=deployments["models"],
            strategy=entry.strategy,
            failover=FailoverHandler(policy=_policy(entry, policy), budget=RetryBudget()),
            requires=Requirements(tags=entry.tags, local_only=entry.local_only, quality_floor=entry.quality_floor),
            for_longer=deployments["for_longer"],
            for_refused=deployments["for_refused"],
            selector=selector_for(entry),
            ledger=ledger,
            budgets=_budgets(entry, said.provider_budgets),
        )
    except ConfigurationError as error:
        raise ConfigurationError(f"{entry.place}: {error.message}", hint=error.hint) from error
    return made[name]


def _as_deployment(route: RoutedModel, leaves: list[Deployment], *, name: str) -> Deployment:
    """A route among another's models. It is taken for local, and for tagged, only where all that it leads to are: what
    an outer route asks for must hold whomever the inner one asks."""
    return Deployment(
        name=route.name,
        model=route,
        profile=route_profile(leaves, name=name),
        tags=frozenset.intersection(*(leaf.tags for leaf in leaves)),
        local=all(leaf.local for leaf in leaves),
    )


def _policy(entry: RouteEntry, policy: FailoverPolicy) -> FailoverPolicy:
    said: dict[str, Any] = {
        key: getattr(entry, key)
        for key in (
            "deadline_seconds",
            "first_token_seconds",
            "patient_seconds",
            "hedge_quantile",
            "hedge_share",
            "mid_stream",
        )
        if getattr(entry, key) is not None
    }
    if entry.attempts is not None:
        said["retry"] = RetryPolicy(attempts=entry.attempts)
    return replace(policy, **said)


def _budgets(entry: RouteEntry, providers: Mapping[str, float]) -> dict[str, float]:
    """US dollars a day, by what they are of."""
    budgets = {f"provider:{name}": budget for name, budget in providers.items()}
    if entry.budget_per_day is not None:
        budgets["route"] = entry.budget_per_day
    return budgets
