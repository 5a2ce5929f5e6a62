"""Records of how a route chooses among models, of how these do, and of what was learnt of their answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rag_engine.types.models import ModelTask


class Check(StrEnum):
    """What a model must pass before it is asked."""

    KEY = "key"
    TAGS = "tags"
    PRIVACY = "privacy"
    ABILITIES = "abilities"
    WINDOW = "window"
    PRICE = "price"
    QUALITY = "quality"
    HEALTH = "health"
    LIMITS = "limits"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True)
class QualityEstimate:
    """The quality to be expected of a model's answer, in [0, 1], the interval that holds it with a probability of 90 %,
    and the number of past answers that speak for it; 0 where it stands in the model's profile."""

    mean: float
    low: float
    high: float
    observations: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """One deployment as a route saw it.

    ``place`` is its place in the order in which they are asked, from 1; None where it is left, and then ``failed`` is
    the check that it did not pass. ``reason`` says either in words. ``cost`` is in US dollars, ``seconds`` until the
    whole answer is there; None where nothing is known.
    """

    deployment: str
    model: str
    place: int | None
    reason: str
    failed: Check | None = None
    cost: float | None = None
    seconds: float | None = None
    quality: QualityEstimate | None = None


@dataclass(frozen=True, slots=True)
class RouteDecision:
    """Why a route asks whom: every deployment, those that are asked first, in their order."""

    route: str
    strategy: str
    task: ModelTask
    input_tokens: int
    candidates: tuple[Candidate, ...]

    @property
    def chosen(self) -> Candidate | None:
        """The one that is asked first; None where all are unfit."""
        return next((candidate for candidate in self.candidates if candidate.place == 1), None)


class BreakerState(StrEnum):
    """Whether a deployment is asked: as ever, not at all, or once, to see whether it is well again."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class DeploymentHealth:
    """How a deployment does, as all processes on the machine know it.

    Times are seconds since 1970. ``until`` is when an open breaker lets the next probe through, ``open_seconds`` how
    long it was opened for, ``cause`` the code of the error that opened it. ``failures`` and ``calls`` are those of the
    breaker's window, as it was at ``counted``. ``changed`` is when it opened or closed last, 0 for never.
    ``first_token_seconds`` and ``token_seconds`` are decaying averages, None where nothing is known.
    """

    deployment: str
    state: BreakerState = BreakerState.CLOSED
    until: float = 0.0
    open_seconds: float = 0.0
    cause: str = ""
    failures: int = 0
    calls: int = 0
    first_token_seconds: float | None = None
    token_seconds: float | None = None
    changed: float = 0.0
    counted: float = 0.0


@dataclass(frozen=True, slots=True)
class ModelOutcome:
    """How good a model's answer to a question was, in [0, 1], and what it took: US dollars (None where unknown) and
    seconds. ``when`` is in seconds since 1970, 0 for now."""

    question: str
    task: ModelTask
    model: str
    quality: float
    cost: float | None = None
    seconds: float | None = None
    when: float = 0.0


@dataclass(frozen=True, slots=True)
class DeploymentStanding:
    """How a configured deployment does. ``routes`` are those that name it. ``probed`` is how a probe of now ended:
    ``ok`` or the code of an error, empty where none was made; ``probe_seconds`` is what it took."""

    deployment: str
    model: str
    routes: tuple[str, ...]
    health: DeploymentHealth
    probed: str = ""
    probe_seconds: float | None = None
