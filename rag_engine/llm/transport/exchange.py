"""Records of one exchange over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rag_engine.types.secret import Secret


@dataclass(frozen=True, slots=True)
class WireLimits:
    """How long the phases of a call may take, in seconds, and how much may come.

    ``deadline`` bounds the whole call, whatever else happens. ``connect`` is for name, TCP, proxy and TLS together;
    ``write`` is how long the other side may take nothing of the request. ``first_byte`` is from the request's last byte
    to the head of the answer and, of a stream, to its first event; ``idle`` between two pieces, of a stream between two
    events. Where fewer than ``minimum_rate`` bytes a second come over ``rate_window`` seconds, but some, the answer is
    given up; silence is for ``idle`` to judge. Heartbeats count for neither. ``max_bytes`` is after decompression.
    """

    deadline: float = 120.0
    connect: float = 5.0
    write: float = 30.0
    first_byte: float = 60.0
    idle: float = 30.0
    minimum_rate: float = 1.0
    rate_window: float = 20.0
    max_bytes: int = 64 << 20
    max_header_bytes: int = 256 << 10


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A POST of JSON. ``key`` goes into the header ``key_header``, as a bearer token where that is ``authorization``,
    and to no other origin than that of ``url``. ``accept`` is the media type that is asked for."""

    url: str
    body: bytes
    accept: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    key: Secret | None = None
    key_header: str = "authorization"
    provider: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class WireReply:
    """An answer read whole. ``headers`` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """That of the body (``media_type_of``)."""
        return media_type_of(self.headers)


def media_type_of(headers: Mapping[str, str]) -> str:
    """The media type that headers with lower-case names say, in lower case, without parameters; empty without one."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()
