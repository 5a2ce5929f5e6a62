"""Two providers in a process of their own, so that they do not compete with the callers for one interpreter."""

from __future__ import annotations

import multiprocessing
import random
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

from benchmarks.faults import wire_openai as openai
from benchmarks.faults.failover_verdicts import FALLBACK, PRIMARY
from benchmarks.faults.socket_server import ReceivedRequest, SocketServer, Step, Wait, chunked, whole

START_SECONDS = 60.0
TEXT = "Paris is the capital."


@dataclass(frozen=True, slots=True)
class Mode:
    """How a provider does: the status that it answers with after ``delay`` seconds, or after seconds drawn from a
    log-normal distribution with this ``median`` and ``sigma``. Of each ``stall_every`` requests in turn one, chosen by
    chance, is answered after ``stall`` seconds; 0 for none."""

    status: int = 200
    delay: float = 0.0
    median: float = 0.0
    sigma: float = 0.0
    stall_every: int = 0
    stall: float = 2.0


FAILING = Mode(status=500)


class Servers:
    """Both while they are entered. ``model`` names are those of the requests."""

    def __init__(self, primary: Mode, fallback: Mode, *, seed: int = 7) -> None:
        self._modes = {PRIMARY: primary, FALLBACK: fallback}
        self._seed = seed

    def __enter__(self) -> Servers:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_serve, args=(there, self._modes, self._seed), daemon=True)
        self._process.start()
        there.close()
        if not self._here.poll(START_SECONDS):
            self._process.kill()
            raise TimeoutError(f"the servers did not start within {START_SECONDS:g} s")
        self.urls: Mapping[str, str] = self._here.recv()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._here.send(None)
        self._process.join(10)
        self._process.kill()
        self._process.join()
        self._here.close()

    def turn(self, provider: str, mode: Mode) -> None:
        """From now on it does so, and what arrived until now is forgotten."""
        self._told(("turn", provider, mode))

    def arrivals(self, provider: str) -> list[float]:
        """When each of its requests arrived, as ``time.monotonic()`` shows it."""
        moments: list[float] = self._told(("arrivals", provider, None))
        return moments

    def _told(self, command: tuple[str, str, Mode | None]) -> Any:
        self._here.send(command)
        return self._here.recv()


class _Provider:
    def __init__(self, mode: Mode, seed: int) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(seed)
        self.turn(mode)

    def turn(self, mode: Mode) -> None:
        with self._lock:
            self.mode, self.arrivals, self._stalls_at = mode, [], 0

    def reply(self, request: ReceivedRequest, _: int) -> Iterable[Step]:
        arrived = time.monotonic()
        with self._lock:
            mode = self.mode
            place = len(self.arrivals)
            self.arrivals.append(arrived)
            seconds = self._seconds(mode, place)
        steps: list[Step] = [Wait(seconds)] if seconds else []
        if mode.status != 200:
            return [*steps, *whole(mode.status, openai.as_json(openai.error("it failed", type="server_error")))]
        if b'"stream":true' in request.body.replace(b" ", b""):
            return [*steps, *chunked(openai.stream(TEXT))]
        return [*steps, *whole(200, openai.as_json(openai.completion(TEXT)))]

    def _seconds(self, mode: Mode, place: int) -> float:
        seconds = self._random.lognormvariate(log(mode.median), mode.sigma) if mode.median else mode.delay
        if mode.stall_every:
            if place % mode.stall_every == 0:
                self._stalls_at = place + self._random.randrange(mode.stall_every)
            if place == self._stalls_at:
                return mode.stall
        return seconds


def _serve(connection: Connection, modes: Mapping[str, Mode], seed: int) -> None:
    providers = {name: _Provider(mode, seed + number) for number, (name, mode) in enumerate(modes.items())}
    with (
        SocketServer(providers[PRIMARY].reply, backlog=4096) as primary,
        SocketServer(providers[FALLBACK].reply, backlog=4096) as fallback,
    ):
        connection.send({PRIMARY: primary.url, FALLBACK: fallback.url})
        while (command := connection.recv()) is not None:
            what, provider, mode = command
            if what == "turn":
                providers[provider].turn(mode)
                connection.send(None)
            else:
                connection.send(list(providers[provider].arrivals))
