"""A virtual environment per peer, with pinned versions, made once."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.peers.catalogue import OURS, Peer
from rag_engine.embedding.model_source import PINNED_PACKAGE, PINNED_WEIGHTS

INSTALL_SECONDS = 1800
# Of each environment: no hub, no telemetry.
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
    "ANONYMIZED_TELEMETRY": "False",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "LANGCHAIN_TRACING_V2": "false",
    "ORT_DISABLE_TELEMETRY": "1",
}


class PeerEnvironmentError(Exception):
    """A virtual environment could not be made; the message says why."""


class Environments:
    """The virtual environments below one folder. Ours is the interpreter that runs this."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def python(self, peer: Peer) -> Path:
        """The peer's interpreter, its environment made where it is absent or its requirements have changed.

        Raises:
            PeerEnvironmentError: pip failed, or the weights are others than ours.
        """
        if peer.name == OURS:
            return Path(sys.executable)
        return self.made(peer.name, peer.requirements)

    def made(self, name: str, requirements: Path) -> Path:
        """The interpreter of an environment that holds ``requirements``."""
        folder = self._folder / name
        python, stamp = folder / "bin" / "python", folder / "installed"
        wanted = _digest(requirements)
        if not stamp.is_file() or stamp.read_text() != wanted:
            print(f"making the environment {name} ...", file=sys.stderr)
            if not python.exists():
                _run([sys.executable, "-m", "venv", str(folder)])
            _run(
                [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(requirements)]
            )
            stamp.write_text(wanted)
        return python

    def model(self, peer: Peer) -> Path:
        """The folder of the model in the peer's environment, its weights compared with those that are pinned."""
        root = Path(sys.prefix) if peer.name == OURS else self._folder / peer.name
        folder = next(root.glob(f"lib/python3*/site-packages/{PINNED_PACKAGE}/model"), None)
        if folder is None:
            raise PeerEnvironmentError(f"the environment of {peer.name} holds no {PINNED_PACKAGE}")
        with (folder / "model.safetensors").open("rb") as weights:
            if hashlib.file_digest(weights, "sha256").hexdigest() != PINNED_WEIGHTS:
                raise PeerEnvironmentError(f"{folder} holds other weights than the pinned ones")
        return folder

    def version(self, peer: Peer) -> str:
        """The version of the peer's distribution."""
        if peer.name == OURS:
            return importlib.metadata.version(peer.distribution)
        code = f"import importlib.metadata; print(importlib.metadata.version({peer.distribution!r}))"
        return _run([str(self.python(peer)), "-c", code]).strip()


def environment_variables() -> dict[str, str]:
    """Those of this process, with hubs and telemetry switched off; threads are left to each library."""
    return {**os.environ, **OFFLINE, "PYTHONPATH": ""}


def _digest(requirements: Path) -> str:
    lines = requirements.read_text()
    included = [line.split()[1] for line in lines.splitlines() if line.startswith("-r ")]
    return hashlib.sha256(
        "".join([lines, *((requirements.parent / name).read_text() for name in included)]).encode()
    ).hexdigest()


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerEnvironmentError(f"{' '.join(command[:4])}: {error}") from error
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if "WARNING" not in line and line.strip()]
        raise PeerEnvironmentError(lines[-1].strip() if lines else f"{' '.join(command[:4])} failed")
    return done.stdout
