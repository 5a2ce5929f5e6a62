"""What a failover handler is told: whom to ask, in which order, and how far it may go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from rag_engine.error_handler import RetryPolicy
from rag_engine.llm.deployment import Deployment
from rag_engine.types.models import Ability
from rag_engine.types.routing import Candidate


class MidStream(StrEnum):
    """What becomes of a stream whose model fails after it has begun."""

    RESTART = "restart"
    """Another model begins anew; the reader is told by StreamRestarted that what it has is void."""
    BUFFER = "buffer"
    """Nothing is handed out before all of it is there; nobody notices."""
    RAISE = "raise"
    """The error is raised."""


@dataclass(frozen=True, slots=True)
class FailoverPolicy:
    """How far to go for an answer.

    ``retry`` is how often and how patiently one deployment is asked. ``deadline_seconds`` holds for all attempts and
    waits together where the prompt has no deadline. A stream whose first token is not there after
    ``first_token_seconds`` is given up, of a model that reasons before it writes, or that runs on this machine, after
    ``patient_seconds``: neither is ill. A limit that is free again within ``longest_wait`` seconds is waited for.
    ``hedge_quantile`` is the share of calls that begin to answer sooner than a second deployment is asked beside the
    first, for at most ``hedge_share`` of the calls; 0 for neither. With ``complete_by_stream`` a whole answer is read
    as a stream too, where the model has such: only a stream shows soon that none comes, that it stalls or is cut.
    """

    retry: RetryPolicy = field(default_factory=lambda: RetryPolicy(attempts=2))
    deadline_seconds: float = 120.0
    first_token_seconds: float = 10.0
    patient_seconds: float = 60.0
    longest_wait: float = 10.0
    mid_stream: MidStream = MidStream.RESTART
    hedge_quantile: float = 0.97
    hedge_share: float = 0.05
    complete_by_stream: bool = True

    def first_token_of(self, deployment: Deployment) -> float:
        """Seconds after which this one is given up if nothing has come of it."""
        patient = deployment.local or Ability.REASONING in deployment.profile.abilities
        return max(self.first_token_seconds, self.patient_seconds) if patient else self.first_token_seconds


@dataclass(frozen=True, slots=True)
class Plan:
    """Whom to ask for one prompt.

    ``ranked`` are the deployments that are fit, the best first; they are only found as far as they are asked for.
    ``left`` gives those that are not, for the error that says so. ``for_longer`` are asked where the prompt is longer
    than a window after all, ``for_refused`` where a provider's rules stand against it: without them a refusal is
    final. ``input_tokens`` and ``output_tokens`` are the most to be expected.
    """

    route: str
    ranked: Iterable[Deployment]
    left: Callable[[], Sequence[Candidate]]
    for_longer: Sequence[Deployment] = ()
    for_refused: Sequence[Deployment] = ()
    input_tokens: int = 0
    output_tokens: int = 0
