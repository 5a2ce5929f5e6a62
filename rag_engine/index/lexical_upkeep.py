"""Keeps a lexical index at the catalog's commit: catches up, or makes it anew."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from rag_engine import tracing
from rag_engine.errors import CacheDamagedError, IndexReadOnlyError, StorageError, StorageFullError
from rag_engine.index.cache_lock import cache_lock
from rag_engine.index.catalog import Catalog
from rag_engine.index.lexical import TantivyIndex
from rag_engine.index.lexical_files import stands_at
from rag_engine.protocols import LexicalEntry
from rag_engine.tracing import names

logger = logging.getLogger(__name__)


class LexicalUpkeep:
    """One lexical index of one catalog, in this process."""

    def __init__(
        self,
        folder: Path,
        *,
        catalog: Catalog,
        entries_since: Callable[[int], Iterable[LexicalEntry]],
        removed_since: Callable[[int], Iterable[int]],
    ) -> None:
        """``folder`` is the lexical index's own, within that of the catalog. ``entries_since`` gives what came after a
        commit and is still there, ``removed_since`` what is there no more, or comes again; what was never there is
        passed over."""
        self._folder = folder
        self._catalog = catalog
        self._entries_since = entries_since
        self._removed_since = removed_since
        self._held: TantivyIndex | None = None

    def at(self, commit: int) -> TantivyIndex:
        """The index at the catalog's present commit, or a later one where another process has
        committed meanwhile. Call within ``catalog.reading()``."""
        if commit == 0:
            return TantivyIndex()  # nothing is there to keep in a file
        held, self._held = self._held, None
        damaged = held is not None and held.damaged
        if held is not None and not damaged:
            with contextlib.suppress(CacheDamagedError):
                held.refresh()
                if held.commit >= commit:
                    self._held = held
                    return held
        try:
            with cache_lock(self._folder.parent):
                self._held = self._caught_up_on_disk(commit, anew=damaged)
        except IndexReadOnlyError:
            self._held = TantivyIndex()
            self._catch_up(self._held, commit)
        return self._held

    def _caught_up_on_disk(self, commit: int, *, anew: bool) -> TantivyIndex:
        if not anew:
            index = self._on_disk(commit)
            try:
                self._catch_up(index, commit)
            except CacheDamagedError as error:
                # A process killed while tantivy committed leaves files that stop every later commit.
                logger.warning("%s; it is rebuilt from the catalog", error.message)
            else:
                return index
        index = self.new()
        try:
            self._catch_up(index, commit)
        except CacheDamagedError as error:
            # A new index holds no damage: tantivy could not write, and seldom says why.
            raise StorageFullError(error.message, hint="check the disk") from error
        return index

    def _on_disk(self, commit: int) -> TantivyIndex:
        try:
            index = TantivyIndex.load(self._folder, index_id=self._catalog.index_id)
            self._refuse_unknown(index, commit)
        except CacheDamagedError as error:
            if self._folder.exists():
                logger.warning("%s; it is rebuilt from the catalog", error.message)
            return self.new()
        return index

    def _refuse_unknown(self, index: TantivyIndex, commit: int) -> None:
        """Raises CacheDamagedError for a commit that the catalog never had, or lost: it was restored from a backup."""
        if index.commit > commit and index.commit > self._catalog.latest_commit():
            raise CacheDamagedError(f"{self._folder} reflects commit {index.commit}, which the catalog does not have")

    def new(self) -> TantivyIndex:
        """An empty index in place of the files; to be called with the lock of the caches."""
        return TantivyIndex(self._folder, index_id=self._catalog.index_id)

    def _catch_up(self, index: TantivyIndex, commit: int) -> None:
        since = index.commit
        if since >= commit:
            return
        with tracing.span(f"index {self._folder.name}", {names.COMMIT: commit}):
            index.update(
                remove=self._removed_since(since) if since else (), add=self._entries_since(since), commit=commit
            )

    def stand_at(self, commit: int) -> bool:
        """Whether the files reflect the commit and are whole. Does not open them."""
        return stands_at(commit, folder=self._folder, index_id=self._catalog.index_id)

    def discard(self) -> None:
        """Forgets the index and empties its files. Call with the lock of the caches."""
        self._held = None
        self.new()

    def on_disk(self) -> int | str:
        """The commit that the files reflect, or what is wrong with them. Looks at them afresh."""
        try:
            return TantivyIndex.load(self._folder, index_id=self._catalog.index_id).commit
        except StorageError as error:
            return error.message
