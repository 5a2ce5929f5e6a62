"""The files that documents came from, and those that could not be ingested."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rag_engine.index.catalog.records import FileStatus, SourceRecord
from rag_engine.types.health import QuarantinedSource


class SourceRecords:
    """A view of a catalog: what it knows of files."""

    def __init__(self, rows: Callable[..., list[Any]]) -> None:
        """``rows`` runs a statement with its parameters."""
        self._rows = rows

    def at(self, path: str) -> SourceRecord | None:
        """What is known of a file."""
        return next(iter(self._selected("where path = ?", (path,))), None)

    def all(self) -> list[SourceRecord]:
        """Every file that documents came from, by path."""
        return self._selected("order by path")

    def repeated_contents(self) -> set[str]:
        """SHA-256 of the bytes that several sources have documents of, each its own."""
        return {
            sha256
            for (sha256,) in self._rows(
                "select sha256 from sources where same_as is null group by sha256 having count(*) > 1"
            )
        }

    def count_copies(self) -> int:
        """How many sources have the bytes of another one, whose documents theirs are."""
        return int(self._rows("select count(*) from sources where same_as is not null")[0][0])

    def count_documents(self) -> dict[str, int]:
        """How many documents came from each file."""
        return dict(self._rows("select source, count(*) from documents where source is not null group by source"))

    def quarantined(self) -> list[QuarantinedSource]:
        """Every source, and single record of one, that could not be ingested, by name."""
        columns = "source, sha256, loader_versions, code, error, hint, first_failed, last_failed, attempts"
        return [QuarantinedSource(*row) for row in self._rows(f"select {columns} from quarantine order by source")]

    def _selected(self, clause: str, parameters: Sequence[Any] = ()) -> list[SourceRecord]:
        return [
            SourceRecord(
                path,
                name,
                sha256,
                size,
                loader,
                version,
                bool(complete),
                None if None in status else FileStatus(*status),
                same_as,
            )
            for path, name, sha256, size, loader, version, complete, same_as, *status in self._rows(
                "select path, name, sha256, size, loader, loader_version, complete, same_as, modified, changed, inode "
                f"from sources {clause}",
                parameters,
            )
        ]
