"""Files read ahead in several sandboxes; their records come strictly in the order of files and records."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from rag_engine.errors import ParserCrashError, ParserFailureError, UnreadableSourceError
from rag_engine.ingestion.sandbox import ParsedSource, Sandbox
from rag_engine.types.document import Document, SourceFailure

# Of records that wait: for the file at hand, and again for all the others together.
AHEAD_CHARACTERS = 4_000_000
AHEAD_FILES = 256
# A sandbox takes a tenth of a second to start: each further one is worth it for so many files, or bytes, that wait.
FILES_A_SANDBOX = 64
BYTES_A_SANDBOX = 4_000_000
# Of one archive: each costs another reading of all that comes before it.
MOST_FATAL_FILES = 8
# What a record costs besides its text, and a block of it.
_RECORD_CHARACTERS = 1_000
_BLOCK_CHARACTERS = 100


@dataclass(slots=True)
class _Waiting:
    """What all readings of a ReadAhead share: who waits is told of every change; characters that wait, of all."""

    changed: threading.Condition = field(default_factory=threading.Condition)
    characters: int = 0


class SourceReading:
    """One file on its way: its records by iterating, once; then what it was read with.

    ``sha256`` is that of the very bytes that were parsed; it, ``loader`` and ``version`` are known from the first
    record on. Iterating raises the IngestionErrors of the loader and of the sandbox.
    """

    def __init__(self, shared: _Waiting, *, location: str, name: str, size: int) -> None:
        self.location = location
        self.name = name
        self.size = size
        self.sha256 = self.loader = ""
        self.version = 0
        self.ended = self.unwanted = self.holds_files = False
        self.error: BaseException | None = None
        self.handed_over = 0  # records, in all
        self.waiting_characters = 0
        self._records: deque[Document | SourceFailure] = deque()
        self._shared = shared

    def __iter__(self) -> Iterator[Document | SourceFailure]:
        changed = self._shared.changed
        while True:
            with changed:
                if self.unwanted:
                    raise RuntimeError("the next file is being read already")
                changed.wait_for(lambda: self._records or self.ended)
                if not self._records:
                    break
                record = self._records.popleft()
                self._count(-_characters(record))
                changed.notify_all()
            yield record
        if self.error is not None:
            raise self.error

    def hand_over(self, record: Document | SourceFailure) -> None:
        """Adds a record to those that wait; call with the condition held."""
        self._records.append(record)
        self.handed_over += 1
        self._count(_characters(record))

    def drop(self) -> None:
        """Forgets the records that wait and refuses further ones; call with the condition held."""
        self.unwanted = True
        self._records.clear()
        self._count(-self.waiting_characters)

    def _count(self, characters: int) -> None:
        self.waiting_characters += characters
        self._shared.characters += characters


class ReadAhead:
    """Sandboxes, each with a thread that drives it. A context manager; to be used by one thread.

    The first sandbox starts with the first file, another when there is enough waiting for it. Memory is bounded by
    ``AHEAD_CHARACTERS``, whatever the files: what is read faster than it is taken waits in the sandboxes.
    """

    def __init__(self, *, make_sandbox: Callable[[], Sandbox], workers: int) -> None:
        """At most ``workers`` sandboxes, each made by the thread that drives it."""
        self._make_sandbox = make_sandbox
        self._workers = workers
        self._shared = _Waiting()
        self._changed = self._shared.changed
        self._threads: list[threading.Thread] = []
        self._sandboxes: list[Sandbox] = []
        self._queued: deque[SourceReading] = deque()
        self._queued_bytes = 0
        self._in_order: deque[SourceReading] = deque()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends every sandbox, also in the middle of a file."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=0.01)
            while thread.is_alive():
                for sandbox in tuple(self._sandboxes):
                    sandbox.kill()
                thread.join(timeout=0.05)

    @property
    def process_ids(self) -> list[int]:
        """The processes that parse."""
        return [process for sandbox in tuple(self._sandboxes) if (process := sandbox.process_id) is not None]

    def read(self, files: Iterable[tuple[str, str, int]]) -> Iterator[SourceReading]:
        """A reading for each file, given as location, name (see ``Sandbox.open``) and size in bytes, in order.

        What is left of a reading when the next is asked for is dropped.
        """
        coming = iter(files)
        try:
            while True:
                while len(self._in_order) < AHEAD_FILES and (file := next(coming, None)) is not None:
                    self._queue(*file)
                if not self._in_order:
                    return
                yield self._in_order[0]
                self._drop(1)
        finally:
            self._drop(len(self._in_order))

    def _queue(self, location: str, name: str, size: int) -> None:
        reading = SourceReading(self._shared, location=location, name=name, size=size)
        with self._changed:
            self._in_order.append(reading)
            self._queued.append(reading)
            self._queued_bytes += size
            self._changed.notify_all()
            waiting = max(len(self._queued) / FILES_A_SANDBOX, self._queued_bytes / BYTES_A_SANDBOX)
        if not self._threads or (len(self._threads) < self._workers and waiting > len(self._threads)):
            thread = threading.Thread(target=self._drive, name="rag_engine sandbox", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _drop(self, count: int) -> None:
        with self._changed:
            for _ in range(count):
                self._in_order.popleft().drop()
            self._changed.notify_all()

    # In the threads -------------------------------------------------------------------------------

    def _drive(self) -> None:
        # A process that dies with its parent dies with the thread that started it: so each thread keeps to its own.
        with self._make_sandbox() as sandbox:
            self._sandboxes.append(sandbox)
            while (reading := self._next()) is not None:
                if not reading.unwanted:
                    try:
                        self._parse(sandbox, reading)
                    except BaseException as error:  # noqa: BLE001 - raised again where the records are taken
                        reading.error = error
                with self._changed:
                    reading.ended = True
                    self._changed.notify_all()

    def _next(self) -> SourceReading | None:
        with self._changed:
            self._changed.wait_for(lambda: self._queued or self._closed)
            if self._closed:
                return None
            reading = self._queued.popleft()
            self._queued_bytes -= reading.size
            return reading

    def _parse(self, sandbox: Sandbox, reading: SourceReading) -> None:
        killed = False
        fatal: dict[int, str] = {}
        while True:
            try:
                self._attempt(sandbox, reading, tuple(fatal.items()))
            except ParserFailureError as error:
                if self._closed or reading.unwanted:
                    raise
                # It may have been killed from outside. A file that ends a second process too is at fault itself,
                if isinstance(error, ParserCrashError) and not killed:
                    killed = True
                    continue
                # or a file within it, which is passed over then: the one behind the records that came.
                position = reading.handed_over
                if not reading.holds_files or position in fatal or len(fatal) == MOST_FATAL_FILES:
                    raise
                fatal[position] = error.code
                killed = False
            else:
                return

    def _attempt(self, sandbox: Sandbox, reading: SourceReading, fatal_after: tuple[tuple[int, str], ...]) -> None:
        with sandbox.open(Path(reading.location), name=reading.name, fatal_after=fatal_after) as parsed:
            if reading.handed_over and reading.sha256 != parsed.sha256:
                raise UnreadableSourceError(f"{reading.name} changed while it was read", hint="ingest it again")
            reading.sha256, reading.loader, reading.version = parsed.sha256, parsed.loader, parsed.version
            reading.holds_files = parsed.holds_files
            self._hand_over(parsed, reading)

    def _hand_over(self, parsed: ParsedSource, reading: SourceReading) -> None:
        known = reading.handed_over
        for number, record in enumerate(parsed):
            if number < known:
                continue  # a second attempt
            with self._changed:
                self._changed.wait_for(lambda: reading.unwanted or self._closed or self._has_room(reading))
                if reading.unwanted or self._closed:
                    return
                reading.hand_over(record)
                self._changed.notify_all()

    def _has_room(self, reading: SourceReading) -> bool:
        first = self._in_order[0]
        if reading is first:
            return reading.waiting_characters < AHEAD_CHARACTERS
        return self._shared.characters - first.waiting_characters < AHEAD_CHARACTERS


def _characters(record: Document | SourceFailure) -> int:
    if isinstance(record, SourceFailure):
        return _RECORD_CHARACTERS
    return _RECORD_CHARACTERS + len(record.text) + _BLOCK_CHARACTERS * len(record.blocks)
