"""Keeping an index in step with folders: each batch of changes that has settled is an ordinary ingest.

What happens on the disk comes from watchfiles (MIT), which asks the system (inotify, FSEvents) and costs nothing while
nothing happens.
"""

from __future__ import annotations

import glob
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag_engine.errors import RagEngineError, SourceNotFoundError, UsageError
from rag_engine.ingestion import RULES_FILE
from rag_engine.types.ingestion import IngestReport

# How long to wait for the first changes: by then the system has been asked to tell of them.
_LOOK_SECONDS = 0.2
# Changes that never settle, as of a file that is written to all the time, are ingested so often, at least.
_LONGEST_BATCHES = 30
_RETRY_SECONDS = 10.0  # after a failure that may pass by itself, such as another writer


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be kept in step: ``place`` is the folder that is watched for it."""

    path: str
    place: Path
    file: Path | None = None

    @classmethod
    def of(cls, path: str | Path) -> _Asked:
        place = Path(os.path.abspath(path))  # noqa: PTH100 - links are not resolved, as in discovery
        if place.is_dir():
            return cls(str(path), place)
        if os.path.lexists(place) or not glob.has_magic(str(place)):
            return cls(str(path), place.parent, place)
        return cls(str(path), Path(*itertools.takewhile(lambda part: not glob.has_magic(part), place.parts)))

    def is_affected(self, changed: Path) -> bool:
        """Whether a change at a place may be one of what was asked for."""
        if self.file is not None:
            return changed == self.file
        if not changed.is_relative_to(self.place):
            return False
        *folders, name = ("", *changed.relative_to(self.place).parts)
        return not any(part.startswith(".") for part in folders) and (name == RULES_FILE or not name.startswith("."))

    @property
    def identity(self) -> int | None:
        """The number of the folder that is watched: another one may come in its place. None where there is none."""
        try:
            return self.place.stat().st_ino
        except OSError:
            return None


class WatchJob:
    """Ingests whenever something changes, until it is told to stop."""

    def __init__(
        self,
        *,
        ingest: Callable[[Sequence[str]], IngestReport],
        settle_seconds: float,
        passed_over: Path,
        done: Callable[[IngestReport], None],
        failed: Callable[[RagEngineError], None],
        stop: threading.Event,
    ) -> None:
        """``settle_seconds`` without a change make a batch. Changes within the folder ``passed_over``, the index's
        own, do not count. ``done`` is told of each ingest, ``failed`` of each that failed."""
        self._ingest = ingest
        self._settle_seconds = settle_seconds
        self._passed_over = Path(os.path.abspath(passed_over))  # noqa: PTH100
        self._done = done
        self._failed = failed
        self._stop = stop
        self._due: dict[str, float] = {}  # what must be ingested, and from when on
        self._identities: dict[str, int | None] = {}

    def watch(self, paths: Sequence[str | Path]) -> None:
        """Ingests everything, then what is affected by each batch of changes. A failing ingest is told of, and
        watching goes on.

        Raises:
            SourceNotFoundError: a path does not exist, at the start.
            UsageError: what is to be left out is written wrongly.
        """
        asked = [_Asked.of(path) for path in paths]
        for one in asked:
            if one.identity is None or (one.file is not None and not one.file.exists()):
                raise SourceNotFoundError(f"there is no {one.path}")
        while not self._stop.is_set():
            self._attend(asked)

    def _attend(self, asked: Sequence[_Asked]) -> None:
        """Watches the folders that there are, until one of them goes or comes."""
        from watchfiles import watch

        identities = [one.identity for one in asked]
        # What happened before is not told of: so all that is not what it was is looked at, once changes are told of.
        self._due.update((one.path, 0.0) for one in asked if self._identities.get(one.path, 0) != one.identity)
        self._identities = {one.path: identity for one, identity in zip(asked, identities, strict=True)}
        places = {one.place for one, identity in zip(asked, identities, strict=True) if identity is not None}
        if not places:
            self._ingest_what_is_due()
            self._stop.wait(self._settle_seconds)
            return
        for changes in watch(
            *places,
            watch_filter=None,
            debounce=round(self._settle_seconds * 1000 * _LONGEST_BATCHES),
            step=round(self._settle_seconds * 1000),
            rust_timeout=round(_LOOK_SECONDS * 1000),
            yield_on_timeout=True,
            stop_event=self._stop,
            recursive=any(one.file is None for one in asked),
        ):
            changed = [Path(path) for _, path in changes]
            self._due.update((one.path, 0.0) for one in asked if self._is_affected(one, changed))
            self._ingest_what_is_due()
            if [one.identity for one in asked] != identities:
                return

    def _is_affected(self, asked: _Asked, changed: Iterable[Path]) -> bool:
        return any(asked.is_affected(path) and not path.is_relative_to(self._passed_over) for path in changed)

    def _ingest_what_is_due(self) -> None:
        now = time.monotonic()
        due = [path for path, since in self._due.items() if since <= now]
        if not due:
            return
        for path in due:
            del self._due[path]
        try:
            self._done(self._ingest(due))
        except UsageError:
            raise
        except RagEngineError as error:
            self._failed(error)
            if error.retryable:
                self._due.update((path, time.monotonic() + _RETRY_SECONDS) for path in due)
