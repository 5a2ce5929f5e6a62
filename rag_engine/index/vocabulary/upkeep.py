"""Keeps the word files of one index at the catalog's commit: catches up, or makes them anew."""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from rag_engine import tracing
from rag_engine.errors import CacheDamagedError, StorageError
from rag_engine.index.cache_lock import cache_lock
from rag_engine.index.catalog import Catalog
from rag_engine.index.vocabulary.word_index import FOLDER_NAME, WordIndex, discard_manifest, stands_at
from rag_engine.tracing import names

logger = logging.getLogger(__name__)


class VocabularyUpkeep:
    """The words of one index, in this process."""

    def __init__(self, *, folder: Path, catalog: Catalog, texts_since: Callable[[int], Iterator[str]]) -> None:
        """``texts_since`` gives the words of each chunk that came after a commit and is still there."""
        self._index_folder = folder
        self._folder = folder / FOLDER_NAME
        self._catalog = catalog
        self._texts_since = texts_since
        self._held: WordIndex | None = None

    def at(self, commit: int) -> WordIndex:
        """The words at the catalog's present commit, or a later one where another process has committed meanwhile.
        Call within ``catalog.reading()``."""
        held, self._held = self._held, None  # what fails half way is not held on to
        if held is None or held.commit < commit:
            held = self._up_to(commit, held)
        self._held = held
        return held

    def _up_to(self, commit: int, held: WordIndex | None) -> WordIndex:
        if commit == 0:
            return WordIndex()  # nothing is there to keep in files
        with contextlib.suppress(CacheDamagedError):
            words = self._open(commit)
            if words.commit >= commit:
                return words
        try:
            with cache_lock(self._index_folder):
                return self._on_disk(commit)
        except StorageError:  # the files cannot be written: this process counts for itself
            words = WordIndex()
            if held is not None:
                words.segments, words.commit = list(held.segments), held.commit
                words.chunks, words.removed = held.chunks, held.removed
            return self._caught_up(words, commit)

    def _on_disk(self, commit: int) -> WordIndex:
        """The words, their files brought up to the commit. Call with the lock of the caches."""
        try:
            words = self._open(commit)
        except CacheDamagedError as error:
            if self._folder.exists():
                logger.warning("%s; it is rebuilt from the catalog", error.message)
                discard_manifest(self._folder)
            words = self._new()
        return self._caught_up(words, commit)

    def _open(self, commit: int) -> WordIndex:
        words = WordIndex.load(self._folder, index_id=self._catalog.index_id)
        if words.commit > commit and words.commit > self._catalog.latest_commit():
            raise CacheDamagedError(f"{self._folder} reflects commit {words.commit}, which the catalog does not have")
        return words

    def _new(self) -> WordIndex:
        return WordIndex(self._folder, index_id=self._catalog.index_id)

    def _caught_up(self, words: WordIndex, commit: int) -> WordIndex:
        if words.commit >= commit:
            return words
        removed = len(self._catalog.removed_since(words.commit)) if words.commit else 0
        if words.is_worn(removing=removed):
            words, removed = words.emptied(), 0
        with tracing.span("index vocabulary", {names.COMMIT: commit}):
            words.update(self._texts_since(words.commit), removed=removed, commit=commit)
        return words

    def save(self, commit: int) -> None:
        """Brings the files up to the commit. Raises StorageError; call with the lock of the caches."""
        self._held = self._on_disk(commit)

    def stand_at(self, commit: int) -> bool:
        """Whether the files reflect the commit and are whole. Maps none of them."""
        return stands_at(commit, folder=self._folder, index_id=self._catalog.index_id)

    def discard(self) -> None:
        """Forgets the words and removes their files."""
        self._held = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def on_disk(self, *, read: bool) -> int | str:
        """The commit that the files reflect, or what is wrong with them."""
        try:
            return WordIndex.load(self._folder, index_id=self._catalog.index_id, read=read).commit
        except StorageError as error:
            return error.message
