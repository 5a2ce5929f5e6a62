"""A server's process, from its start to its end."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

HOST = "127.0.0.1"
STOP_SECONDS = 10.0


class ServerError(Exception):
    """A server could not be installed or did not start; the message says why."""


class ServerProcess:
    """A server while it is entered. It is ready once a GET of ``ready_path`` is answered below 500."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        port: int,
        ready_path: str,
        log: Path,
        start_seconds: float,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.url = f"http://{HOST}:{port}"
        self._command = list(command)
        self._port = port
        self._ready_path = ready_path
        self._log = log
        self._start_seconds = start_seconds
        # A proxy of the machine is none of this, nor are modules of ours.
        inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        self._environment = {**inherited, "PYTHONPATH": "", "DO_NOT_TRACK": "1", **(environment or {})}

    def __enter__(self) -> ServerProcess:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment
            )
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + self._start_seconds
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise ServerError(f"{self._command[0]} ended with status {self._process.returncode}: {self._last()}")
            if self._ready():
                return
            time.sleep(0.1)
        raise ServerError(f"{self._command[0]} was not ready after {self._start_seconds:.0f} s: {self._last()}")

    def _ready(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self._port, timeout=5.0)
        try:
            connection.request("GET", self._ready_path)
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _last(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "it wrote nothing")


def free_port() -> int:
    """A port of loopback that nobody listens at now."""
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def run(command: Sequence[str], *, seconds: float, folder: Path | None = None) -> str:
    """What a command printed.

    Raises:
        ServerError: it failed or took longer.
    """
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ServerError(f"{' '.join(command[:3])}: {error}") from error
    if done.returncode != 0:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise ServerError(f"{' '.join(command[:3])}: {lines[-1] if lines else f'status {done.returncode}'}")
    return done.stdout
