"""Addresses of a name, without holding up what cannot wait for them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import Any, TypeAlias

# Family and what ``connect`` takes.
Address: TypeAlias = tuple[socket.AddressFamily, tuple[Any, ...]]


async def resolve(host: str, port: int) -> list[Address]:
    """The host's addresses, the families by turns, in the system's order otherwise.

    asyncio's own way asks in a thread of its pool, and whoever closes the loop then waits for that thread, however long
    a dead name server keeps it. A thread of our own is left behind.

    Raises:
        OSError: the name has no address (``socket.gaierror``).
    """
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError):
            socket.inet_pton(family, host)
            return [(family, (host, port))]
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[Address]] = loop.create_future()

    def tell(addresses: list[Address], failure: OSError | None) -> None:
        if found.done():
            return
        if failure is None:
            found.set_result(addresses)
        else:
            found.set_exception(failure)

    def ask() -> None:
        addresses: list[Address] = []
        failure: OSError | None = None
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            addresses = [(family, address) for family, _, _, _, address in answers]
        except OSError as error:
            failure = error
        except UnicodeError:
            failure = socket.gaierror(socket.EAI_NONAME, "this cannot be a host's name")
        with contextlib.suppress(RuntimeError):  # the loop is closed, nobody waits any more
            loop.call_soon_threadsafe(tell, addresses, failure)

    threading.Thread(target=ask, name="rag-resolver", daemon=True).start()
    return _by_turns(await found)


def _by_turns(addresses: list[Address]) -> list[Address]:
    if not addresses:
        raise socket.gaierror(socket.EAI_NONAME, "it has none")
    first = addresses[0][0]
    own = [address for address in addresses if address[0] == first]
    others = [address for address in addresses if address[0] != first]
    ordered: list[Address] = []
    while own or others:
        ordered += own[:1] + others[:1]
        del own[:1], others[:1]
    return ordered
