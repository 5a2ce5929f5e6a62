"""Says how the configured deployments do, and asks each once where that is wanted."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from rag_engine.llm.deployment import Deployment
from rag_engine.llm.routes import KeylessModel, ProbeOutcome, Routes, probe
from rag_engine.protocols import HealthLedger
from rag_engine.types.routing import BreakerState, DeploymentHealth, DeploymentStanding

WELL = "ok"
# Deployments that are probed at a time: of a thousand, none waits behind one that does not answer.
_AT_A_TIME = 20


class StandingsJob:
    """Looks at the deployments of routes."""

    def __init__(self, *, routes: Routes, ledger: HealthLedger) -> None:
        """``ledger`` holds what other processes know of them."""
        self._routes = routes
        self._ledger = ledger

    async def standings(self, *, probed: bool = False) -> list[DeploymentStanding]:
        """Of every deployment, in the order in which they are named. With ``probed`` each is asked for one token first,
        whatever its breaker says: one that answers is asked by all from then on."""
        outcomes = await self._probes() if probed else {}
        known = self._ledger.health()
        routes_of: dict[str, tuple[str, ...]] = {}
        for route, names in self._routes.leads_to.items():
            for name in names:
                routes_of[name] = (*routes_of.get(name, ()), route)
        standings = []
        for name, deployment in self._routes.deployments.items():
            health = known.get(name) or deployment.breaker.health()
            if isinstance(deployment.model, KeylessModel):
                health = DeploymentHealth(name, cause=deployment.model.code)
            outcome = outcomes.get(name)
            standings.append(
                DeploymentStanding(
                    deployment=name,
                    model=deployment.model.name,
                    routes=routes_of.get(name, ()),
                    health=_as_of_now(health),
                    probed="" if outcome is None else _told(outcome),
                    probe_seconds=None if outcome is None else outcome.seconds,
                )
            )
        return standings

    async def _probes(self) -> dict[str, ProbeOutcome]:
        places = asyncio.Semaphore(_AT_A_TIME)

        async def one(deployment: Deployment) -> ProbeOutcome:
            async with places:
                permit = deployment.breaker.acquire()
                outcome = await probe(deployment, permit=permit)
                if permit is None and outcome.error is None:
                    self._ledger.record_health(_well_again(deployment))
                return outcome

        try:
            outcomes = await asyncio.gather(*(one(deployment) for deployment in self._routes.deployments.values()))
        finally:
            await self._routes.aclose()
        return {outcome.deployment: outcome for outcome in outcomes}


def _told(outcome: ProbeOutcome) -> str:
    return WELL if outcome.error is None else outcome.error.code


def _well_again(deployment: Deployment) -> DeploymentHealth:
    """A deployment that answered although its breaker was open: nobody need wait for its time any longer."""
    return DeploymentHealth(deployment.name, state=BreakerState.CLOSED, changed=time.time())


def _as_of_now(health: DeploymentHealth) -> DeploymentHealth:
    """An open breaker whose time has come lets one call through."""
    if health.state is BreakerState.OPEN and health.until <= time.time():
        return replace(health, state=BreakerState.HALF_OPEN)
    return health
