"""From a table of routes to language models: every deployment made once, shared by the routes that name it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType

from rag_engine.llm.deployment import Deployment
from rag_engine.llm.failover_handler import FailoverPolicy
from rag_engine.llm.model_catalog import ModelCatalog
from rag_engine.llm.router import RoutedModel
from rag_engine.llm.routes.active_probes import ActiveProbes
from rag_engine.llm.routes.entries import ROUTE, RouteEntry, RouteTable
from rag_engine.llm.routes.leaves import leaves
from rag_engine.llm.routes.making_deployments import DeploymentMaker
from rag_engine.llm.routes.making_routes import make_route
from rag_engine.llm.routes.route_file import read_routes_file
from rag_engine.llm.transport import Transport, WireLimits
from rag_engine.protocols import CallLedger, HealthLedger, ModelSelector


class Routes(Mapping[str, RoutedModel]):
    """Routes by name, each a language model. ``async with`` or ``aclose`` closes their connections."""

    def __init__(
        self,
        routes: Mapping[str, RoutedModel],
        deployments: Mapping[str, Deployment],
        *,
        leads_to: Mapping[str, tuple[str, ...]],
        probe_seconds: Mapping[str, float],
        window_seconds: float,
        transport: Transport,
    ) -> None:
        """``deployments`` are those of providers, by name; ``leads_to`` says which of them a route may ask, and
        ``probe_seconds`` which are probed."""
        self._routes = routes
        self.deployments = deployments
        self.leads_to = leads_to
        self._probe_seconds = probe_seconds
        self._window_seconds = window_seconds
        self._transport = transport

    def __getitem__(self, name: str) -> RoutedModel:
        return self._routes[name.removeprefix(ROUTE)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._routes)

    def __len__(self) -> int:
        return len(self._routes)

    def probes(self, route: str) -> ActiveProbes | None:
        """What probes those of a route's deployments that are to be probed, not begun yet; None where there are
        none."""
        seconds = {name: self._probe_seconds[name] for name in self.leads_to[route] if name in self._probe_seconds}
        return ActiveProbes(self.deployments, seconds, window_seconds=self._window_seconds) if seconds else None

    def record_health(self) -> None:
        """Keeps how the deployments did that were asked of late: breakers tell of themselves only while they go on."""
        for deployment in self.deployments.values():
            deployment.breaker.record()

    async def aclose(self) -> None:
        """Closes the running loop's connections."""
        await self._transport.aclose()

    async def __aenter__(self) -> Routes:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def open_routes(
    file: str | Path,
    *,
    limits: WireLimits | None = None,
    catalog: ModelCatalog | None = None,
    ledger: CallLedger | None = None,
    health: HealthLedger | None = None,
    selector: ModelSelector | None = None,
    max_output_tokens: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> Routes:
    """The routes that a file describes, by name; nothing is sent yet.

    ``limits`` hold for every call, and their deadline for an answer of a route that says none. ``health`` keeps how
    deployments do over restarts, ``ledger`` what calls cost; without it budgets a day are not to be had. ``selector``
    tells the quality to be expected. ``max_output_tokens`` bounds answers to prompts without a bound of their own. A
    deployment without its key is never asked, which is logged once.

    Raises:
        ConfigurationError: the file cannot be read or does not fit; names file, table and key, and says the mend.
    """
    return open_route_table(
        read_routes_file(Path(file).expanduser()),
        limits=limits,
        catalog=catalog,
        ledger=ledger,
        health=health,
        selector_for=lambda _: selector,
        max_output_tokens=max_output_tokens,
        environment=environment,
    )


def open_route_table(
    said: RouteTable,
    *,
    limits: WireLimits | None = None,
    catalog: ModelCatalog | None = None,
    ledger: CallLedger | None = None,
    health: HealthLedger | None = None,
    selector_for: Callable[[RouteEntry], ModelSelector | None] = lambda _: None,
    max_output_tokens: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> Routes:
    """As ``open_routes``, of a table that is read already."""
    limits = WireLimits() if limits is None else limits
    transport = Transport(limits=limits)
    maker = DeploymentMaker(
        said,
        transport=transport,
        catalog=ModelCatalog() if catalog is None else catalog,
        ledger=ledger,
        health=health,
        max_output_tokens=max_output_tokens,
        environment=environment,
    )
    routes: dict[str, RoutedModel] = {}
    policy = FailoverPolicy(deadline_seconds=limits.deadline)
    for name in said.routes:
        make_route(name, said, maker=maker, made=routes, policy=policy, selector_for=selector_for, ledger=ledger)
    return Routes(
        {name: routes[name] for name in said.routes},
        maker.made,
        leads_to={name: leaves(name, said) for name in said.routes},
        probe_seconds={
            name: entry.probe_seconds
            for name, entry in said.deployments.items()
            if entry.probe_seconds is not None and name in maker.made
        },
        window_seconds=said.breaker.window_seconds,
        transport=transport,
    )
