"""Addresses and keys, checked before anything is sent."""

from __future__ import annotations

import ipaddress
import logging
import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urlsplit

from rag_engine.errors import ConfigurationError, MalformedKeyError
from rag_engine.types.secret import Secret

_log = logging.getLogger(__name__)
_PORTS = {"http": 80, "https": 443}
_NOT_IN_A_URL = re.compile(r"[\x00-\x20\x7f\\]")
_NOT_IN_A_KEY = re.compile(r"[^\x21-\x7e\x80-\xff]")
# Names that no public host has: single labels are those of machines and containers nearby.
_PRIVATE_ENDINGS = ("localhost", "local", "internal", "lan", "home.arpa", "test")
_warned: set[str] = set()


class Origin(NamedTuple):
    """Where a key may go: scheme, host (lower case, ASCII) and port."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """As the header Host has it: without the scheme's usual port, IPv6 in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


@lru_cache(maxsize=64)
def read_url(url: str) -> tuple[Origin, str]:
    """The origin, and what is asked of it: path and query.

    Raises:
        ConfigurationError: it is no address of HTTP. The message holds nothing of it but its host.
    """
    parts, origin = _split(url)
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    return origin, f"{target}?{quote(parts.query, safe=_QUERY)}" if parts.query else target


_QUERY = "/?%:@!$&'()*+,;=~-._"


def checked_base_url(text: str) -> str:
    """The address, without slashes at its end.

    Raises:
        ConfigurationError: it is no address of HTTP, or has a user name, a password, a query or a fragment. The message
            does not repeat it: a key may stand there by mistake.
    """
    parts, origin = _split(text.strip())
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise ConfigurationError(
            f"the base URL at {origin.host} has a query or a fragment",
            hint="write llm.base_url up to the path; versions go into llm.api_version",
        )
    return text.strip().rstrip("/")


def _split(text: str) -> tuple[SplitResult, Origin]:
    hint = "write llm.base_url as https://HOST/PATH"
    if _NOT_IN_A_URL.search(text):
        raise ConfigurationError("the base URL has spaces, control characters or backslashes", hint=hint)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
        if host and not host.isascii():
            host = host.encode("idna").decode("ascii")
    except ValueError:  # UnicodeError is one
        parts = None
    if parts is None:
        raise ConfigurationError("the base URL is no URL: its host or port cannot be read", hint=hint)
    if parts.scheme not in _PORTS:
        raise ConfigurationError("the base URL begins with neither http:// nor https://", hint=hint)
    if not host or (port is not None and port == 0):
        raise ConfigurationError("the base URL names no host or port", hint=hint)
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(
            f"the base URL at {host} has a user name or a password in it",
            hint="put the key into the provider's environment variable or llm.key_file, not into the address",
        )
    return parts, Origin(parts.scheme, host, port or _PORTS[parts.scheme])


def checked_key(key: Secret, *, provider: str = "") -> Secret:
    """The key, fit for a header.

    Raises:
        MalformedKeyError: it is empty, or holds spaces, line ends, control characters or what Latin-1 has not.
    """
    value = key.reveal()
    found = _NOT_IN_A_KEY.search(value)
    if value and not found:
        return key
    what = f"holds U+{ord(found.group()):04X} at position {found.start()}" if found else "is empty"
    raise MalformedKeyError(f"the key for {provider or 'the provider'} {what}; nothing was sent", provider=provider)


def is_loopback(host: str) -> bool:
    """Whether the host is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_local(url: str) -> bool:
    """Whether what is sent to a checked address stays on this machine."""
    return is_loopback(_split(url)[1].host)


def warn_if_in_clear(origin: Origin) -> None:
    """Logs, once for a host, that what is sent there can be read on the way."""
    if origin.scheme == "https" or origin.host in _warned or not _is_public(origin.host):
        return
    _warned.add(origin.host)
    _log.warning("http://%s is a public host: key and text are sent without encryption; use https://", origin.host)


@lru_cache(maxsize=64)
def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith(tuple("." + ending for ending in _PRIVATE_ENDINGS))
