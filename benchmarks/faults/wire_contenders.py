"""Who is asked over the faulty wire, each a program of its own in an environment of its own."""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.faults.socket_server import ReceivedRequest, SocketServer, Step
from benchmarks.faults.wire_faults import WireCase
from benchmarks.faults.wire_outcomes import Evidence, Outcome
from benchmarks.peers.environments import Environments, PeerEnvironmentError, environment_variables

FOLDER = Path(__file__).resolve().parent / "peers"
REPOSITORY = FOLDER.parents[2]
OURS = "rag_engine"
NAMES = (OURS, "openai", "litellm", "pydantic_ai")
# Longer than any server of these cases goes on: who takes more hangs for good.
LONGEST_SECONDS = 60.0
START_SECONDS = 120.0


class ContenderError(Exception):
    """A contender's program did not start, or did not answer."""


@dataclass
class Contender:
    """A contender's program while it is entered."""

    name: str
    python: Path
    program: Path
    version: str = ""
    _process: subprocess.Popen[str] | None = field(default=None, repr=False)

    def __enter__(self) -> Contender:
        environment = environment_variables()
        if self.name.startswith(OURS):
            environment["PYTHONPATH"] = str(REPOSITORY)
        # A proxy of the machine is none of this.
        environment = {name: value for name, value in environment.items() if not name.lower().endswith("_proxy")}
        self._complaints = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [str(self.python), str(self.program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
            env=environment,
        )
        try:
            self.version = str(self._line(START_SECONDS)["version"])
        except ContenderError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        self._complaints.close()

    def ask(self, url: str, *, stream: bool, timeout: float) -> Outcome:
        """One call.

        Raises:
            ContenderError: the program ended, or was silent for a minute.
        """
        return Outcome.from_json(self.tell({"url": url, "stream": stream, "timeout": timeout}, seconds=LONGEST_SECONDS))

    def tell(self, command: Mapping[str, Any], *, seconds: float) -> dict[str, Any]:
        """What the program prints for one line of its own kind.

        Raises:
            ContenderError: the program ended, or was silent for so many ``seconds``.
        """
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise ContenderError(f"{self.name} ended") from error
        return self._line(seconds)

    def _complaint(self) -> str:
        """The last line that it wrote to stderr."""
        self._complaints.seek(0)
        lines = self._complaints.read().decode("utf-8", "replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "nothing on stderr")

    def _line(self, seconds: float) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while selector.select(max(deadline - time.monotonic(), 0)):
                line = self._process.stdout.readline()
                if not line:
                    raise ContenderError(f"{self.name} ended with status {self._process.wait()}: {self._complaint()}")
                if line.startswith("{"):  # libraries print other things too
                    record: dict[str, Any] = json.loads(line)
                    return record
        raise ContenderError(f"{self.name} said nothing for {seconds:.0f} s")


def contender(name: str, environments: Environments) -> Contender:
    """A contender with its environment made.

    Raises:
        ContenderError: the environment cannot be made.
    """
    program = FOLDER / f"{name}_peer.py"
    if name == OURS:
        return Contender(name, Path(sys.executable), program)
    try:
        return Contender(name, environments.made(name, FOLDER / "requirements" / f"{name}.txt"), program)
    except PeerEnvironmentError as error:
        raise ContenderError(str(error)) from error


def examine(case: WireCase, ask: Callable[[str], Outcome]) -> Evidence:
    """What came of a case: ``ask`` is given the address of a server that does what the case says."""
    arrivals: list[float] = []

    def reply(request: ReceivedRequest, number: int) -> Iterable[Step]:
        arrivals.append(time.monotonic())
        return case.reply(request, number)

    with SocketServer(reply) as server:
        outcomes = [ask(server.url) for _ in range(case.asks)]
        requests = tuple(server.requests)
    return Evidence(
        outcomes, case.timeout, requests, tuple(moment - arrivals[0] for moment in arrivals[: len(requests)])
    )
