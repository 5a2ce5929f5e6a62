"""Where compiled models are kept: one folder each, named by everything that decides its content; whole or absent."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import logging
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from rag_engine.embedding.compiled.manifest import Manifest
from rag_engine.embedding.model_source import ModelFiles

logger = logging.getLogger(__name__)

# Raised whenever the same model would be compiled to other programs.
FORMAT = 1
COMPILE_SECONDS = 900.0
_UNFINISHED = "unfinished-"
_PROGRAM = (
    "import json, sys; sys.path[:] = json.load(open(sys.argv[1]))['path']; "
    "from rag_engine.embedding.compiled.compiler import main; main()"
)


@dataclass(frozen=True, slots=True)
class CompiledModel:
    """A compiled model's folder and manifest; ``refusal`` says why there is none, where there is none."""

    folder: Path
    manifest: Manifest | None
    refusal: str | None = None


class CompiledModels:
    """The compiled models in a user's cache folder."""

    def __init__(self, folder: Path, *, runtimes: Sequence[str], threads: int) -> None:
        """``runtimes`` are the candidates to choose from, ``threads`` the cores to compile for."""
        self._folder = folder
        self._runtimes = sorted(runtimes)
        self._threads = threads

    def find(self, files: ModelFiles) -> CompiledModel | None:
        """The compiled model, or the reason why this model has none; None where nobody has tried, or it is damaged."""
        folder = self._place(files)
        try:
            manifest = Manifest.read(folder)
            if manifest.refusal is not None:
                return CompiledModel(folder, None, manifest.refusal)
            if all(file.is_whole(folder) for file in manifest.files.values()):
                return CompiledModel(folder, manifest)
            logger.warning("the compiled model in %s is damaged; it is compiled anew", folder)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("the compiled model in %s cannot be read (%s); it is compiled anew", folder, error)
        return None

    def find_or_compile(self, files: ModelFiles) -> CompiledModel:
        """The compiled model, made now where there is none. Several processes may ask at once: one compiles."""
        found = self.find(files)
        if found is not None:
            return found
        folder = self._place(files)
        missing = missing_runtimes(self._runtimes)
        if len(missing) == len(self._runtimes):
            return CompiledModel(folder, None, f"no runtime is installed ({', '.join(missing)})")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self._folder / "compiling.lock", timeout=COMPILE_SECONDS):
                return self.find(files) or self._compile(files, folder)
        except Timeout:
            return CompiledModel(folder, None, f"another process was compiling for {COMPILE_SECONDS:.0f} s")
        except OSError as error:
            return CompiledModel(folder, None, f"the cache folder {self._folder} cannot be used ({error.strerror})")

    def _place(self, files: ModelFiles) -> Path:
        deciding = [
            FORMAT,
            files.weights,
            _configuration_digest(files.folder),
            [f"{package} {version}" for package, version in _versions().items()],
            _processor(),
            self._threads,
            self._runtimes,
        ]
        key = hashlib.sha256(json.dumps(deciding).encode()).hexdigest()
        return self._folder / f"{files.weights[:12]}-{key[:16]}"

    def _compile(self, files: ModelFiles, folder: Path) -> CompiledModel:
        for leftover in self._folder.glob(f"{_UNFINISHED}*"):  # of processes that were killed
            shutil.rmtree(leftover, ignore_errors=True)
        logger.warning("compiling the model %s for this machine, once; it takes about half a minute", files.name)
        unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self._folder))
        try:
            request = unfinished / "request.json"
            request.write_text(
                json.dumps(
                    {
                        "path": sys.path,
                        "folder": str(files.folder),
                        "target": str(unfinished),
                        "threads": self._threads,
                        "runtimes": self._runtimes,
                    }
                ),
                encoding="utf-8",
            )
            try:
                ended = subprocess.run(
                    [sys.executable, "-c", _PROGRAM, str(request)],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=COMPILE_SECONDS,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return CompiledModel(folder, None, f"compiling took more than {COMPILE_SECONDS:.0f} s")
            if ended.returncode:
                return CompiledModel(folder, None, _death(ended))
            request.unlink()
            manifest = Manifest.read(unfinished)
            shutil.rmtree(folder, ignore_errors=True)
            unfinished.rename(folder)
        finally:
            with contextlib.suppress(OSError):
                shutil.rmtree(unfinished, ignore_errors=True)
        return CompiledModel(folder, None if manifest.refusal else manifest, manifest.refusal)


def missing_runtimes(runtimes: Sequence[str]) -> list[str]:
    """Packages of these candidates that are not installed."""
    versions = _versions()
    return [runtime for runtime in runtimes if runtime.partition("-")[0] not in versions]


def _versions() -> dict[str, str]:
    found = {}
    for package in ("openvino", "onnxruntime"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def _configuration_digest(folder: Path) -> str:
    """Of every configuration file: pooling, prompts, window and tokenizer decide a program as the weights do."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.json")):
        if path.is_file():
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _processor() -> str:
    """The processor's model and abilities: a cache folder may be on a disk that several machines share."""
    with contextlib.suppress(OSError):
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
        lines = {line.partition(":")[0].strip(): line.partition(":")[2].strip() for line in text.splitlines()}
        told = [lines.get(key, "") for key in ("model name", "flags", "Features")]
        if any(told):
            return " ".join(told)
    return f"{platform.machine()} {platform.processor()}"


def _death(ended: subprocess.CompletedProcess[bytes]) -> str:
    if ended.returncode < 0:
        name = signal.Signals(-ended.returncode).name
        return f"compiling was ended by {name}{', perhaps for want of memory' if name == 'SIGKILL' else ''}"
    lines = ended.stderr.decode("utf-8", "replace").strip().splitlines()
    return f"compiling failed: {lines[-1][:200] if lines else f'exit status {ended.returncode}'}"
