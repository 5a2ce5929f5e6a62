"""A program: a route with ledgers, that is asked without a pause, is forked many times over.

In an interpreter of its own, so that a child holds nothing of other tests. Every child asks over sockets of its own and
records; one that hangs is told to say where, and is killed. Prints what became of each, as JSON.
"""

from __future__ import annotations

import asyncio
import faulthandler
import itertools
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from benchmarks.routing.soak_answers import prompt_of, text_of
from benchmarks.routing.soak_route import route_over, transport
from rag_engine.errors import GenerationError
from rag_engine.ledger import ROUTING_FILE_NAME, USAGE_FILE_NAME, Ledger, RoutingLedger, UsageLedger
from rag_engine.llm.router import RoutedModel
from rag_engine.types.calls import CallRecord
from rag_engine.types.routing import BreakerState, DeploymentHealth

CHILDREN = 20
CALLS = 6
ROWS = 25
# Far longer than a child takes: its calls end by their deadlines.
PATIENCE_SECONDS = 60.0


def row(name: str, number: int) -> CallRecord:
    """An attempt that is told from all others."""
    return CallRecord(name, number, "nobody", "none", time.time(), 0.0, "stop", None)


def health(name: str) -> DeploymentHealth:
    """That of a deployment which nobody else has."""
    return DeploymentHealth(name, BreakerState.OPEN, time.time() + 60, 1.0, "server", 1, 1, None, None, time.time())


async def answers(route: RoutedModel, numbers: Sequence[int]) -> int:
    """How many of the calls were answered, all of them rightly; others ended in a typed error."""
    answered = 0
    for number in numbers:
        try:
            completion = await route.complete(prompt_of(number))
        except GenerationError:
            continue
        assert completion.text == text_of(number)
        answered += 1
    return answered


class Forking:
    """The parent: threads with a loop each ask, others record, while it forks."""

    def __init__(self, folder: Path, urls: Sequence[str]) -> None:
        self.usage = UsageLedger(folder / USAGE_FILE_NAME, budget_per_day=1e6)
        self.routing = RoutingLedger(folder / ROUTING_FILE_NAME)
        self.learnt = Ledger(folder / "ledger.sqlite")
        self.folder = folder
        self.route = route_over(urls, transport(), ledger=self.usage, health=self.routing)
        self.over = threading.Event()
        self.numbers = itertools.count()
        self.recorded = self.wrong = 0

    def ask(self) -> None:
        try:
            while not self.over.is_set():
                asyncio.run(answers(self.route, [next(self.numbers) for _ in range(10)]))
        except BaseException:
            self.wrong += 1
            raise

    def record(self) -> None:
        while not self.over.is_set():
            self.record_once()
            if self.recorded % 50 == 0:
                self.usage.flush()
            time.sleep(0.0002)

    def record_once(self) -> None:
        self.recorded += 1
        self.usage.record(row("parent", self.recorded))
        self.routing.record_health(health("parent"))
        self.usage.spent()
        self.learnt.gains()

    def child(self, number: int) -> int:
        answered = asyncio.run(answers(self.route, range(100_000 + CALLS * number, 100_000 + CALLS * (number + 1))))
        self.usage.reserve(model="nobody/none", cost=0.0)
        for attempt in range(ROWS):
            self.usage.record(row(f"child {number}", attempt))
        self.routing.record_health(health(f"child {number}"))
        assert f"child {number}" in self.routing.health()
        self.routing.claim_probe(f"child {number}", seconds=1.0)
        self.learnt.gains()
        self.usage.spent()
        time.sleep(0.05 * (number % 3))  # so that some write after their parent has closed its files for the next fork
        self.usage.record(row(f"child {number}", ROWS))
        for ledger in (self.usage, self.routing, self.learnt):
            ledger.close()
        return answered

    def forked(self, number: int) -> int:
        told = self.folder / f"child-{number}.txt"
        child = os.fork()
        if child:
            return child
        code = 1
        try:
            with told.open("w") as file:
                faulthandler.register(signal.SIGUSR1, file=file, all_threads=True)
                faulthandler.enable(file=file)
                file.write(f"{self.child(number)}\n")
            code = 0
        except BaseException:  # noqa: BLE001 - told to who waits
            told.write_text(traceback.format_exc())
        finally:
            os._exit(code)


def ended(child: int, seconds: float) -> int | None:
    """Its exit code; None where it had to be killed."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGUSR1)
    time.sleep(1.0)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def main(folder: Path, urls: Sequence[str]) -> None:
    forking = Forking(folder, urls)
    # It forks once it works: what a thread is importing at that moment, the child could never import.
    asyncio.run(answers(forking.route, [next(forking.numbers) for _ in range(10)]))
    forking.record_once()
    threads = [threading.Thread(target=work) for work in (forking.ask, forking.ask, forking.record)]
    for thread in threads:
        thread.start()
    children = []
    for number in range(CHILDREN):
        time.sleep(0.01 * (number % 5))
        children.append(forking.forked(number))
    codes = [ended(child, PATIENCE_SECONDS) for child in children]
    forking.over.set()
    for thread in threads:
        thread.join()
    said = [(folder / f"child-{number}.txt").read_text() for number in range(CHILDREN)]
    forking.usage.close()
    forking.routing.close()
    json.dump({"codes": codes, "said": said, "recorded": forking.recorded, "wrong": forking.wrong}, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
