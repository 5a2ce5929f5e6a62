"""What stands between: the proxies that the environment names."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from rag_engine.errors import ConfigurationError
from rag_engine.llm.transport.address import Origin, is_loopback
from rag_engine.types.secret import Secret


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where it listens, and what it wants in the header Proxy-Authorization."""

    origin: Origin
    authorization: Secret | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """The way to an origin. Connections are shared by the calls of one route."""

    origin: Origin
    proxy: Proxy | None = None


def route_to(origin: Origin) -> Route:
    """Through the proxy that HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names and NO_PROXY does not except (or the system's
    settings on macOS); this machine itself is always asked directly.

    Raises:
        ConfigurationError: the proxy's address cannot be read, or is not one of HTTP.
    """
    if is_loopback(origin.host):
        return Route(origin)
    from urllib.request import getproxies, proxy_bypass

    named = getproxies()
    address = named.get(origin.scheme) or named.get("all")
    if not address or proxy_bypass(f"{origin.host}:{origin.port}") or proxy_bypass(origin.host):
        return Route(origin)
    return Route(origin, _read(address, f"{origin.scheme.upper()}_PROXY"))


def _read(address: str, variable: str) -> Proxy:
    # The address may hold a password: no message repeats it, and no error that does is chained to ours.
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise ConfigurationError(
            f"the proxy of {variable} (or ALL_PROXY) has no address of HTTP", hint="write it as http://HOST:PORT"
        )
    authorization = None
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = Secret(f"Basic {base64.b64encode(pair.encode()).decode('ascii')}")
    return Proxy(Origin(parts.scheme, host, port or (443 if parts.scheme == "https" else 80)), authorization)
