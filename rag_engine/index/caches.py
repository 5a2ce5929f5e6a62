"""Keeps the dense and the lexical index at the catalog's commit: catches up, or makes them anew."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from rag_engine import tracing
from rag_engine.errors import CacheDamagedError, IndexLockedError, IndexReadOnlyError, StorageError, StorageFullError
from rag_engine.index import dense as dense_file
from rag_engine.index import lexical as lexical_folder
from rag_engine.index.catalog import Catalog, ChunkEntry
from rag_engine.index.dense import FaissIndex
from rag_engine.index.files import writing
from rag_engine.index.lexical import TantivyIndex
from rag_engine.index.lock import read_lock
from rag_engine.index.writer_lock import writer_lock
from rag_engine.protocols import LexicalEntry
from rag_engine.tracing import names

logger = logging.getLogger(__name__)

LOCK_NAME = "caches.lock"
LOCK_SECONDS = 600.0


@dataclass(slots=True)
class _Dense:
    index: FaissIndex
    commit: int
    saved: int | None


class Caches:
    """The two legs of one index, in this process."""

    def __init__(self, *, folder: Path, catalog: Catalog) -> None:
        self._folder = folder
        self._catalog = catalog
        self._dense: _Dense | None = None
        self._lexical: TantivyIndex | None = None

    def dense_at(self, commit: int) -> FaissIndex:
        """The dense leg at the catalog's present commit. Call within ``catalog.reading()``."""
        held, self._dense = self._dense, None  # what fails half way is not held on to
        first_use = held is None
        if held is None or (held.commit < commit and held.index.dimension != self._dimension()):
            held = self._load_dense(commit)
        if held.commit < commit:
            with tracing.span("index dense", {names.COMMIT: commit}):
                if len(held.index):
                    held.index.remove(self._catalog.removed_since(held.commit))
                for entries in self._catalog.added_since(held.commit):
                    held.index.add(
                        np.asarray([entry.number for entry in entries], dtype=np.int64),
                        np.stack([entry.vector for entry in entries]),
                    )
                held.commit = commit
        self._dense = held
        if first_use:
            # What was absent, damaged or behind is mended for the next process too, unless one is writing:
            # that one writes the file at its end.
            with contextlib.suppress(StorageError), writer_lock(self._folder, wait_seconds=0, purpose="a search"):
                self._save_dense()
        return held.index

    def _dimension(self) -> int:
        lock = read_lock(self._catalog)
        return lock.embedder.dimension if lock else 1

    @property
    def dense_commit(self) -> int:
        """The commit that the dense leg reflects: a later one than asked for where its file was ahead."""
        return self._dense.commit if self._dense else 0

    def _load_dense(self, commit: int) -> _Dense:
        dimension = self._dimension()
        path = self._folder / dense_file.FILE_NAME
        try:
            index, reflected = FaissIndex.load(path, dimension=dimension, index_id=self._catalog.index_id)
            self._refuse_unknown(path, reflected, commit)
            return _Dense(index, reflected, saved=reflected)
        except CacheDamagedError as error:
            if path.exists():
                logger.warning("%s; it is rebuilt from the catalog", error.message)
                with contextlib.suppress(OSError):  # a folder that cannot be written
                    path.unlink()
            return _Dense(FaissIndex(dimension), 0, saved=None)

    def _refuse_unknown(self, path: Path, reflected: int, commit: int) -> None:
        """Raises CacheDamagedError for a commit that the catalog never had, or lost: it was restored from a backup."""
        if reflected > commit and reflected > self._catalog.latest_commit():
            raise CacheDamagedError(f"{path} reflects commit {reflected}, which the catalog does not have")

    def lexical_at(self, commit: int) -> TantivyIndex:
        """The lexical leg at the catalog's present commit, or a later one where another process has
        committed meanwhile. Call within ``catalog.reading()``."""
        if commit == 0:
            return TantivyIndex()  # nothing is there to keep in a file
        held, self._lexical = self._lexical, None
        damaged = held is not None and held.damaged
        if held is not None and not damaged:
            with contextlib.suppress(CacheDamagedError):
                held.refresh()
                if held.commit >= commit:
                    self._lexical = held
                    return held
        try:
            with self._cache_lock():
                self._lexical = self._caught_up_on_disk(commit, anew=damaged)
        except IndexReadOnlyError:
            self._lexical = TantivyIndex()
            self._catch_up_lexical(self._lexical, commit)
        return self._lexical

    def _caught_up_on_disk(self, commit: int, *, anew: bool) -> TantivyIndex:
        if not anew:
            index = self._lexical_on_disk(commit)
            try:
                self._catch_up_lexical(index, commit)
            except CacheDamagedError as error:
                # A process killed while tantivy committed leaves files that stop every later commit.
                logger.warning("%s; it is rebuilt from the catalog", error.message)
            else:
                return index
        index = self._new_lexical()
        try:
            self._catch_up_lexical(index, commit)
        except CacheDamagedError as error:
            # A new index holds no damage: tantivy could not write, and seldom says why.
            raise StorageFullError(error.message, hint="check the disk") from error
        return index

    def _lexical_on_disk(self, commit: int) -> TantivyIndex:
        folder = self._folder / lexical_folder.FOLDER_NAME
        index_id = self._catalog.index_id
        try:
            index = TantivyIndex.load(folder, index_id=index_id)
            self._refuse_unknown(folder, index.commit, commit)
        except CacheDamagedError as error:
            if folder.exists():
                logger.warning("%s; it is rebuilt from the catalog", error.message)
            return self._new_lexical()
        return index

    def _new_lexical(self) -> TantivyIndex:
        return TantivyIndex(self._folder / lexical_folder.FOLDER_NAME, index_id=self._catalog.index_id)

    def _catch_up_lexical(self, index: TantivyIndex, commit: int) -> None:
        since = index.commit
        if since >= commit:
            return
        with tracing.span("index lexical", {names.COMMIT: commit}):
            index.update(
                remove=self._catalog.removed_since(since).tolist() if since else [],
                add=(_lexical_entry(entry) for entries in self._catalog.added_since(since) for entry in entries),
                commit=commit,
            )

    @contextlib.contextmanager
    def _cache_lock(self) -> Iterator[None]:
        lock = FileLock(self._folder / LOCK_NAME)
        try:
            with writing(self._folder / LOCK_NAME):
                lock.acquire(timeout=LOCK_SECONDS)
        except Timeout as error:
            raise IndexLockedError(
                f"another process has been at the index files of {self._folder.name} for {LOCK_SECONDS:.0f} s"
            ) from error
        try:
            yield
        finally:
            lock.release()

    def catch_up(self) -> None:
        """Brings both legs up to the catalog."""
        with self._catalog.reading() as commit:
            self.dense_at(commit)
            self.lexical_at(commit)

    def save(self) -> None:
        """Brings both legs up to the catalog and writes the dense one to its file."""
        self.catch_up()
        self._save_dense()

    def _save_dense(self) -> None:
        held = self._dense
        if held is not None and held.saved != held.commit:
            with self._cache_lock(), tracing.span("save dense", {names.COMMIT: held.commit}):
                held.index.save(
                    self._folder / dense_file.FILE_NAME, commit=held.commit, index_id=self._catalog.index_id
                )
            held.saved = held.commit

    def discard(self) -> None:
        """Forgets both legs and removes their files: the next use makes them anew from the catalog."""
        self._dense = self._lexical = None
        with self._cache_lock(), writing(self._folder):
            (self._folder / dense_file.FILE_NAME).unlink(missing_ok=True)
            self._new_lexical()

    def on_disk(self) -> dict[str, int | str]:
        """For each cache file the commit it reflects, or what is wrong with it. Reads the files afresh."""
        found: dict[str, int | str] = {}
        index_id = self._catalog.index_id
        try:
            found["dense"] = FaissIndex.load(
                self._folder / dense_file.FILE_NAME, dimension=self._dimension(), index_id=index_id
            )[1]
        except StorageError as error:
            found["dense"] = error.message
        try:
            found["lexical"] = TantivyIndex.load(self._folder / lexical_folder.FOLDER_NAME, index_id=index_id).commit
        except StorageError as error:
            found["lexical"] = error.message
        return found


def context_of(title: str, heading_path: tuple[str, ...]) -> str:
    """The words around a chunk that help to find it: its document's title and the headings above it."""
    return "\n".join(dict.fromkeys(part for part in (title, *heading_path) if part))


def _lexical_entry(entry: ChunkEntry) -> LexicalEntry:
    return LexicalEntry(chunk=entry.number, context=context_of(entry.title, entry.heading_path), text=entry.text)
