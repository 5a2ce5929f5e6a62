"""Keeps the indexes and the vocabulary at the catalog's commit: catches up, or makes them anew."""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from rag_engine import tracing
from rag_engine.errors import CacheDamagedError, StorageError
from rag_engine.index.cache_lock import cache_lock
from rag_engine.index.catalog import Catalog
from rag_engine.index.dense import EXACT_UP_TO, RECALL_TARGET, Compression, FaissIndex, discard_manifest
from rag_engine.index.dense import FOLDER_NAME as DENSE_FOLDER
from rag_engine.index.dense import stands_at as dense_stands_at
from rag_engine.index.files import writing
from rag_engine.index.lexical import TantivyIndex
from rag_engine.index.lexical_upkeep import LexicalUpkeep
from rag_engine.index.lock import read_lock
from rag_engine.index.vocabulary import CorpusVocabulary, VocabularyUpkeep
from rag_engine.protocols import LexicalEntry
from rag_engine.tracing import names
from rag_engine.types.health import DenseState

logger = logging.getLogger(__name__)

LEXICAL_FOLDER = "lexical"
STRETCHES_FOLDER = "stretches"
TITLES_OF_A_STRETCH = 3
OLD_DENSE_FILE = "dense.faiss"


class Caches:
    """The two legs of one index and its words, in this process."""

    def __init__(
        self,
        *,
        folder: Path,
        catalog: Catalog,
        exact_up_to: int = EXACT_UP_TO,
        recall_target: float = RECALL_TARGET,
    ) -> None:
        """Up to ``exact_up_to`` chunks the dense leg compares all; above, ``recall_target`` is what it must reach."""
        self._folder = folder
        self._catalog = catalog
        self._exact_up_to = exact_up_to
        self._recall_target = recall_target
        self._dense: FaissIndex | None = None
        self._lexical = LexicalUpkeep(
            folder / LEXICAL_FOLDER,
            catalog=catalog,
            entries_since=partial(_chunks_since, catalog),
            removed_since=partial(_removed_since, catalog),
        )
        self._stretches = LexicalUpkeep(
            folder / STRETCHES_FOLDER,
            catalog=catalog,
            entries_since=partial(_stretches_since, catalog),
            removed_since=partial(_stretches_gone_since, catalog),
        )
        self._vocabulary = VocabularyUpkeep(folder=folder, catalog=catalog, texts_since=partial(_texts_since, catalog))

    def dense_at(self, commit: int) -> FaissIndex:
        """The dense leg at the catalog's present commit, or a later one where another process has
        committed meanwhile. Call within ``catalog.reading()``."""
        held, self._dense = self._dense, None  # what fails half way is not held on to
        if held is None or held.commit < commit:
            held = self._dense_up_to(commit, held)
        self._dense = held
        return held

    def _dense_up_to(self, commit: int, held: FaissIndex | None) -> FaissIndex:
        if commit == 0:
            return self._new_dense(folder=None)  # nothing is there to keep in files
        with contextlib.suppress(CacheDamagedError):
            index = self._open_dense(commit)
            if index.commit >= commit and not index.wants_saving:
                return index
        try:
            with cache_lock(self._folder):
                return self._dense_on_disk(commit)
        except StorageError:  # the files cannot be written: this process catches up for itself
            index = held if held is not None and held.dimension == self._dimension() else self._dense_in_memory(commit)
            index.detach()
            self._catch_up_dense(index, commit)
            index.commit = max(index.commit, commit)
            return index

    def _dense_on_disk(self, commit: int) -> FaissIndex:
        """The dense leg, its files brought up to the commit. Call with the lock of the caches."""
        folder = self._folder / DENSE_FOLDER
        (self._folder / OLD_DENSE_FILE).unlink(missing_ok=True)
        try:
            index = self._open_dense(commit)
        except CacheDamagedError as error:
            if folder.exists():
                logger.warning("%s; it is rebuilt from the catalog", error.message)
                discard_manifest(folder)  # should the rebuilding fail, nobody may take it for one of a later commit
            index = self._new_dense(folder=folder)
        if index.commit < commit or index.wants_saving:
            self._catch_up_dense(index, commit)
            with tracing.span("save dense", {names.COMMIT: commit}):
                index.save(commit=max(index.commit, commit))
        return index

    def _dense_in_memory(self, commit: int) -> FaissIndex:
        try:
            return self._open_dense(commit)
        except CacheDamagedError:
            return self._new_dense(folder=None)

    def _open_dense(self, commit: int) -> FaissIndex:
        folder = self._folder / DENSE_FOLDER
        index = FaissIndex.open(folder, index_id=self._catalog.index_id, compression=self._new_compression())
        self._refuse_unknown(folder, index.commit, commit)
        if index.commit <= commit and index.dimension != self._dimension():
            raise CacheDamagedError(f"{folder} holds vectors of {index.dimension} dimensions, the catalog others")
        return index

    def _new_dense(self, *, folder: Path | None) -> FaissIndex:
        return FaissIndex(
            self._dimension(),
            folder=folder,
            index_id=self._catalog.index_id,
            compression=self._new_compression(),
        )

    def _new_compression(self) -> Compression:
        return Compression(exact_up_to=self._exact_up_to, recall_target=self._recall_target)

    def _catch_up_dense(self, index: FaissIndex, commit: int) -> None:
        since = index.commit
        if since >= commit:
            return
        with tracing.span("index dense", {names.COMMIT: commit}):
            if since:
                index.remove(self._catalog.removed_since(since))
            for entries in self._catalog.added_since(since):
                numbers = np.asarray([entry.number for entry in entries], dtype=np.int64)
                index.add(numbers, np.stack([entry.vector for entry in entries]))
                index.flush()

    def _dimension(self) -> int:
        lock = read_lock(self._catalog)
        return lock.embedder.dimension if lock else 1

    @property
    def dense_commit(self) -> int:
        """The commit that the dense leg reflects: a later one than asked for where its files were ahead."""
        return self._dense.commit if self._dense else 0

    def _refuse_unknown(self, path: Path, reflected: int, commit: int) -> None:
        """Raises CacheDamagedError for a commit that the catalog never had, or lost: it was restored from a backup."""
        if reflected > commit and reflected > self._catalog.latest_commit():
            raise CacheDamagedError(f"{path} reflects commit {reflected}, which the catalog does not have")

    def lexical_at(self, commit: int) -> TantivyIndex:
        """The lexical leg over chunks, as ``dense_at``."""
        return self._lexical.at(commit)

    def stretches_at(self, commit: int) -> TantivyIndex:
        """The lexical leg over stretches of documents, each under the number of its first chunk; as ``dense_at``."""
        return self._stretches.at(commit)

    def vocabulary_at(self, commit: int) -> CorpusVocabulary:
        """The corpus's words at the catalog's present commit, or a later one. Call within ``catalog.reading()``."""
        return CorpusVocabulary(self._vocabulary.at(commit), self.lexical_at(commit))

    def catch_up(self) -> None:
        """Brings all up to the catalog; opens none where their files stand at its commit."""
        with self._catalog.reading() as commit:
            if not self._stand_at(commit):
                self.dense_at(commit)
                self.lexical_at(commit)
                self.stretches_at(commit)
                self._vocabulary.at(commit)

    def save(self) -> None:
        """Brings the files of all caches up to the catalog.

        Raises:
            StorageFullError, IndexReadOnlyError, IndexLockedError: see these.
        """
        with self._catalog.reading() as commit:
            if self._stand_at(commit):
                return
            with cache_lock(self._folder), writing(self._folder):
                self._dense = self._dense_on_disk(commit)
                self._vocabulary.save(commit)
            self.lexical_at(commit)
            self.stretches_at(commit)

    def _stand_at(self, commit: int) -> bool:
        """Whether the files of all caches reflect the commit and are whole. Opens none."""
        index_id = self._catalog.index_id
        return (
            dense_stands_at(commit, folder=self._folder / DENSE_FOLDER, index_id=index_id)
            and self._lexical.stand_at(commit)
            and self._stretches.stand_at(commit)
            and self._vocabulary.stand_at(commit)
        )

    def discard(self) -> None:
        """Forgets all caches and removes their files: the next use makes them anew from the catalog."""
        self._dense = None
        with cache_lock(self._folder), writing(self._folder):
            shutil.rmtree(self._folder / DENSE_FOLDER, ignore_errors=True)
            self._lexical.discard()
            self._stretches.discard()
            self._vocabulary.discard()

    def on_disk(self, *, read: bool = False) -> dict[str, int | str]:
        """For each cache the commit that its files reflect, or what is wrong with them. Looks at the files afresh, and
        with ``read`` at every byte of those but the lexical ones."""
        found: dict[str, int | str] = {}
        index_id = self._catalog.index_id
        try:
            found["dense"] = FaissIndex.open(self._folder / DENSE_FOLDER, index_id=index_id, read=read).commit
        except StorageError as error:
            found["dense"] = error.message
        found["lexical"] = self._lexical.on_disk()
        found["stretches"] = self._stretches.on_disk()
        found["vocabulary"] = self._vocabulary.on_disk(read=read)
        return found

    def dense_state(self) -> DenseState | None:
        """How the dense files are searched; None where they cannot be opened."""
        try:
            return FaissIndex.open(
                self._folder / DENSE_FOLDER, index_id=self._catalog.index_id, compression=self._new_compression()
            ).state()
        except CacheDamagedError:
            return None


def context_of(title: str, heading_path: tuple[str, ...]) -> str:
    """The words around a chunk that help to find it: its document's title and the headings above it."""
    return "\n".join(dict.fromkeys(part for part in (title, *heading_path) if part))


def _chunks_since(catalog: Catalog, commit: int) -> Iterator[LexicalEntry]:
    for entries in catalog.added_since(commit):
        for entry in entries:
            yield LexicalEntry(chunk=entry.number, context=context_of(entry.title, entry.heading_path), text=entry.text)


def _texts_since(catalog: Catalog, commit: int) -> Iterator[str]:
    return (f"{entry.context}\n{entry.text}" for entry in _chunks_since(catalog, commit))


def _removed_since(catalog: Catalog, commit: int) -> list[int]:
    removed: list[int] = catalog.removed_since(commit).tolist()
    return removed


def _stretches_since(catalog: Catalog, commit: int) -> Iterator[LexicalEntry]:
    for entry in catalog.stretches_since(commit):
        headings = (heading for path in entry.heading_paths for heading in path)
        # What a text is about is in its title, which weighs little once in so many words.
        context = "\n".join([*[entry.title] * TITLES_OF_A_STRETCH, context_of("", tuple(headings))])
        yield LexicalEntry(chunk=entry.chunks[0], context=context, text=entry.text)


def _stretches_gone_since(catalog: Catalog, commit: int) -> list[int]:
    """Chunks that may have been the first of a stretch: those removed, and all of documents that changed."""
    kept = (chunk for entry in catalog.stretches_since(commit) for chunk in entry.chunks)
    return [*_removed_since(catalog, commit), *kept]
