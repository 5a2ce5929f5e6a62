"""Digests of weights, remembered: hashing hundreds of megabytes at every start would be most of a search's time."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from pathlib import Path

from rag_engine.embedding.cache_files import write_whole

# A file changed less than this before it was looked at may change again with the same times.
_AT_REST_NS = 2_000_000_000


class WeightDigests:
    """SHA-256 digests by path, size, times and inode, in a small file of the user's cache folder.

    Where the file cannot be read or written nothing is remembered, and nothing else happens.
    """

    def __init__(self, file: Path | None) -> None:
        """Without ``file`` nothing is remembered."""
        self._file = file

    def of(self, path: Path) -> str:
        """SHA-256 of a file, 64 hexadecimal digits. Raises OSError."""
        status = path.stat()
        seen = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        known = self._read()
        entry = known.get(str(path))
        if entry is not None and entry[:-1] == seen:
            return str(entry[-1])
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _AT_REST_NS:
            self._write(known | {str(path): [*seen, digest]})
        return digest

    def _read(self) -> dict[str, list[int | str]]:
        try:
            known = json.loads(self._file.read_text(encoding="utf-8")) if self._file else {}
            return known if isinstance(known, dict) else {}
        except (OSError, ValueError):
            return {}

    def _write(self, known: dict[str, list[int | str]]) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                write_whole(self._file, json.dumps(known).encode())
