"""One index: its catalog, its caches, and the right to write to it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rag_engine.errors import CatalogDamagedError, IndexNotFoundError, IndexReadOnlyError
from rag_engine.index import catalog as catalog_room
from rag_engine.index import lock as lock_file
from rag_engine.index.caches import Caches
from rag_engine.index.catalog import Catalog
from rag_engine.index.dense import EXACT_UP_TO, RECALL_TARGET
from rag_engine.index.files import writing
from rag_engine.index.writer_lock import writer_lock
from rag_engine.protocols import DenseIndex, LexicalIndex, Vocabulary
from rag_engine.types.retrieval import ChunkPlace, Filter, Passage

if TYPE_CHECKING:
    from rag_engine.protocols import Numbers

# How often a view is begun anew when other processes commit while it is being prepared.
VIEW_ATTEMPTS = 20


class Index:
    """Everything in one folder ``indexes/NAME``."""

    def __init__(self, folder: Path, catalog: Catalog, *, exact_up_to: int, recall_target: float) -> None:
        self.folder = folder
        self.catalog = catalog
        self.caches = Caches(folder=folder, catalog=catalog, exact_up_to=exact_up_to, recall_target=recall_target)

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        create: bool = False,
        exact_up_to: int = EXACT_UP_TO,
        recall_target: float = RECALL_TARGET,
    ) -> Index:
        """The index in ``folder``; made when absent if ``create`` says so.

        Up to ``exact_up_to`` chunks a dense search compares all; above, it need only reach ``recall_target``.

        Raises:
            IndexNotFoundError: there is none, and ``create`` is False.
            CatalogDamagedError: there was one, and its catalog is gone or cannot be read.
            NewerFormatError, IndexReadOnlyError: see these.
        """
        path = folder / catalog_room.FILE_NAME
        opened = partial(cls, folder, exact_up_to=exact_up_to, recall_target=recall_target)
        if not path.exists() and (folder / lock_file.FILE_NAME).exists():
            raise CatalogDamagedError(
                f"{path} is gone, but {lock_file.FILE_NAME} says that there was an index",
                hint="restore catalog.sqlite from a backup, or remove the folder and ingest anew",
            )
        if path.exists():
            try:
                return opened(Catalog(path))
            except IndexReadOnlyError:
                return opened(Catalog(path, read_only=True))
        if not create:
            raise IndexNotFoundError(f"there is no index at {folder}")
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        with writer_lock(folder, wait_seconds=60, purpose="creating the index"):
            return opened(Catalog.create(path))

    def close(self) -> None:
        """Closes the catalog."""
        self.catalog.close()

    @contextlib.contextmanager
    def writing(self, *, wait_seconds: float, purpose: str) -> Iterator[None]:
        """Holds the right to write for the block; at its end the lock file says what the catalog says."""
        with writer_lock(self.folder, wait_seconds=wait_seconds, purpose=purpose):
            # Before the first new commit: caches of a later state, left by a catalog restored from a backup, are
            # told by their number, which new commits would soon pass.
            self.caches.catch_up()
            yield
            lock_file.write_lock_file(self.folder, self.catalog)

    @contextlib.contextmanager
    def view(self, *, dense: bool, lexical: bool) -> Iterator[View]:
        """The latest commit, with the legs asked for brought up to it."""
        for attempt in range(VIEW_ATTEMPTS):
            with self.catalog.reading() as commit:
                words = self.caches.lexical_at(commit) if lexical else None
                stretches = self.caches.stretches_at(commit) if lexical else None
                vectors = self.caches.dense_at(commit) if dense else None
                reflected = max(
                    words.commit if words else 0,
                    stretches.commit if stretches else 0,
                    self.caches.dense_commit if dense else 0,
                )
                if reflected > commit and attempt < VIEW_ATTEMPTS - 1:
                    continue  # another process committed after this view began: begin at its commit
                open_vocabulary = partial(self.caches.vocabulary_at, commit)
                yield View(commit, self.catalog, vectors, words, stretches, open_vocabulary)
                return


@dataclass(frozen=True, slots=True)
class View:
    """One commit of the index."""

    commit: int
    catalog: Catalog
    dense_leg: DenseIndex | None
    lexical_leg: LexicalIndex | None
    stretches_leg: LexicalIndex | None
    open_vocabulary: Callable[[], Vocabulary]

    @property
    def dense(self) -> DenseIndex:
        """The dense leg."""
        if self.dense_leg is None:
            raise LookupError("the view was not asked for the dense leg")
        return self.dense_leg

    @property
    def lexical(self) -> LexicalIndex:
        """The lexical leg."""
        if self.lexical_leg is None:
            raise LookupError("the view was not asked for the lexical leg")
        return self.lexical_leg

    @property
    def stretches(self) -> LexicalIndex:
        """The lexical leg over stretches of documents."""
        if self.stretches_leg is None:
            raise LookupError("the view was not asked for the lexical leg")
        return self.stretches_leg

    @property
    def vocabulary(self) -> Vocabulary:
        """The corpus's words; opened when it is first asked for."""
        return self.open_vocabulary()

    def matching(self, condition: Filter) -> Numbers:
        """Numbers of the chunks whose document satisfies the filter, ascending."""
        return self.catalog.matching(condition)

    def passages(
        self, chunks: Sequence[int], *, spans: Mapping[int, tuple[int, int]] | None = None
    ) -> dict[int, Passage]:
        """The stored chunks of these numbers, or these spans of their documents."""
        return self.catalog.passages(chunks, spans=spans)

    def places(self, chunks: Sequence[int]) -> dict[int, ChunkPlace]:
        """Where chunks lie."""
        return self.catalog.places(chunks)

    def places_around(self, place: ChunkPlace, reach: int) -> list[ChunkPlace]:
        """A chunk's place and those beside it, in order."""
        return self.catalog.places_around(place, reach)

    def linked(self, chunks: Sequence[int]) -> dict[int, tuple[str, tuple[str, ...]]]:
        """For chunks whose documents have near-duplicates: the document's id, and those of all of them."""
        return self.catalog.near_duplicates.linked(chunks)
