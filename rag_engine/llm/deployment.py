"""One model at one place, and what is known of how it does there: what routes choose among."""

from __future__ import annotations

from dataclasses import InitVar, dataclass, field

from rag_engine.llm.circuit_breaker import CircuitBreaker
from rag_engine.llm.deployment_load import DeploymentLoad
from rag_engine.llm.rate_limit import RateLimiter
from rag_engine.protocols import LanguageModel
from rag_engine.types.models import ModelProfile


@dataclass(slots=True, eq=False)
class Deployment:
    """A LanguageModel that tries once, or a route. Routes that name the same deployment share this object, and with it
    what one of them learns of it.

    ``name`` is unique among deployments. ``weight`` is its share of the calls among its equals, ``order`` its level: a
    lower one is asked first. ``local`` says that prompts do not leave the machine. ``budget_per_day`` is in US dollars.
    ``unusable`` says why it cannot be asked at all, such as that its key is not there; empty where it can.
    """

    name: str
    model: LanguageModel
    profile: ModelProfile
    weight: float = 1.0
    order: int = 0
    tags: frozenset[str] = frozenset()
    local: bool = False
    budget_per_day: float | None = None
    unusable: str = ""
    given_breaker: InitVar[CircuitBreaker | None] = None
    limiter: RateLimiter = field(default_factory=RateLimiter)
    load: DeploymentLoad = field(default_factory=DeploymentLoad)
    breaker: CircuitBreaker = field(init=False)

    def __post_init__(self, given_breaker: CircuitBreaker | None) -> None:
        self.breaker = CircuitBreaker(self.name) if given_breaker is None else given_breaker
