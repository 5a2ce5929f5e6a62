"""Which deployments make a route, and that they can: each name once, and no route within itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from rag_engine.errors import ConfigurationError
from rag_engine.llm.deployment import Deployment


@runtime_checkable
class _Route(Protocol):
    @property
    def deployments(self) -> tuple[Deployment, ...]: ...

    @property
    def models(self) -> frozenset[str]: ...

    @property
    def name(self) -> str: ...


def check_membership(
    name: str,
    deployments: Sequence[Deployment],
    for_longer: Sequence[Deployment],
    for_refused: Sequence[Deployment],
    *,
    prefix: str,
) -> tuple[Deployment, ...]:
    """All deployments of the route ``name``, each once.

    Raises:
        ConfigurationError: a route that cannot be.
    """
    if not name or name != name.strip() or "\n" in name:
        raise ConfigurationError(f"a route cannot be called {name!r}", hint="give it a name of some characters")
    if not deployments:
        raise ConfigurationError(f"route {name!r} has no deployments", hint="give it one at least")
    for group in (deployments, for_longer, for_refused):
        if len({id(deployment) for deployment in group}) < len(group):
            twice = next(one.name for at, one in enumerate(group) if any(one is other for other in group[:at]))
            raise ConfigurationError(f"route {name!r} names deployment {twice!r} twice", hint="name it once")
    everyone: dict[str, Deployment] = {}
    seen: set[int] = set()
    for deployment in (*deployments, *for_longer, *for_refused):
        if everyone.setdefault(deployment.name, deployment) is not deployment:
            raise ConfigurationError(
                f"route {name!r} has two deployments called {deployment.name!r}", hint="call one of them otherwise"
            )
        if not 0 < deployment.weight < math.inf:
            raise ConfigurationError(
                f"deployment {deployment.name!r} cannot have weight {deployment.weight}",
                hint="give a number above 0; who is not to be asked is left out of the route",
            )
        path = _path_to(prefix + name, deployment, seen)
        if path:
            raise ConfigurationError(
                f"route {name!r} would ask itself, through {' and '.join(path)}",
                hint="take the deployment out of the route, or call the other route otherwise",
            )
    return tuple(everyone.values())


def models_behind(deployment: Deployment) -> frozenset[str]:
    """Full names of the models that a deployment asks: its own, or those of its route."""
    model = deployment.model
    return model.models if isinstance(model, _Route) else frozenset((deployment.profile.full_name,))


def _path_to(route: str, deployment: Deployment, seen: set[int]) -> list[str]:
    """Names on the way from a deployment to a route of this name; none where no way leads there."""
    model = deployment.model
    if not isinstance(model, _Route) or id(model) in seen:
        return []
    if model.name == route:
        return [deployment.name]
    seen.add(id(model))
    for inner in model.deployments:
        path = _path_to(route, inner, seen)
        if path:
            return [deployment.name, *path]
    return []
