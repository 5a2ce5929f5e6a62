"""Where a cell's call is sent: the scripted server, or a place where there is none, and what is open afterwards."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from benchmarks.faults.socket_server import ReceivedRequest, Send, SocketServer, Step, whole
from benchmarks.faults.wire_cells import Cell, Place

FAR_AWAY = "provider.invalid"
# Stands in a script for the address of the other server.
ELSEWHERE = b"ELSEWHERE"


@contextlib.contextmanager
def placed(cell: Cell) -> Iterator[tuple[str, SocketServer, SocketServer | None]]:
    """The address to ask at, without a path, the scripted server, and the other one where there is one."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(_proxies({}))
        other: SocketServer | None = None
        reply = cell.reply
        if cell.place is Place.ELSEWHERE:
            other = stack.enter_context(SocketServer(lambda _request, _number: whole(200, b"{}")))
            target = other.url.encode()

            def redirected(request: ReceivedRequest, number: int) -> Iterable[Step]:
                for step in cell.reply(request, number):
                    yield Send(step.data.replace(ELSEWHERE, target)) if isinstance(step, Send) else step

            reply = redirected
        tls = _untrusted() if cell.place is Place.UNTRUSTED else None
        server = stack.enter_context(SocketServer(reply, tls=tls))
        url = server.url
        if cell.place is Place.REFUSED:
            url = f"http://127.0.0.1:{_free_port()}"
        elif cell.place is Place.NO_NAME:
            url = f"http://{FAR_AWAY}"
        elif cell.place is Place.PLAIN:
            url = server.url.replace("http:", "https:")
        elif cell.place is Place.PROXY:
            url = f"http://{FAR_AWAY}"
            stack.enter_context(_proxies({"http_proxy": server.url, "HTTP_PROXY": server.url}))
        yield url, server, other


@contextlib.contextmanager
def _proxies(wanted: Mapping[str, str]) -> Iterator[None]:
    """These proxies in the environment and no others."""
    kept = dict(os.environ)
    for name in kept:
        if name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)


@cache
def _untrusted() -> ssl.SSLContext:
    import trustme

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def open_sockets() -> int:
    """Sockets of this process, where the system tells."""
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        return 0
    count = 0
    for name in os.listdir(folder):  # noqa: PTH208 - a file may be gone before it is looked at
        with contextlib.suppress(OSError):
            count += str((folder / name).readlink()).startswith("socket:")
    return count
