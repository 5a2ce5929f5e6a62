"""A connection from nothing: name, TCP, the proxy between, TLS. Each step that fails has an error of its own."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl

import h11

from rag_engine.error_handler import Phase
from rag_engine.errors import (
    ConnectionLostError,
    ConnectionRefusedByHostError,
    LanguageModelError,
    ModelConnectionError,
    NameResolutionError,
    ProxyError,
    TlsError,
)
from rag_engine.llm.transport.address import Origin
from rag_engine.llm.transport.call import Call
from rag_engine.llm.transport.line import Line
from rag_engine.llm.transport.proxies import Proxy, Route
from rag_engine.llm.transport.resolver import Address, resolve
from rag_engine.llm.transport.tls import Trust

# After so many seconds without an answer the next address is tried beside the one before (RFC 8305).
_NEXT_ADDRESS = 0.25


async def dial(call: Call, route: Route, trust: Trust) -> Line:
    """A connection that is ready for the call's first byte.

    Raises:
        LanguageModelError: ConnectTimeoutError, DeadlineExceededError, NameResolutionError,
            ConnectionRefusedByHostError, ConnectionLostError, TlsError, ProxyError, ModelConnectionError.
    """
    loop = asyncio.get_running_loop()
    due = min(call.deadline, loop.time() + call.limits.connect)
    line = Line(loop)
    failure: LanguageModelError
    try:
        async with asyncio.timeout_at(due):
            await _connect(call, route, trust, line)
            return line
    except TimeoutError:  # also the system's, of a host that does not answer
        failure = call.late_to_connect(loop.time())
    except LanguageModelError:
        line.abort()
        raise
    except OSError as error:
        failure = _failed(call, route, error)
    except BaseException:
        line.abort()
        raise
    line.abort()
    raise failure


async def _connect(call: Call, route: Route, trust: Trust, line: Line) -> None:
    loop = asyncio.get_running_loop()
    proxy, origin = route.proxy, route.origin
    next_hop = proxy.origin if proxy else origin
    call.phase = Phase.PROXY if proxy else Phase.NAME_RESOLUTION
    addresses = await resolve(next_hop.host, next_hop.port)
    if not proxy:
        call.phase = Phase.CONNECT
    connected = await _first_to_answer(addresses)
    try:
        await loop.create_connection(lambda: line, sock=connected)
    except BaseException:
        connected.close()
        raise
    if proxy is not None:
        if next_hop.scheme == "https":
            await _encrypt(line, next_hop.host, trust, call)
        if origin.scheme == "http":
            return
        await _tunnel(call, line, proxy, origin)
    if origin.scheme == "https":
        call.phase = Phase.TLS
        await _encrypt(line, origin.host, trust, call)


async def _encrypt(line: Line, host: str, trust: Trust, call: Call) -> None:
    encrypted = await asyncio.get_running_loop().start_tls(
        line.transport,
        line,
        trust.context(),
        server_hostname=host,
        ssl_handshake_timeout=call.limits.connect + 1,  # ours comes first
    )
    if encrypted is None:  # what the types allow, and asyncio does not do
        raise ConnectionAbortedError("the connection was lost within the handshake")
    line.connection_made(encrypted)


async def _first_to_answer(addresses: list[Address]) -> socket.socket:
    """Connects to the first address that takes it, later ones tried while earlier ones keep silent."""
    if len(addresses) == 1:
        return await _reach(addresses[0])
    waiting = list(addresses)
    attempts: set[asyncio.Task[socket.socket]] = set()
    failure: OSError = ConnectionError("no address")
    try:
        while waiting or attempts:
            if waiting:
                attempts.add(asyncio.create_task(_reach(waiting.pop(0))))
            done, attempts = await asyncio.wait(
                attempts, timeout=_NEXT_ADDRESS if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            attempts |= done
            for attempt in done:
                error = attempt.exception()
                if error is None:
                    attempts.discard(attempt)
                    return attempt.result()
                attempts.discard(attempt)
                if not isinstance(error, OSError):
                    raise error
                failure = error
    finally:
        for attempt in attempts:
            if not attempt.cancel() and not attempt.exception():
                attempt.result().close()
        for outcome in await asyncio.gather(*attempts, return_exceptions=True):
            if isinstance(outcome, socket.socket):
                outcome.close()
    raise failure


async def _reach(address: Address) -> socket.socket:
    family, place = address
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, place)
    except BaseException:
        connection.close()
        raise
    return connection


async def _tunnel(call: Call, line: Line, proxy: Proxy, origin: Origin) -> None:
    """Has the proxy connect us."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    target = f"{host}:{origin.port}"
    headers = [("host", target)]
    if proxy.authorization is not None:
        headers.append(("proxy-authorization", proxy.authorization.reveal()))
    protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=call.limits.max_header_bytes)
    request = h11.Request(method="CONNECT", target=target, headers=headers)
    line.write((protocol.send(request) or b"") + (protocol.send(h11.EndOfMessage()) or b""))
    status = None
    with contextlib.suppress(h11.RemoteProtocolError):
        while status is None:
            event = protocol.next_event()
            if isinstance(event, h11.Response):
                status = event.status_code
            elif event is h11.NEED_DATA:
                protocol.receive_data(await line.receive(call.deadline + 1) or b"")
            elif not isinstance(event, h11.InformationalResponse):
                break
    if status is None:
        raise call.error(ProxyError, f"the proxy {proxy.origin.authority} does not answer as a proxy does")
    answer = f"the proxy {proxy.origin.authority} answered {status} for {target}"
    if not 200 <= status < 300:
        raise call.error(ProxyError, answer, status=status)
    if protocol.trailing_data[0] or not line.silent:
        # Behind a tunnel's begin the provider waits for our first byte: this is not the provider.
        raise call.error(ProxyError, f"{answer}, and went on by itself", status=status)


def _failed(call: Call, route: Route, error: OSError) -> LanguageModelError:
    """The error of what went wrong, in words of ours: the system's name no key."""
    hop = route.proxy.origin if route.proxy and call.phase is Phase.PROXY else route.origin
    reason = error.strerror or type(error).__name__
    if isinstance(error, ssl.SSLError):
        reason = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else error.reason or reason
        return call.error(TlsError, f"no safe connection to {hop.host}: {reason}")
    if call.phase is Phase.PROXY:
        return call.error(ProxyError, f"the proxy {hop.authority} cannot be reached: {reason}")
    if isinstance(error, socket.gaierror):
        return call.error(NameResolutionError, f"the name {hop.host} has no address: {reason}")
    if isinstance(error, ConnectionRefusedError):
        return call.error(ConnectionRefusedByHostError, f"nothing listens at {hop.authority}")
    if isinstance(error, ConnectionError):
        return call.error(ConnectionLostError, f"{hop.authority} ended the connection before it was made")
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return call.error(ModelConnectionError, f"no connection to {hop.authority}: {reason}", hint="close some files")
    return call.error(ModelConnectionError, f"no connection to {hop.authority}: {reason}")
