"""A chunker in other processes: documents go in, their chunks come back, whatever happens to a process."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Any, Self

from rag_engine.errors import ChunkingError, RagEngineError
from rag_engine.protocols import Chunker
from rag_engine.semantic_chunking.chunking_worker import HEADER, READY, Cut, cut, send
from rag_engine.types.document import Chunk, Document

# Until so much has come, all is chunked here: a small ingest waits for no process to start.
SMALL_CHARACTERS = 200_000
# What may be under way: submitted, and its chunks not yet taken.
AHEAD_CHARACTERS = 4_000_000
AHEAD_DOCUMENTS = 4_096
# Goes to a process at once, so that its answer is worth the way.
_GROUP_CHARACTERS = 32_768
_GROUP_DOCUMENTS = 64
_ATTEMPTS = 2  # at starting a process
_DEATHS = 2  # of processes that were at one document alone, after which it is at fault

# sys.path is the parent's, before anything else is imported; the user's own program is never run again.
_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[1:]; from rag_engine.semantic_chunking.chunking_worker import main; main()"
)
# One process is one thread: there are several of them, and each further thread of a library takes memory.
_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


class PendingChunks:
    """A document's chunks, there or still to come."""

    def __init__(self, pool: ChunkingPool, document: Document) -> None:
        self.document = document
        self.deaths = 0
        self.ready = False
        self._pool = pool
        self._outcome: list[Chunk] | BaseException = []

    def result(self) -> list[Chunk]:
        """The chunks, once they are there; to be asked for once.

        Raises:
            ChunkingError: the chunker failed at the document, or two processes ended at it.
        """
        self._pool.take(self)
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        return self._outcome

    def settle(self, outcome: list[Cut] | BaseException) -> None:
        """What came of it; with the texts that a process leaves out."""
        text = self.document.text
        if isinstance(outcome, BaseException):
            self._outcome = outcome
        else:
            self._outcome = [
                Chunk(ordinal, start, end, text[start:end], path, context + text[start:end], tokens)
                for ordinal, start, end, path, context, tokens in outcome
            ]
        self.ready = True


class ChunkingPool:
    """Processes that chunk, each with a thread that drives it. A context manager; to be used by one thread.

    Every outcome is that of ``chunker.chunk`` itself. The processes start when the first
    ``small_characters`` have come, one after the other, as long as documents wait.
    """

    def __init__(self, *, chunker: Chunker, workers: int, small_characters: int = SMALL_CHARACTERS) -> None:
        """``chunker`` can be pickled, and its class be imported by its name."""
        self._chunker = chunker
        self._workers = workers
        self._small_characters = small_characters
        self._changed = threading.Condition()
        self._queued: deque[PendingChunks] = deque()
        self._threads: list[threading.Thread] = []
        self._processes: dict[threading.Thread, _Process] = {}
        self._under_way = self._under_way_characters = 0
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends every process, also in the middle of a document."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=0.01)
            while thread.is_alive():
                for process in tuple(self._processes.values()):
                    process.kill()
                thread.join(timeout=0.05)

    @property
    def process_ids(self) -> list[int]:
        """The processes that chunk."""
        return [process.process_id for process in tuple(self._processes.values())]

    @property
    def full(self) -> bool:
        """Whether as much is under way as may be: the oldest chunks are to be taken before more is submitted."""
        return self._under_way >= AHEAD_DOCUMENTS or self._under_way_characters >= AHEAD_CHARACTERS

    def submit(self, document: Document) -> PendingChunks:
        """Begins to chunk a document."""
        pending = PendingChunks(self, document)
        self._under_way += 1
        self._under_way_characters += len(document.text)
        if self._small_characters >= len(document.text):
            self._small_characters -= len(document.text)
            pending.settle(cut(self._chunker, document))
            return pending
        self._small_characters = 0
        with self._changed:
            self._queued.append(pending)
            self._changed.notify()
            waiting = len(self._queued)
        if not self._threads or (len(self._threads) < self._workers and waiting > _GROUP_DOCUMENTS):
            thread = threading.Thread(target=self._drive, name="rag_engine chunking", daemon=True)
            self._threads.append(thread)
            thread.start()
        return pending

    def take(self, pending: PendingChunks) -> None:
        """Waits until a document's chunks are there, and no longer counts it as under way."""
        with self._changed:
            self._changed.wait_for(lambda: pending.ready)
        self._under_way -= 1
        self._under_way_characters -= len(pending.document.text)

    # In the threads -------------------------------------------------------------------------------

    def _drive(self) -> None:
        # A process that dies with its parent dies with the thread that started it: so each thread keeps to its own.
        try:
            while group := self._next():
                try:
                    self._chunk(group)
                except BaseException as error:  # noqa: BLE001 - raised again where the chunks are taken
                    self._stop_own_process()  # it may be in the middle of an answer
                    self._settle(group, [error] * len(group))
        finally:
            self._stop_own_process()

    def _next(self) -> list[PendingChunks]:
        with self._changed:
            self._changed.wait_for(lambda: self._queued or self._closed)
            group: list[PendingChunks] = []
            characters = 0
            while self._queued and not self._closed and len(group) < _GROUP_DOCUMENTS:
                characters += len(self._queued[0].document.text)
                if group and characters > _GROUP_CHARACTERS:
                    break
                group.append(self._queued.popleft())
            return group

    def _chunk(self, group: list[PendingChunks]) -> None:
        documents = [pending.document for pending in group]
        outcomes: Sequence[list[Cut] | BaseException]
        try:
            process = self._own_process()
            # Where there can be no process, it is done here: slower, but done.
            outcomes = process.ask(documents) if process else [cut(self._chunker, document) for document in documents]
        except (EOFError, BrokenPipeError):
            self._stop_own_process()
            if self._closed:
                outcomes = [ChunkingError("the ingest was stopped")] * len(group)
            elif len(group) > 1:
                for pending in group:  # one by one, to see which it is, if it is one of them
                    self._chunk([pending])
                return
            else:
                group[0].deaths += 1
                if group[0].deaths < _DEATHS:
                    self._chunk(group)
                    return
                name = group[0].document.id
                outcomes = [ChunkingError(f"the process that cut {name} into chunks died, and the next one too")]
        self._settle(group, outcomes)

    def _own_process(self) -> _Process | None:
        this = threading.current_thread()
        for _ in range(_ATTEMPTS):
            with suppress(EOFError, BrokenPipeError, OSError, pickle.PicklingError, AttributeError, TypeError):
                if this not in self._processes and not self._closed:
                    process = self._processes[this] = _Process()
                    process.begin(self._chunker)
                return self._processes.get(this)
            self._stop_own_process()
        return None

    def _stop_own_process(self) -> None:
        process = self._processes.pop(threading.current_thread(), None)
        if process:
            process.stop()

    def _settle(self, group: list[PendingChunks], outcomes: Sequence[list[Cut] | BaseException]) -> None:
        for pending, outcome in zip(group, outcomes, strict=True):
            pending.settle(outcome)
        with self._changed:
            self._changed.notify_all()


class _Process:
    """The child process and the pipes to it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _PROGRAM, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **_ONE_THREAD},
            start_new_session=True,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise EOFError
        self._requests: IO[bytes] = self._process.stdin
        self._replies: IO[bytes] = self._process.stdout

    @property
    def process_id(self) -> int:
        return self._process.pid

    def begin(self, chunker: Chunker) -> None:
        """Gives the process its chunker. Raises EOFError or BrokenPipeError where it cannot begin."""
        send(self._requests, chunker)
        if self._receive() != READY:
            raise EOFError

    def ask(self, documents: list[Document]) -> list[list[Cut] | RagEngineError]:
        """What came of each document. Raises EOFError or BrokenPipeError where the process is gone."""
        send(self._requests, documents)
        outcomes: list[list[Cut] | RagEngineError] = self._receive()
        return outcomes

    def _receive(self) -> Any:
        (length,) = HEADER.unpack(self._read(HEADER.size))
        return pickle.loads(self._read(length))  # noqa: S301 - from a child of our own

    def _read(self, length: int) -> bytes:
        body = self._replies.read(length)
        if len(body) < length:
            raise EOFError
        return body

    def kill(self) -> None:
        """Kills the process and leaves the pipes to whoever reads them."""
        self._process.kill()

    def stop(self) -> None:
        """Kills the process and closes the pipes."""
        self._process.kill()
        self._process.wait()
        with suppress(BrokenPipeError):
            self._requests.close()
        self._replies.close()
