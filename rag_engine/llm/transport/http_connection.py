"""HTTP/1.1 on one connection, one call after the other. What is HTTP, h11 says."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import h11

from rag_engine.error_handler import Phase
from rag_engine.errors import (
    BadResponseError,
    ConnectionLostError,
    DeadlineExceededError,
    FirstByteTimeoutError,
    LanguageModelError,
    ResponseTooLargeError,
    TlsError,
)
from rag_engine.llm.transport.call import Call
from rag_engine.llm.transport.line import Line
from rag_engine.llm.transport.proxies import Route

_JOINED = 64 << 10


class StaleConnectionError(Exception):
    """A kept connection turned out to be closed before a byte of the answer came."""


class HttpConnection:
    """``asked`` counts the calls."""

    def __init__(self, line: Line, route: Route, *, max_header_bytes: int) -> None:
        self.line = line
        self.route = route
        self.asked = 0
        self.kept_until = 0.0
        self._max_header_bytes = max_header_bytes
        self._protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=max_header_bytes)
        self._loop = asyncio.get_running_loop()

    async def ask(self, call: Call) -> tuple[int, dict[str, str], float]:
        """Sends the call and reads the head of its answer: status, headers, and when the last byte went out.

        Raises:
            StaleConnectionError: the connection had been closed since the call before.
            LanguageModelError: what else went wrong.
        """
        protocol, line = self._protocol, self.line
        request = h11.Request(method="POST", target=self._target(call), headers=self._headers(call))
        if self.asked:
            protocol.start_next_cycle()
        self.asked += 1
        call.phase = Phase.WRITE
        head, body = protocol.send(request) or b"", call.request.body
        if len(body) <= _JOINED:
            line.write(head + body)
        else:
            line.write(head)
            line.write(body)
        protocol.send(h11.Data(data=body))
        protocol.send(h11.EndOfMessage())
        if not await line.written(call.limits.write, call.deadline):
            what = f"{call.origin.host} took nothing more of the request"
            raise call.late(FirstByteTimeoutError, call.limits.write, what, now=self._loop.time())
        call.phase = Phase.HEADERS
        return await self._head(call)

    def _target(self, call: Call) -> str:
        if self.route.proxy is not None and call.origin.scheme == "http":
            return f"http://{call.origin.authority}{call.target}"
        return call.target

    def _headers(self, call: Call) -> list[tuple[str, str]]:
        headers = list(call.headers)
        proxy = self.route.proxy
        if proxy is not None and proxy.authorization is not None and call.origin.scheme == "http":
            headers.append(("proxy-authorization", proxy.authorization.reveal()))
        return headers

    async def _head(self, call: Call) -> tuple[int, dict[str, str], float]:
        sent_at = self._loop.time()
        due = min(call.deadline, sent_at + call.limits.first_byte)
        heard = False
        while True:
            event = self.next_event()
            if type(event) is h11.Response:
                return event.status_code, self._read_headers(event, call), sent_at
            if isinstance(event, str):
                raise self._not_http(event, call)
            if event is not h11.NEED_DATA:
                continue  # one that only informs
            failure: OSError | None = None
            data: bytes | None = b""
            if self._loop.time() < due:
                try:
                    data = await self.line.receive(due)
                except OSError as error:
                    failure = error
            else:  # whatever comes, as long as it is no answer
                data = None
            if data is None:
                raise call.late_to_answer(self._loop.time())
            if not data:
                self._gone(call, failure, heard=heard)
            heard = True
            self._protocol.receive_data(data)

    def _gone(self, call: Call, failure: OSError | None, *, heard: bool) -> None:
        if isinstance(failure, ssl.SSLError):
            raise call.error(TlsError, f"{call.origin.host} broke the encryption off: {failure.reason}")
        if self.asked > 1 and not heard:
            raise StaleConnectionError
        how = "reset" if isinstance(failure, ConnectionResetError) else "closed"
        when = "within the answer's head" if heard else "before an answer began"
        raise call.error(ConnectionLostError, f"{call.origin.host} {how} the connection {when}")

    def next_event(self) -> Any:
        """What h11 makes of the bytes until now; where they are no HTTP, why, in its words without the bytes."""
        try:
            return self._protocol.next_event()
        except h11.RemoteProtocolError as error:
            return str(error).partition(": ")[0].partition(" (")[0]

    def _not_http(self, why: str, call: Call) -> LanguageModelError:
        if why == "Receive buffer too long":
            return self._head_too_large(call)
        return call.error(BadResponseError, f"what {call.origin.host} answers is not HTTP: {why}")

    def _head_too_large(self, call: Call) -> LanguageModelError:
        what = f"the head of the answer is over {self._max_header_bytes} bytes"
        return call.error(ResponseTooLargeError, what, hint="what stands at llm.base_url may not be the provider")

    def _read_headers(self, event: h11.Response, call: Call) -> dict[str, str]:
        headers: dict[str, str] = {}
        size = 0
        for raw_name, raw_value in event.headers:
            size += len(raw_name) + len(raw_value) + 4
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        if size > self._max_header_bytes:
            raise self._head_too_large(call)
        return headers

    def feed(self, data: bytes) -> None:
        """Bytes of the body; empty where nothing comes any more."""
        self._protocol.receive_data(data)

    def at_end(self) -> bool:
        """Whether the answer's end has come already, though nobody waited for it: what follows the last event of a
        stream is often no more than the mark that ends it."""
        try:
            data = self.line.received()
        except OSError:
            return False
        if data:
            self.feed(data)
        event = self.next_event()
        return isinstance(event, h11.EndOfMessage)

    @property
    def reusable(self) -> bool:
        """Whether another call may follow.

        Not where bytes came behind the answer's end: they would be taken for the answer to the next call, and every
        answer after that for the one before.
        """
        protocol = self._protocol
        return (
            protocol.our_state is h11.DONE
            and protocol.their_state is h11.DONE
            and not protocol.trailing_data[0]
            and self.line.silent
            and self.line.transport.get_write_buffer_size() == 0
        )


def overdue(call: Call) -> LanguageModelError:
    """The deadline came while the answer did."""
    return call.error(DeadlineExceededError, "the whole time for the call was over before the answer was")
