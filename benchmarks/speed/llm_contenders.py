"""Libraries that ask a language model, each a program in an environment of its own, driven batch by batch."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.peers.environments import Environments, PeerEnvironmentError, environment_variables

FOLDER = Path(__file__).resolve().parent / "llm_programs"
REPOSITORY = FOLDER.parents[2]
REQUIREMENTS = REPOSITORY / "benchmarks" / "faults" / "peers" / "requirements"
OURS = "rag_engine"
BASELINE = "httpx"
FLOOR = "socket"
# Of each program the ways that are measured in it; raw httpx is one of each, in its own version and process.
WAYS = {
    OURS: (OURS, BASELINE, FLOOR),
    "litellm": ("litellm", "litellm_router", BASELINE),
    "openai": ("openai", BASELINE),
}


class ContenderError(Exception):
    """A contender's environment cannot be made, or its program did not go through."""


@dataclass
class Contender:
    """A contender's program while it is entered; ``start`` is what it said of its beginning. ``program`` is part of the
    file's name, the contender's own name unless it is given."""

    name: str
    python: Path
    url: str
    ways: tuple[str, ...]
    start: dict[str, Any] = field(default_factory=dict)
    program: str = ""

    def __enter__(self) -> Contender:
        environment = environment_variables()
        environment["PYTHONPATH"] = str(REPOSITORY) if self.name == OURS else ""
        # A proxy of the machine, or somebody's address for OpenAI, is none of this.
        # Nor is it that bytecode is kept of what pip installed, and not of what stands in a repository.
        unwanted = ("_proxy", "openai_base_url", "openai_api_base", "pythondontwritebytecode")
        environment = {name: value for name, value in environment.items() if not name.lower().endswith(unwanted)}
        self._complaints = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [str(self.python), str(FOLDER / f"{self.program or self.name}_program.py"), self.url, *self.ways],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
            env=environment,
        )
        try:
            self.start = self._line()
        except ContenderError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._complaints.close()

    def batch(self, way: str, kind: str, count: int) -> dict[str, Any]:
        """What ``count`` answers took, one after another: ``seconds`` of each, ``first`` of each stream's first chunk,
        ``processor`` seconds of all together.

        Raises:
            ContenderError: the program ended.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"way": way, "kind": kind, "count": count}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise ContenderError(f"{self.name} ended") from error
        return self._line()

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):  # libraries print other things too
                record: dict[str, Any] = json.loads(line)
                return record
        status = self._process.wait()
        self._complaints.seek(0)
        lines = self._complaints.read().decode("utf-8", "replace").split("\n")
        complaint = next((line.strip() for line in reversed(lines) if line.strip()), "nothing on stderr")
        raise ContenderError(f"{self.name} ended with status {status}: {complaint}")


def interpreters(names: Iterable[str], environments: Environments) -> tuple[dict[str, Path], dict[str, str]]:
    """Those of the contenders that can be run, by name, and of the others why not; each of these is said."""
    pythons: dict[str, Path] = {}
    not_run: dict[str, str] = {}
    for name in dict.fromkeys(names):
        try:
            pythons[name] = interpreter(name, environments)
        except ContenderError as error:
            not_run[name] = str(error)
            print(f"{name} was not run: {error}", file=sys.stderr)
    return pythons, not_run


def interpreter(name: str, environments: Environments) -> Path:
    """The contender's, its environment made where it is not.

    Raises:
        ContenderError: the environment cannot be made.
    """
    if name == OURS:
        return Path(sys.executable)
    try:
        return environments.made(name, REQUIREMENTS / f"{name}.txt")
    except PeerEnvironmentError as error:
        raise ContenderError(str(error)) from error
