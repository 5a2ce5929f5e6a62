"""Who is trusted."""

from __future__ import annotations

import ssl
from pathlib import Path


class Trust:
    """Makes the context once, when first needed: it reads some hundred certificates, which takes 20 ms or more."""

    def __init__(self, verify: ssl.SSLContext | bool = True) -> None:
        self._verify = verify
        self._context = verify if isinstance(verify, ssl.SSLContext) else None

    def context(self) -> ssl.SSLContext:
        """What checks the certificates of servers: the system's authorities (or those of SSL_CERT_FILE and
        SSL_CERT_DIR), those of certifi where the system has none."""
        if self._context is None:
            context = ssl.create_default_context(cafile=None if _system_has_authorities() else _certifi())
            if self._verify is False:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            context.set_alpn_protocols(["http/1.1"])
            self._context = context
        return self._context


def _system_has_authorities() -> bool:
    paths = ssl.get_default_verify_paths()
    return bool(paths.cafile) or bool(paths.capath and any(Path(paths.capath).iterdir()))


def _certifi() -> str | None:
    try:
        import certifi
    except ImportError:
        return None
    return certifi.where()
