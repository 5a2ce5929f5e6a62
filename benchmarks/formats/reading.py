"""Reads files through the sandbox as an ingest does, and notes what came, how long it took and what the child took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rag_engine.errors import IngestionError
from rag_engine.ingestion import Sandbox
from rag_engine.types.document import Document, SourceFailure
from rag_engine.types.ingestion import LoadLimits

TIMEOUT_SECONDS = 30.0
MEMORY_MEGABYTES = 1024
# Those that the files' own projects publish beside them.
PASSWORDS = ("foo", "baz", "tika", "password", "openpassword", "usersecret", "user", "foobaa", "    ")


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of one file: documents and failures of its parts, or the ``code`` and ``reason`` of its refusal.

    ``peak_bytes`` is the highest resident size of the sandbox's child meanwhile, 0 where it died.
    """

    documents: tuple[Document, ...]
    failures: tuple[SourceFailure, ...]
    code: str
    reason: str
    seconds: float
    peak_bytes: int

    @property
    def text(self) -> str:
        """The text of all documents."""
        return "\n".join(document.text for document in self.documents)


def make_sandbox() -> Sandbox:
    """A sandbox with the caps of this benchmark."""
    return Sandbox(
        timeout_seconds=TIMEOUT_SECONDS,
        memory_megabytes=MEMORY_MEGABYTES,
        max_file_bytes=1 << 28,
        limits=LoadLimits(20_000_000, PASSWORDS),
    )


def read_files(folder: Path, paths: list[str], sandbox: Sandbox) -> Iterator[tuple[str, Reading]]:
    """Each file with its reading, in order."""
    for path in paths:
        yield path, read_file(folder / path, path, sandbox)


def read_file(location: Path, name: str, sandbox: Sandbox) -> Reading:
    """One file through ``sandbox``."""
    _reset_peak(sandbox.process_id)
    records: list[Document | SourceFailure] = []
    code = reason = ""
    started = time.perf_counter()
    try:
        with sandbox.open(location, name=name) as parsed:
            records.extend(parsed)
    except IngestionError as error:
        code, reason = error.code, error.message
    return Reading(
        documents=tuple(record for record in records if isinstance(record, Document)),
        failures=tuple(record for record in records if isinstance(record, SourceFailure)),
        code=code,
        reason=reason,
        seconds=time.perf_counter() - started,
        peak_bytes=_peak(sandbox.process_id),
    )


def _reset_peak(process: int | None) -> None:
    with suppress(OSError):
        Path(f"/proc/{process}/clear_refs").write_text("5")  # proc(5): resets the peak resident set size


def _peak(process: int | None) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0
