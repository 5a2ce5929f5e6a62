"""What is noted beside a compiled model: how it was chosen, and the files that it consists of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FILE_NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class Measured:
    """A candidate on this machine: tokens a second in batches, milliseconds of a short question, seconds to open
    it, and its fidelity; ``refusal`` says why it is not used, where it is not."""

    refusal: str | None = None
    tokens_per_second: float = 0.0
    question_milliseconds: float = 0.0
    open_seconds: float = 0.0
    mean_cosine: float = 0.0
    least_cosine: float = 0.0
    neighbour_agreement: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """As status shows it: without what a refused candidate has no figures for."""
        return {key: value for key, value in asdict(self).items() if value}


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a compiled model."""

    name: str
    size: int
    modified: int  # time of the last change, in nanoseconds
    sha256: str

    @classmethod
    def of(cls, path: Path) -> StoredFile:
        """As the file is now."""
        with path.open("rb") as file:
            status = path.stat()
            return cls(path.name, status.st_size, status.st_mtime_ns, hashlib.file_digest(file, "sha256").hexdigest())

    def is_whole(self, folder: Path) -> bool:
        """Whether the file is what was written; one that was not touched since is not read for that."""
        path = folder / self.name
        try:
            status = path.stat()
            if status.st_size != self.size:
                return False
            return status.st_mtime_ns == self.modified or StoredFile.of(path).sha256 == self.sha256
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class Manifest:
    """The choice: ``documents`` and ``questions`` name the candidates taken for each, None where none could be."""

    documents: str | None
    questions: str | None
    threads: int
    versions: Mapping[str, str]
    candidates: Mapping[str, Measured]
    files: Mapping[str, StoredFile] = field(default_factory=dict)
    refusal: str | None = None

    def write(self, folder: Path) -> None:
        """Writes manifest.json, the last file of a compiled model."""
        (folder / FILE_NAME).write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Raises OSError, ValueError, KeyError or TypeError where it is absent or no manifest."""
        fields = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        fields["candidates"] = {name: Measured(**measured) for name, measured in fields["candidates"].items()}
        fields["files"] = {name: StoredFile(**file) for name, file in fields["files"].items()}
        return cls(**fields)

    def described(self, candidate: str) -> str:
        """``openvino-int8 2026.4.1``."""
        return f"{candidate} {self.versions.get(candidate.partition('-')[0], '')}".strip()
