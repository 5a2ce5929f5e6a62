"""What is seen of a fault before anything is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Phase(StrEnum):
    """How far a call had come."""

    BEFORE_SENDING = "before_sending"
    NAME_RESOLUTION = "name_resolution"
    CONNECT = "connect"
    TLS = "tls"
    PROXY = "proxy"
    WRITE = "write"
    HEADERS = "headers"
    BODY = "body"
    STREAM = "stream"
    PARSE = "parse"
    VALIDATE = "validate"


@dataclass(frozen=True, slots=True)
class FaultSignal:
    """What a provider said when it did not answer.

    ``type``, ``code`` and ``message`` are the provider's own, as its dialect reads them; ``message`` has no key in it.
    ``status`` is that of HTTP; None where the fault came within a stream that began well. ``headers`` have lower-case
    names. ``reason`` is what else tells faults of one status apart: Google's ``ErrorInfo.reason`` and ``quotaId``,
    Anthropic's ``details.error_code``. ``retry_delay`` is in seconds, where the body says one.
    """

    provider: str
    phase: Phase
    status: int | None = None
    type: str = ""
    code: str = ""
    reason: str = ""
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    retry_delay: float | None = None
