"""How configured deployments do, as it is shown."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from benchmarks.faults.socket_server import Close, SocketServer
from rag_engine.jobs.standings import StandingsJob
from rag_engine.ledger import RoutingLedger
from rag_engine.llm.routes import Routes, open_route_table, read_routes
from rag_engine.types.routing import BreakerState, DeploymentHealth

TWO = (
    '[deployments.a]\nmodel = "vllm/m"\nbase_url = "http://127.0.0.1:9/v1"\n[deployments.b]\nmodel = "ollama/m"\n'
    '[routes.one]\nmodels = ["a", "b"]\n[routes.two]\nmodels = ["route/one"]\n[routes.three]\nmodels = ["b"]\n'
)


def opened(ledger: RoutingLedger, written: str = TWO) -> Routes:
    return open_route_table(read_routes(written, file="routes.toml"), health=ledger, environment={})


def test_every_deployment_is_shown_with_the_routes_that_lead_to_it(tmp_path: Path) -> None:
    ledger = RoutingLedger(tmp_path / "routing.sqlite")
    first, second = asyncio.run(StandingsJob(routes=opened(ledger), ledger=ledger).standings())
    assert (first.deployment, first.model, first.routes) == ("a", "vllm/m", ("one", "two"))
    assert second.routes == ("one", "two", "three")
    assert first.health.state is BreakerState.CLOSED
    assert (first.probed, first.probe_seconds) == ("", None)
    ledger.close()


def test_what_another_process_recorded_is_shown_as_of_now(tmp_path: Path) -> None:
    other = RoutingLedger(tmp_path / "routing.sqlite")
    now = time.time()
    for name, until in (("a", now + 100), ("b", now - 1)):
        other.record_health(
            DeploymentHealth(name, BreakerState.OPEN, until, 100.0, "server", 5, 5, 0.5, 0.01, changed=now - 10)
        )
    other.close()
    ledger = RoutingLedger(tmp_path / "routing.sqlite")
    first, second = asyncio.run(StandingsJob(routes=opened(ledger), ledger=ledger).standings())
    assert (first.health.state, first.health.cause, first.health.calls) == (BreakerState.OPEN, "server", 5)
    assert second.health.state is BreakerState.HALF_OPEN
    ledger.close()


def test_a_probe_that_fails_leaves_an_open_breaker_open(tmp_path: Path) -> None:
    with SocketServer(lambda request, number: [Close(reset=True)]) as server:
        ledger = RoutingLedger(tmp_path / "routing.sqlite")
        routes = opened(
            ledger, f'[deployments.a]\nmodel = "vllm/m"\nbase_url = "{server.url}/v1"\n[routes.r]\nmodels = ["a"]\n'
        )
        permit = routes.deployments["a"].breaker.acquire()
        assert permit is not None
        permit.failed(cause="quota", cool_down=600.0)
        (standing,) = asyncio.run(StandingsJob(routes=routes, ledger=ledger).standings(probed=True))
        assert standing.probed == "connection_lost"
        assert (standing.health.state, standing.health.cause) == (BreakerState.OPEN, "quota")
        assert len(server.requests) == 1
        ledger.close()
