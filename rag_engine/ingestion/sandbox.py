"""Reads files in a process of its own, so that a hostile one can take nothing else down."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from rag_engine.errors import ParserCrashError, ParserMemoryError, ParserTimeoutError, UnreadableSourceError
from rag_engine.ingestion.frames import (
    HEADER,
    decode_frame,
    encode_frame,
    largest_frame,
    unpack_error,
    unpack_record,
)
from rag_engine.types.document import Document, SourceFailure
from rag_engine.types.ingestion import LoadLimits

if TYPE_CHECKING:
    import socket

_PACKAGE_FOLDER = str(Path(__file__).resolve().parents[2])
# Isolated (-I), the child would look neither here nor in PYTHONPATH: it is told where this very package lies.
_PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from rag_engine.ingestion.sandbox_worker import main; main()"
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT", "TZ")  # no secrets of the parent's
_READ_BYTES = 1 << 20


class ParsedSource:
    """A file that the sandbox has opened: its digest, its loader, and its records in order.

    ``sha256`` is that of the very bytes that are parsed. Iterating raises the IngestionErrors of
    the loader and of the sandbox; it can be done once.
    """

    def __init__(
        self,
        *,
        sha256: str,
        loader: str,
        version: int,
        holds_files: bool,
        records: Iterator[Document | SourceFailure],
    ) -> None:
        self.sha256 = sha256
        self.loader = loader
        self.version = version
        self.holds_files = holds_files
        self._records = records

    def __iter__(self) -> Iterator[Document | SourceFailure]:
        return self._records


class Sandbox:
    """A process that parses files under caps of time, memory and size, without network, writing nothing.

    It is started when first needed, used for file after file, and started again where a file
    broke it. One file at a time; not for several threads at once.
    """

    def __init__(
        self, *, timeout_seconds: float, memory_megabytes: int, max_file_bytes: int, limits: LoadLimits
    ) -> None:
        """``timeout_seconds`` caps the wait for a file's next record, the consumer's own time not counted."""
        self._timeout_seconds = timeout_seconds
        self._memory_megabytes = memory_megabytes
        self._max_file_bytes = max_file_bytes
        self._limits = limits
        self._worker: _Worker | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process; a later ``open`` starts another."""
        if self._worker:
            self._worker.stop()
            self._worker = None

    def kill(self) -> None:
        """Kills the process, from whatever thread: the one that reads a file is told that its parser died."""
        worker = self._worker
        if worker:
            worker.kill()

    @property
    def process_id(self) -> int | None:
        """The process that parses, where one runs."""
        worker = self._worker  # which another thread may be taking away
        return worker.process_id if worker else None

    @contextmanager
    def open(self, path: Path, *, name: str, fatal_after: tuple[tuple[int, str], ...] = ()) -> Iterator[ParsedSource]:
        """The file at ``path`` as documents; leaving the block early stops its parsing.

        ``name`` is the document's id where the file says none, and what errors call it. ``fatal_after`` are files
        within it that are not read, see ``LoadLimits``.

        Raises:
            UnreadableSourceError: vanished, forbidden, or changed while it was read.
            SourceTooLargeError, UnsupportedFormatError: before anything is parsed.
            ParserTimeoutError, ParserMemoryError, ParserCrashError: here or while iterating.
        """
        worker = self._started(name)
        limits = replace(self._limits, fatal_after=fatal_after)
        try:
            request = {"name": name, "max_file_bytes": self._max_file_bytes, "limits": asdict(limits)}
            with _opened(path, name) as descriptor:
                worker.ask(request, descriptor)
            opened = self._next_message(worker, name)
            if opened.get("kind") != "opened":
                raise ParserCrashError(f"the parser of {name} answered out of turn")
            yield ParsedSource(
                sha256=str(opened.get("sha256")),
                loader=str(opened.get("loader")),
                version=int(opened.get("version", 0)),
                holds_files=bool(opened.get("holds_files")),
                records=self._records(worker, name),
            )
        finally:
            if not worker.ready and self._worker is worker:
                self.close()

    def protections(self) -> tuple[str, ...]:
        """What confines the process here, see ``sandbox_confinement``; it is started where none runs.

        Raises:
            ParserFailureError: it cannot be started.
        """
        return self._started("nothing yet").protections

    def _started(self, name: str) -> _Worker:
        """The process, which has said that it is ready; another one where it died between two files, or was left
        in the middle of one by another block."""
        if self._worker and not self._worker.ready:
            self.close()
        if self._worker is None:
            worker = self._worker = _Worker(self._memory_megabytes)
            try:
                worker.protections = tuple(self._next_message(worker, name)["protections"])
            except BaseException:
                self.close()
                raise
        return self._worker

    def _records(self, worker: _Worker, name: str) -> Iterator[Document | SourceFailure]:
        while (message := self._next_message(worker, name)).get("kind") != "done":
            yield unpack_record(message)
        worker.busy = False

    def _next_message(self, worker: _Worker, name: str) -> dict[str, Any]:
        limit = largest_frame(self._limits.max_characters)
        try:
            message = decode_frame(worker.read_frame(self._timeout_seconds, limit))
        except TimeoutError as error:
            worker.stop()
            raise ParserTimeoutError(f"parsing {name} took more than {self._timeout_seconds:g} s") from error
        except EOFError as error:
            raise self._death(worker, name) from error
        if message.get("kind") == "error":
            failure = unpack_error(message)
            if isinstance(failure, ParserMemoryError):
                worker.stop()
                raise ParserMemoryError(f"parsing {name} took more than {self._memory_megabytes:,} MB of memory")
            worker.busy = False
            raise failure
        return message

    def _death(self, worker: _Worker, name: str) -> ParserCrashError:
        status = worker.stop()
        try:
            reason = signal.Signals(-status).name
        except ValueError:
            reason = f"exit status {status}"
        return ParserCrashError(f"the parser died while reading {name} ({reason})")


@contextmanager
def _opened(path: Path, name: str) -> Iterator[int]:
    """The file, open for reading: the child is given it so, and may open none itself. Pipes are not waited for.

    Raises:
        UnreadableSourceError: it cannot be opened.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UnreadableSourceError(f"{name} cannot be read: {error.strerror}") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class _Worker:
    """The child process, the socket to it and the pipe from it. ``busy`` while answers to a request are to come.

    ``protections`` are what it says it is confined by.
    """

    def __init__(self, memory_megabytes: int) -> None:
        import socket  # not above: the child imports this package too, and starts sooner without

        self.busy = False
        self.protections: tuple[str, ...] = ()
        self._requests, theirs = socket.socketpair()
        with theirs:
            self._process = self._start(memory_megabytes, theirs)
        if self._process.stdout is None:
            raise ParserCrashError("the parser has no pipe")
        self._replies: IO[bytes] = self._process.stdout
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._replies, selectors.EVENT_READ)

    @staticmethod
    def _start(memory_megabytes: int, requests: socket.socket) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-I", "-B", "-c", _PROGRAM, _PACKAGE_FOLDER, str(memory_megabytes)],
            stdin=requests.fileno(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ},
            start_new_session=True,
            bufsize=0,
        )

    @property
    def process_id(self) -> int:
        return self._process.pid

    @property
    def ready(self) -> bool:
        """Alive, and through with what it was asked."""
        return not self.busy and self._process.poll() is None

    def ask(self, request: dict[str, Any], descriptor: int) -> None:
        """Sends a request and, with its first byte, the open file that it is about."""
        import socket

        self.busy = True
        frame = encode_frame(request, ascii_only=True)  # escapes carry file names that are no valid Unicode
        with suppress(BrokenPipeError, ConnectionResetError):  # its death is told when the answer is waited for
            sent = socket.send_fds(self._requests, [frame], [descriptor])
            self._requests.sendall(frame[sent:])

    def read_frame(self, timeout_seconds: float, limit: int) -> bytes:
        """The next frame's body. Raises TimeoutError, EOFError at the process's end, ParserCrashError."""
        deadline = time.monotonic() + timeout_seconds
        (length,) = HEADER.unpack(self._read(HEADER.size, deadline))
        if length > limit:
            self.stop()
            raise ParserCrashError("the parser answered with something that is no message")
        return bytes(self._read(length, deadline))

    def kill(self) -> None:
        """Kills the process and leaves the pipes to whoever reads them."""
        self._process.kill()

    def stop(self) -> int:
        """Kills the process and says how it ended."""
        self._selector.close()
        self._process.kill()
        status = self._process.wait()
        self._requests.close()
        self._replies.close()
        return status

    def _read(self, length: int, deadline: float) -> bytearray:
        received = bytearray()
        while len(received) < length:
            if not self._selector.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError
            part = os.read(self._replies.fileno(), min(length - len(received), _READ_BYTES))
            if not part:
                raise EOFError
            received += part
        return received
