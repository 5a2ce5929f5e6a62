"""Asks deployments that nobody asks whether they are well, so that no user's question has to find out."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType

from rag_engine.error_handler import verdict_for
from rag_engine.errors import AuthenticationError, RagEngineError
from rag_engine.llm.circuit_breaker import BreakerPermit, BreakerPolicy
from rag_engine.llm.deployment import Deployment
from rag_engine.llm.failover_handler.settlement import is_a_refusal, is_unsent
from rag_engine.llm.rate_limit import RatePermit
from rag_engine.types.conversation import Sampling
from rag_engine.types.generation import Attempt, CallContext, Prompt
from rag_engine.types.routing import BreakerState

# The longest time that an open breaker whose time has come waits to be seen.
_LOOK_SECONDS = 1.0
# As long as this a probe may take: an answer of a token that takes longer is none that users should wait for.
DEADLINE_SECONDS = 30.0
# What a probe reads and writes at most, for limits by the minute.
_INPUT_TOKENS, _OUTPUT_TOKENS = 16, 1
PROBE = replace(Prompt.plain("Say: ok"), sampling=Sampling(max_output_tokens=_OUTPUT_TOKENS))


@dataclass(frozen=True, slots=True)
class ProbeOutcome:
    """How a probe ended: ``error`` is None where the deployment answered. ``attempts`` is what it was billed."""

    deployment: str
    seconds: float
    error: RagEngineError | None = None
    attempts: tuple[Attempt, ...] = ()


async def probe(deployment: Deployment, *, permit: BreakerPermit | None) -> ProbeOutcome:
    """Asks for one token and tells the breaker, by ``permit``, how it went. A cancelled probe says nothing.

    A provider that understands the question and refuses it is well: what is refused is the question.
    """
    started = time.monotonic()
    call = CallContext(deadline=started + DEADLINE_SECONDS)
    failure: RagEngineError | None = None
    attempts: tuple[Attempt, ...] = ()
    try:
        attempts = (await deployment.model.complete(replace(PROBE, call=call))).attempts
    except RagEngineError as error:
        failure = error
        attempts = getattr(error, "attempts", ())
    except BaseException:
        if permit is not None:
            permit.released()
        raise
    if permit is not None:
        _tell(permit, failure)
    return ProbeOutcome(deployment.name, time.monotonic() - started, None if _well(failure) else failure, attempts)


def _well(failure: RagEngineError | None) -> bool:
    if failure is None:
        return True
    return is_a_refusal(failure) and not is_unsent(failure)


def _tell(permit: BreakerPermit, failure: RagEngineError | None) -> None:
    if failure is None or _well(failure):
        permit.succeeded()
    elif is_unsent(failure) and not isinstance(failure, AuthenticationError):
        permit.released()
    else:
        permit.failed(cause=failure.code, cool_down=verdict_for(failure).cool_down)


class ActiveProbes:
    """Probes deployments in the background while it is entered.

    A deployment is probed when its breaker is open and the time for a probe has come, and where nobody asked it for its
    ``probe_seconds``. Exactly one probe runs at a time, whoever else wants one: it takes the breaker's leave. What it
    costs is one token's answer, recorded as every call.
    """

    def __init__(
        self,
        deployments: Mapping[str, Deployment],
        probe_seconds: Mapping[str, float],
        *,
        window_seconds: float = BreakerPolicy().window_seconds,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``probe_seconds`` names those of ``deployments`` that are probed, ``window_seconds`` is for how long breakers
        count a call."""
        self._watched = [
            _Watched(deployments[name], seconds, window_seconds, clock()) for name, seconds in probe_seconds.items()
        ]
        self._clock = clock
        self._starting = threading.Lock()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins, on the running loop, unless it has or there is nothing to be probed."""
        with self._starting:
            if not self.running and self._watched:
                self._task = asyncio.get_running_loop().create_task(self._watch(), name="rag_engine-probes")

    @property
    def running(self) -> bool:
        """Whether it runs, on whichever loop."""
        task = self._task
        return task is not None and not (task.done() or task.get_loop().is_closed())

    async def stop(self) -> None:
        """Ends; when it returns on the loop on which it began, nothing is left of it."""
        if self._task is None or self._task.get_loop() is not asyncio.get_running_loop():
            self.abandon()
            return
        task, self._task = self._task, None
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    def abandon(self) -> None:
        """Has it end soon, from any thread: for those who cannot wait."""
        task, self._task = self._task, None
        if task is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed, and its tasks are with it
                task.get_loop().call_soon_threadsafe(task.cancel)

    async def __aenter__(self) -> ActiveProbes:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _watch(self) -> None:
        shortest = min(watched.seconds for watched in self._watched)
        async with asyncio.TaskGroup() as probes:
            while True:
                for watched in self._watched:
                    if not watched.probing and watched.due(self._clock()):
                        watched.probing = True
                        probes.create_task(self._probe(watched))
                await asyncio.sleep(min(_LOOK_SECONDS, shortest))

    async def _probe(self, watched: _Watched) -> None:
        deployment = watched.deployment
        limited: RatePermit | float | None = None
        permit: BreakerPermit | None = None
        try:
            limited = deployment.limiter.acquire(input_tokens=_INPUT_TOKENS, output_tokens=_OUTPUT_TOKENS)
            if not isinstance(limited, float):
                permit = deployment.breaker.acquire()
                if permit is not None:
                    await probe(deployment, permit=permit)
        finally:
            if limited is not None and not isinstance(limited, float):
                if permit is None:
                    limited.released()
                else:
                    limited.settled(input_tokens=_INPUT_TOKENS, output_tokens=_OUTPUT_TOKENS)
            if permit is not None:
                watched.own.append(self._clock())
            watched.asked = self._clock()
            watched.probing = False


@dataclass(slots=True)
class _Watched:
    """A deployment, and when it was last known to be asked, by the prober's clock."""

    deployment: Deployment
    seconds: float
    window_seconds: float
    asked: float
    calls: int = 0
    own: deque[float] = field(default_factory=deque)
    probing: bool = False

    def due(self, now: float) -> bool:
        """Whether it should be probed now."""
        breaker, load = self.deployment.breaker, self.deployment.load
        if breaker.state is not BreakerState.CLOSED:
            return breaker.seconds_until_probe <= 0 and breaker.available
        while self.own and self.own[0] <= now - self.window_seconds:
            self.own.popleft()
        # The breaker counts late calls: as many as before, or more, are others' that still come in.
        calls = breaker.health().calls - len(self.own)
        if load.under_way or 0 < calls >= self.calls:
            self.asked = now
        self.calls = calls
        return now - self.asked >= self.seconds
