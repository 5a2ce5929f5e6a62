"""One call on its way: what is asked, until when, how far it has come, and the errors it can end with."""

from __future__ import annotations

import re

from rag_engine import __version__
from rag_engine.error_handler import Phase
from rag_engine.errors import (
    ConnectTimeoutError,
    DeadlineExceededError,
    FirstByteTimeoutError,
    InvalidRequestError,
    LanguageModelError,
)
from rag_engine.llm.transport.address import checked_key, read_url, warn_if_in_clear
from rag_engine.llm.transport.exchange import WireLimits, WireRequest

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_USER_AGENT = f"rag-engine/{__version__}"


class Call:
    """``deadline`` is a time of the running loop's clock, in seconds."""

    __slots__ = ("deadline", "headers", "limits", "origin", "phase", "request", "target")

    def __init__(self, request: WireRequest, limits: WireLimits, deadline: float) -> None:
        self.request = request
        self.limits = limits
        self.deadline = deadline
        self.phase = Phase.BEFORE_SENDING
        self.origin, self.target = read_url(request.url)
        self.headers = self._headers()
        warn_if_in_clear(self.origin)

    def _headers(self) -> list[tuple[str, str]]:
        """All that is sent, the key among it.

        Raises:
            MalformedKeyError: no header can hold the key.
            InvalidRequestError: no header can hold one of the others.
        """
        request = self.request
        headers = {"user-agent": _USER_AGENT, "content-type": "application/json"}
        for name, value in request.headers.items():
            if not _NAME.fullmatch(name):
                raise self.error(InvalidRequestError, f"no header can be named {name[:40]!r}")
            if not value.isprintable() or not value.isascii() or value != value.strip():
                raise self.error(InvalidRequestError, f"the header {name!r} has a value that cannot be sent")
            headers[name.lower()] = value
        if request.key is not None:
            value = checked_key(request.key, provider=request.provider).reveal()
            name = request.key_header.lower()
            headers[name] = f"Bearer {value}" if name == "authorization" else value
        headers["accept"] = request.accept
        headers["accept-encoding"] = "gzip"
        headers["content-length"] = str(len(request.body))
        headers.pop("host", None)
        headers.pop("transfer-encoding", None)
        return [("host", self.origin.authority), *headers.items()]

    def error(
        self,
        kind: type[LanguageModelError],
        what: str,
        *,
        hint: str | None = None,
        status: int | None = None,
        phase: Phase | None = None,
    ) -> LanguageModelError:
        """An error of this call. ``what`` holds neither key nor query."""
        request = self.request
        name = f"{request.provider}: {what}" if request.provider else what
        if request.key:
            name = request.key.removed_from(name)
        return kind(
            name,
            hint=hint,
            provider=request.provider,
            model=request.model,
            status=status,
            phase=phase or self.phase,
        )

    def late(self, kind: type[LanguageModelError], seconds: float, what: str, *, now: float) -> LanguageModelError:
        """What ended the wait: ``kind``, or the deadline where that has come."""
        if now >= self.deadline:
            return self.error(DeadlineExceededError, f"the whole time for the call was over while {what}")
        return self.error(kind, f"{seconds:g} seconds were over while {what}")

    def late_to_connect(self, now: float) -> LanguageModelError:
        """No connection came about in time."""
        doing = {
            Phase.NAME_RESOLUTION: f"the name {self.origin.host} was looked up",
            Phase.TLS: f"the TLS handshake with {self.origin.host} went on",
            Phase.PROXY: f"the proxy was asked for {self.origin.host}",
        }.get(self.phase, f"{self.origin.authority} was dialled")
        return self.late(ConnectTimeoutError, self.limits.connect, doing, now=now)

    def late_to_answer(self, now: float) -> LanguageModelError:
        """No answer began in time."""
        what = f"{self.origin.host} had not begun to answer"
        return self.late(FirstByteTimeoutError, self.limits.first_byte, what, now=now)
