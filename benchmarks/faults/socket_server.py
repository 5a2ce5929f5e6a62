"""A server that does with its sockets exactly what it is told: for faults that no well-behaved server makes."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True)
class ReceivedRequest:
    """One request as it came; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Send:
    """Sends bytes as they are."""

    data: bytes


@dataclass(frozen=True)
class Wait:
    """Does nothing for so many seconds, or until the server is closed."""

    seconds: float


@dataclass(frozen=True)
class Close:
    """Closes the connection: in order, or at once with a reset."""

    reset: bool = False


Step: TypeAlias = Send | Wait | Close
Reply: TypeAlias = Callable[[ReceivedRequest, int], Iterable[Step]]


@dataclass
class SocketServer:
    """Listens on a free port of the loopback interface while it is entered. ``reply`` gives the steps for a request
    and its number, from 0; without a Close among them the connection stays open for the next request."""

    reply: Reply
    tls: ssl.SSLContext | None = None
    requests: list[ReceivedRequest] = field(default_factory=list)
    # Connections that the client closed or reset while an answer was under way.
    abandoned: int = 0
    # Connections that may wait to be accepted: as many as are opened at once.
    backlog: int = 256

    def __enter__(self) -> SocketServer:
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=self.backlog)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """Its address."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        threads = []
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                break
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
        except OSError:
            connection.close()
            return
        with self._lock:
            self._open.add(connection)
        try:
            buffered = b""
            while not self._closing.is_set():
                request, buffered = _read_request(connection, buffered)
                if request is None:
                    return
                with self._lock:
                    number = len(self.requests)
                    self.requests.append(request)
                if not self._answer(connection, self.reply(request, number)):
                    return
        except OSError:
            with self._lock:
                self.abandoned += not self._closing.is_set()
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _answer(self, connection: socket.socket, steps: Iterable[Step]) -> bool:
        """Whether the connection stays open."""
        for step in steps:
            if isinstance(step, Send):
                connection.sendall(step.data)
            elif isinstance(step, Wait):
                if self._closing.wait(step.seconds):
                    return False
            else:
                if step.reset:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
        return True


def _read_request(connection: socket.socket, buffered: bytes) -> tuple[ReceivedRequest | None, bytes]:
    while b"\r\n\r\n" not in buffered:
        received = connection.recv(65536)
        if not received:
            return None, b""
        buffered += received
    head, _, rest = buffered.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    method, path, _ = first.split(" ", 2)
    length = int(headers.get("content-length", "0"))
    while len(rest) < length:
        received = connection.recv(65536)
        if not received:
            return None, b""
        rest += received
    return ReceivedRequest(method, path, headers, rest[:length]), rest[length:]


def http_head(status: int, headers: Mapping[str, str] | None = None) -> bytes:
    """The head of an answer."""
    lines = [f"HTTP/1.1 {status} Because", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def whole(status: int, body: bytes, *, media_type: str = "application/json", **headers: str) -> list[Step]:
    """An answer with its length; ``retry_after`` becomes the header ``retry-after``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return [Send(http_head(status, {"content-type": media_type, "content-length": str(len(body)), **named}) + body)]


def chunked(pieces: Iterable[bytes], *, media_type: str = "text/event-stream", end: bool = True) -> list[Step]:
    """A stream, one chunk a piece; without ``end`` the chunk that ends it is left out."""
    head = http_head(200, {"content-type": media_type, "transfer-encoding": "chunked"})
    steps: list[Step] = [Send(head)]
    steps += [Send(b"%x\r\n%b\r\n" % (len(piece), piece)) for piece in pieces if piece]
    return [*steps, Send(b"0\r\n\r\n")] if end else steps
