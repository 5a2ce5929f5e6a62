"""What a file says of deployments and routes, read and checked, before anything is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rag_engine.llm.circuit_breaker import BreakerPolicy
from rag_engine.llm.failover_handler import MidStream
from rag_engine.llm.rate_limit import RateLimits
from rag_engine.types.secret import Secret

ROUTE = "route/"
"""Before a route's name where models are named."""
SETTINGS_ROUTE = "llm.model"
"""The route of a model that is no route itself, and of its fallbacks."""


@dataclass(frozen=True, slots=True)
class DeploymentEntry:
    """One model at one place. ``place`` says where that was written, for errors about it.

    ``local`` None: told from the address. ``probe_seconds``: a probe is made when it was not asked for so long; None
    for never. ``key`` is given by settings, never by a file of routes. The rest is as in ``Deployment``.
    """

    name: str
    model: str
    place: str
    base_url: str | None = None
    api_version: str | None = None
    key: Secret | None = None
    key_file: str | None = None
    key_variable: str | None = None
    weight: float = 1.0
    order: int = 0
    tags: frozenset[str] = frozenset()
    local: bool | None = None
    limits: RateLimits = field(default_factory=RateLimits)
    budget_per_day: float | None = None
    probe_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """One route. Models are names of deployments, ``PROVIDER/MODEL`` or ``route/NAME``; what is None is as the failover
    handler has it."""

    name: str
    models: tuple[str, ...]
    place: str
    strategy: str = "priority"
    quality_floor: float | None = None
    local_only: bool = False
    tags: frozenset[str] = frozenset()
    for_longer: tuple[str, ...] = ()
    for_refused: tuple[str, ...] = ()
    budget_per_day: float | None = None
    attempts: int | None = None
    deadline_seconds: float | None = None
    first_token_seconds: float | None = None
    patient_seconds: float | None = None
    hedge_quantile: float | None = None
    hedge_share: float | None = None
    mid_stream: MidStream | None = None

    @property
    def named(self) -> tuple[tuple[str, str], ...]:
        """Every model that it names, with the key under which it does."""
        lists = (("models", self.models), ("for_longer", self.for_longer), ("for_refused", self.for_refused))
        return tuple((key, model) for key, models in lists for model in models)


@dataclass(frozen=True, slots=True)
class RouteTable:
    """All that a file says. ``provider_budgets`` are US dollars a day."""

    deployments: Mapping[str, DeploymentEntry] = field(default_factory=dict)
    routes: Mapping[str, RouteEntry] = field(default_factory=dict)
    provider_budgets: Mapping[str, float] = field(default_factory=dict)
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)
