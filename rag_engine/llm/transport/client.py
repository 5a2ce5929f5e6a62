"""The client: sends calls, hands out answers, and keeps what is open in order."""

from __future__ import annotations

import asyncio
import ssl
import threading
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from urllib.parse import urlsplit

from rag_engine.error_handler import Phase
from rag_engine.errors import BadResponseError, ProxyError, RedirectError, ResponseTooLargeError
from rag_engine.llm.transport.call import Call
from rag_engine.llm.transport.exchange import WireLimits, WireReply, WireRequest
from rag_engine.llm.transport.http_connection import StaleConnectionError, overdue
from rag_engine.llm.transport.pool import Pool
from rag_engine.llm.transport.tls import Trust
from rag_engine.llm.transport.wire_stream import WireStream

_PACKINGS = ("", "identity", "gzip", "x-gzip")


class Transport:
    """Sends requests and reads answers, within limits that hold whatever the other side does.

    One serves any number of event loops, one after another and in several threads: each has connections of its own,
    kept for its next call, and closed with it. ``verify`` is False for servers whose certificate nobody vouches for,
    or a context of one's own; ``connections`` bounds those open at a time, ``keep_alive`` is how many seconds an unused
    one is kept.
    """

    def __init__(
        self,
        *,
        limits: WireLimits | None = None,
        verify: ssl.SSLContext | bool = True,
        connections: int = 100,
        keep_alive: float = 30.0,
    ) -> None:
        self.limits = limits or WireLimits()
        self._trust = Trust(verify)
        self._connections = connections
        self._keep_alive = keep_alive
        self._pools: dict[asyncio.AbstractEventLoop, Pool] = {}
        self._lock = threading.Lock()

    async def send(self, request: WireRequest, *, deadline: float | None = None) -> WireReply:
        """The answer, read whole, whatever its status. ``deadline`` is a time of the running loop's clock; without it
        the limits' counts from now.

        Raises:
            LanguageModelError: of the families AuthenticationError (a malformed key), ModelTimeoutError,
                ModelConnectionError and ProviderFailureError (cut, too large, no HTTP).
            ConfigurationError: the request's URL, or a proxy's in the environment, is none.
        """
        stream = await self._answer(request, deadline, Phase.BODY)
        try:
            body = await stream.read()
        finally:
            stream.close()
        return WireReply(stream.status, stream.headers, body)

    def stream(self, request: WireRequest, *, deadline: float | None = None) -> AbstractAsyncContextManager[WireStream]:
        """The answer as it comes. Leaving the context closes the connection, unless the answer has ended.

        Raises:
            LanguageModelError, ConfigurationError: as ``send``.
        """
        return _Entered(self, request, deadline)

    async def aclose(self) -> None:
        """Closes the running loop's connections; calls under way end with an error. May be used again."""
        with self._lock:
            pool = self._pools.pop(asyncio.get_running_loop(), None)
        if pool is not None and pool.of_this_process:
            await pool.aclose()

    def _pool(self) -> Pool:
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None or not pool.of_this_process:
            pool = Pool(self._trust, size=self._connections, keep_alive=self._keep_alive)
            with self._lock:
                for other in [other for other in self._pools if other.is_closed()]:
                    del self._pools[other]
                self._pools[loop] = pool
        return pool

    async def _answer(self, request: WireRequest, deadline: float | None, phase: Phase) -> WireStream:
        """The answer's head is there."""
        now = asyncio.get_running_loop().time()
        call = Call(request, self.limits, now + self.limits.deadline if deadline is None else deadline)
        if call.deadline <= now:
            raise overdue(call)
        pool = self._pool()
        connection = await pool.take(call)
        try:
            try:
                status, headers, sent_at = await connection.ask(call)
            except StaleConnectionError:
                # The server had closed it while nobody looked; no byte of an answer came. Once, and on a new one.
                pool.discard(connection)
                connection = await pool.take(call, fresh=True)
                status, headers, sent_at = await connection.ask(call)
            self._check(call, status, headers, through_proxy=connection.route.proxy is not None)
        except BaseException:
            pool.discard(connection)
            raise
        return WireStream(call, pool, connection, status=status, headers=headers, sent_at=sent_at, phase=phase)

    def _check(self, call: Call, status: int, headers: dict[str, str], *, through_proxy: bool) -> None:
        if 300 <= status < 400:
            raise call.error(RedirectError, f"answered {status}: {_elsewhere(call, headers)}", status=status)
        if status == 407 and through_proxy:
            raise call.error(ProxyError, "the proxy answered 407", status=status, phase=Phase.PROXY)
        packing = headers.get("content-encoding", "").strip().lower()
        if packing not in _PACKINGS:
            raise call.error(BadResponseError, "the answer is packed in a way that was not asked for", status=status)
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self.limits.max_bytes:
            what = f"the answer has {length} bytes, more than {self.limits.max_bytes}"
            raise call.error(ResponseTooLargeError, what, status=status)


def _elsewhere(call: Call, headers: dict[str, str]) -> str:
    try:
        host = urlsplit(headers.get("location", "")).hostname
    except ValueError:
        host = None
    key = call.request.key
    # Names are in lower case, and may hold anything.
    if host is None or host == call.origin.host or (key and key.reveal().lower() in host):
        return f"{call.origin.host} wants another address asked"
    return f"{call.origin.host} wants {host} asked"


class _Entered(AbstractAsyncContextManager[WireStream]):
    def __init__(self, transport: Transport, request: WireRequest, deadline: float | None) -> None:
        self._transport = transport
        self._request = request
        self._deadline = deadline
        self._stream: WireStream | None = None

    async def __aenter__(self) -> WireStream:
        self._stream = await self._transport._answer(self._request, self._deadline, Phase.STREAM)
        return self._stream

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._stream is not None:
            self._stream.close()
