"""The route of a soak: as many deployments as there are servers, with limits so small that no fault is waited for long.

What is given to a call in seconds is small beside what a provider's model needs, so that a soak ends; beside a healthy
answer of these servers, which takes milliseconds, it is as large as the real limits are beside real answers.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.routing.soak_answers import MODEL
from rag_engine.error_handler import RetryPolicy
from rag_engine.llm.circuit_breaker import BreakerPolicy, CircuitBreaker
from rag_engine.llm.deployment import Deployment
from rag_engine.llm.failover_handler import FailoverHandler, FailoverPolicy, MidStream
from rag_engine.llm.opening import provider_model
from rag_engine.llm.router import RoutedModel
from rag_engine.llm.transport import Transport, WireLimits
from rag_engine.protocols import CallLedger, HealthLedger
from rag_engine.types.secret import Secret

LIMITS = WireLimits(deadline=4.0, connect=1.0, write=1.0, first_byte=0.5, idle=0.3, minimum_rate=1.0, rate_window=2.0)
BREAKERS = BreakerPolicy(least_calls=20, window_seconds=2.0, open_seconds=0.1, longest_open_seconds=1.0)
FAILOVER = FailoverPolicy(
    retry=RetryPolicy(attempts=2, first_wait=0.01, longest_wait=0.1),
    deadline_seconds=4.0,
    first_token_seconds=0.4,
    longest_wait=0.2,
    mid_stream=MidStream.RESTART,
)
CONNECTIONS = 500


def transport() -> Transport:
    """The wire that the deployments share."""
    return Transport(limits=LIMITS, connections=CONNECTIONS)


def route_over(
    urls: Sequence[str],
    wire: Transport,
    *,
    strategy: str = "weighted",
    ledger: CallLedger | None = None,
    health: HealthLedger | None = None,
) -> RoutedModel:
    """A route of one deployment a server, all of one level, and of one model, so that each answers each question."""
    deployments = []
    for number, url in enumerate(urls, 1):
        model = provider_model(
            MODEL, transport=wire, base_url=url, key=Secret("sk-of-nobody-0123456789"), ledger=ledger, environment={}
        )
        name = f"server-{number}"
        breaker = CircuitBreaker(name, policy=BREAKERS, ledger=health)
        deployments.append(Deployment(name=name, model=model, profile=model.profile, given_breaker=breaker))
    return RoutedModel(
        name="soak", deployments=deployments, strategy=strategy, failover=FailoverHandler(policy=FAILOVER)
    )
