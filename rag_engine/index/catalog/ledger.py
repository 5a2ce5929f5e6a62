"""The truncation ledger: everything that any stage left out of a document, by document."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag_engine.types.ingestion import TruncatedDocument

# What loaders left out, and the chunks that have more tokens than the model's window (the parameter). The latter
# follow from the chunks themselves, so that nothing can say otherwise.
_ENTRIES = (
    "select documents.id as id, stage, what, kept, total, truncations.rowid as place, source from truncations "
    "join documents on documents.number = truncations.document "
    "union all select documents.id, 'embedder', 'tokens of characters ' || chunks.start || ' to ' || chunks.end, "
    "windows.tokens, chunks.tokens, chunks.start, source from (select ? as tokens) as windows "
    "join chunks on chunks.tokens > windows.tokens join documents on documents.number = chunks.document"
)


class TruncationLedger:
    """A view of a catalog: what its documents lost on their way under a model of this window."""

    def __init__(self, rows: Callable[[str, Sequence[Any]], list[Any]], *, window: int) -> None:
        """``rows`` runs a statement; ``window`` is how many tokens of a chunk the model reads."""
        self._rows = rows
        self._window = window

    def __len__(self) -> int:
        """How many entries there are."""
        sql = "select (select count(*) from truncations) + (select count(*) from chunks where tokens > ?)"
        return int(self._rows(sql, (self._window,))[0][0])

    def first(self, most: int) -> tuple[TruncatedDocument, ...]:
        """The entries, by document and stage, in their order within it, at most so many."""
        from rag_engine.types.ingestion import TruncatedDocument

        sql = f"select id, stage, what, kept, total from ({_ENTRIES}) order by id, stage, place limit ?"
        return tuple(TruncatedDocument(*row) for row in self._rows(sql, (self._window, most)))

    def about(self, identifier: str) -> tuple[TruncatedDocument, ...]:
        """The entries about this document, by stage, in their order within it."""
        from rag_engine.types.ingestion import TruncatedDocument

        sql = f"select id, stage, what, kept, total from ({_ENTRIES}) where id = ? order by stage, place"
        return tuple(TruncatedDocument(*row) for row in self._rows(sql, (self._window, identifier)))

    def names(self, identifier: str) -> bool:
        """Whether there is an entry about this document."""
        return bool(self._rows(f"select 1 from ({_ENTRIES}) where id = ? limit 1", (self._window, identifier)))

    def sources(self) -> set[str]:
        """The files with documents that there are entries about."""
        sql = f"select distinct source from ({_ENTRIES}) where source is not null"
        return {path for (path,) in self._rows(sql, (self._window,))}
