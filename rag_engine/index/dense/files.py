"""The files of a dense index: columns that only grow, and a manifest, replaced last, that says how far they go.

::

    dense/manifest.json             commit, index, dimension, generation, files with size, time and checksum
    dense/rows.GENERATION.f32       vectors, little-endian, one row a chunk, in the order of the chunks' numbers
    dense/numbers.GENERATION.i64    these numbers
    dense/removed.GENERATION.i64    positions of removed rows
    dense/planes.GENERATION.f32     what codes are made with, where the rows are many
    dense/codes.GENERATION.u8       sign codes of the rows, where these are many

A kill while files grow leaves bytes behind what the manifest says; they are written over. What cannot be had by
growing is a new generation, in new files: a process that has the old ones mapped keeps them until it lets go.
"""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from rag_engine.errors import CacheDamagedError
from rag_engine.index.dense.column import Column, FileState
from rag_engine.index.files import sync_folder, write_text, writing

FOLDER_NAME = "dense"
MANIFEST = "manifest.json"
# Raised whenever the same vectors would be written in another way; files of another form are made anew.
FORM = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """How far the files go. ``recalls`` are those measured over ``measured`` vectors, by number of candidates."""

    form: int
    index_id: str
    commit: int
    dimension: int
    generation: int
    files: Mapping[str, FileState]
    measured: int | None
    recalls: Mapping[int, float]

    @property
    def bytes(self) -> int:
        """Of all files together."""
        return sum(state.size for state in self.files.values())

    def holds(self, column: str) -> bool:
        """Whether the column has a file."""
        return _file_name(column, self.generation) in self.files


def read_manifest(folder: Path, *, index_id: str) -> Manifest:
    """The manifest in ``folder``.

    Raises:
        CacheDamagedError: it is absent, not whole, of another form, or another index's.
    """
    path = folder / MANIFEST
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        if fields.pop("checksum") != _checksum(fields):
            raise CacheDamagedError(f"{path} is damaged: its checksum does not fit")
        if fields["form"] != FORM:
            raise CacheDamagedError(f"{folder} was written in another form ({fields['form']})")
        manifest = Manifest(
            **{
                **fields,
                "files": {name: FileState(**state) for name, state in fields["files"].items()},
                "recalls": {int(candidates): float(recall) for candidates, recall in fields["recalls"].items()},
            }
        )
    except FileNotFoundError as error:
        raise CacheDamagedError(f"{folder} is absent or was not finished") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CacheDamagedError(f"{path} cannot be read: {error}") from error
    if manifest.index_id != index_id:
        raise CacheDamagedError(f"{folder} belongs to another index")
    return manifest


def stands_at(commit: int, *, folder: Path, index_id: str) -> bool:
    """Whether the files in ``folder`` are whole, of this catalog, and reflect the commit. Maps none of them."""
    try:
        manifest = read_manifest(folder, index_id=index_id)
        return manifest.commit == commit and not check_files(folder, manifest, read=False)
    except CacheDamagedError:
        return False


def discard_manifest(folder: Path) -> None:
    """Makes the files in ``folder`` count no more, where that is possible."""
    with contextlib.suppress(OSError):
        (folder / MANIFEST).unlink()


def check_files(folder: Path, manifest: Manifest, *, read: bool) -> bool:
    """Whether some file had to be read to be certain of it: an untouched one is not, unless ``read`` asks for it.

    Raises:
        CacheDamagedError: a file is absent, cut short or damaged.
    """
    try:
        # Every one of them, also after the first that had to be read.
        had_to_read = [state.check(folder / name, read=read) for name, state in manifest.files.items()]
    except OSError as error:
        raise CacheDamagedError(f"{folder} cannot be read: {error}") from error
    return any(had_to_read)


class DenseFiles:
    """The files of one generation, and the manifest that makes them count."""

    def __init__(self, folder: Path, generation: int | None = None) -> None:
        """Those of a new generation without ``generation``."""
        self.folder = folder
        self._generation = generation

    def bind(self, columns: Mapping[str, Column], states: Mapping[str, FileState]) -> None:
        """Binds columns to their files, which hold what ``states`` say. Raises OSError, ValueError."""
        for name, column in columns.items():
            file = self._file_name(name)
            column.keep_in(self.folder / file, states.get(file))

    def flush(self, columns: Mapping[str, Column]) -> None:
        """Writes what columns have in memory only. Raises StorageError."""
        with writing(self.folder):
            if self._generation is None:
                self.folder.mkdir(exist_ok=True)
                self._generation = _next_generation(self.folder)
            for name, column in columns.items():
                if not column.kept:
                    column.keep_in(self.folder / self._file_name(name))
                column.flush()

    def save(
        self,
        columns: Mapping[str, Column],
        *,
        index_id: str,
        commit: int,
        dimension: int,
        measured: int | None,
        recalls: Mapping[int, float],
    ) -> int:
        """Puts a new manifest over the flushed columns in the old one's place, then removes the files that it does
        not name. Returns how many bytes there are. Raises StorageError."""
        with writing(self.folder):
            states = {self._file_name(name): column.seal() for name, column in columns.items()}
            sync_folder(self.folder)
        files = {file: state for file, state in states.items() if state is not None}
        manifest = Manifest(FORM, index_id, commit, dimension, self._generation or 0, files, measured, recalls)
        fields = asdict(manifest)
        write_text(self.folder / MANIFEST, json.dumps({**fields, "checksum": _checksum(fields)}))
        for file in self.folder.iterdir():
            if file.name != MANIFEST and file.name not in files:
                with contextlib.suppress(OSError):
                    file.unlink()
        return manifest.bytes

    def _file_name(self, column: str) -> str:
        return _file_name(column, self._generation or 0)


def _file_name(column: str, generation: int) -> str:
    """``rows.7.f32`` for ``rows.f32``."""
    stem, suffix = column.split(".")
    return f"{stem}.{generation}.{suffix}"


def _next_generation(folder: Path) -> int:
    """One that no file in ``folder`` is of."""
    parts = (file.name.split(".") for file in folder.iterdir())
    return 1 + max((int(part[1]) for part in parts if len(part) == 3 and part[1].isdecimal()), default=0)


def _checksum(fields: Mapping[str, object]) -> int:
    # Through JSON and back first: it turns the numbers of candidates into names.
    return zlib.crc32(json.dumps(json.loads(json.dumps(fields)), sort_keys=True).encode())
