"""The files of a lexical index: a list of them with their checksums, so that damage is noticed."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
import zlib
from pathlib import Path
from typing import Any

from rag_engine.errors import CacheDamagedError
from rag_engine.index.files import write_text

MANIFEST = "files.json"
_REMOVALS, _BETWEEN_REMOVALS_SECONDS = 20, 0.05


def make_empty(folder: Path) -> None:
    """Makes the folder anew. Raises OSError."""
    for _ in range(_REMOVALS):
        # tantivy may still merge, in threads of its own, what an index that was let go has there.
        shutil.rmtree(folder, ignore_errors=True)
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            time.sleep(_BETWEEN_REMOVALS_SECONDS)
        else:
            return
    folder.mkdir(parents=True)


def stands_at(commit: int, *, folder: Path, index_id: str) -> bool:
    """Whether the index in ``folder`` is whole, of this catalog, and reflects the commit. Does not open it."""
    try:
        manifest = check_files(folder)
    except CacheDamagedError:
        return False
    return (manifest.get("index_id"), manifest.get("commit")) == (index_id, commit)


def write_manifest(folder: Path, *, index_id: str, commit: int) -> None:
    files = {}
    for file in sorted(folder.iterdir()):
        if file.name != MANIFEST and not file.name.startswith("."):
            with contextlib.suppress(FileNotFoundError):  # merged away meanwhile
                status = file.stat()
                files[file.name] = [status.st_size, status.st_mtime_ns, zlib.crc32(file.read_bytes())]
    write_text(folder / MANIFEST, json.dumps({"index_id": index_id, "commit": commit, "files": files}))


def check_files(folder: Path) -> dict[str, Any]:
    """The manifest. Raises CacheDamagedError where a file is not as it says; an untouched file is not read again."""
    if not (folder / MANIFEST).exists():
        raise CacheDamagedError(f"{folder} is absent or was not finished")
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        segments = {segment["segment_id"].replace("-", "") for segment in meta["segments"]}
        listed = {name: entry for name, entry in manifest["files"].items() if name.split(".")[0] in segments}
        if segments != {name.split(".")[0] for name in listed}:
            raise CacheDamagedError(f"{folder} holds segments that its manifest does not list")
        for name, (size, modified, checksum) in listed.items():
            file = folder / name
            status = file.stat()
            if status.st_size != size or (status.st_mtime_ns != modified and zlib.crc32(file.read_bytes()) != checksum):
                raise CacheDamagedError(f"{file} is damaged: it is not what the index wrote")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CacheDamagedError(f"{folder} cannot be read: {error}") from error
    return manifest
