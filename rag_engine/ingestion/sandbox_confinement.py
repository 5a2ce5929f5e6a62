"""What the sandbox's child takes from itself before it reads the first file: memory, files, network, processes.

Every protection is set where the system has it and left out where not; which are active is reported. A parser that a
hostile file has taken over can then answer its parent, and nothing else.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import NoReturn

from rag_engine.ingestion.sandbox_landlock import allow_reading_only
from rag_engine.ingestion.sandbox_system_calls import filter_system_calls

_OPEN_FILES = 32
_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG, prctl(2)
_NO_NEW_PRIVILEGES = 38  # PR_SET_NO_NEW_PRIVS
_NEW_USER = 0x10000000  # CLONE_NEWUSER, unshare(2)
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET
# What libraries read when they are loaded or first used, besides themselves.
_SYSTEM_PLACES = (
    *("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/nix/store", "/gnu/store"),
    *("/etc/ld.so.cache", "/etc/ld-musl-x86_64.path", "/etc/localtime", "/usr/share/zoneinfo", "/etc/mime.types"),
    *("/dev/null", "/dev/urandom", "/dev/zero"),
)
_INSTALLED = frozenset({"site-packages", "dist-packages"})


def confine(memory_bytes: int) -> list[str]:
    """Confines this process for good, to ``memory_bytes`` above what it takes now; names what is active.

    ``memory``, ``open_files`` and ``file_size`` are limits; ``network`` is an empty network of its own or, at least,
    a Python without sockets; ``files`` denies all but reading the Python installation and the system's libraries
    (Landlock); ``system_calls`` denies other programs, processes, sockets and writing (seccomp).
    """
    active = _limit(memory_bytes)
    if sys.platform != "linux":
        _forbid_sockets()
        return [*active, "network"]
    kernel = ctypes.CDLL(None, use_errno=True)
    kernel.prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
    kernel.prctl(_NO_NEW_PRIVILEGES, *map(ctypes.c_ulong, (1, 0, 0, 0)))
    if kernel.unshare(_NEW_NETWORK) and kernel.unshare(_NEW_USER | _NEW_NETWORK):
        _forbid_sockets()
    active.append("network")
    if allow_reading_only(kernel, _readable_places()):
        active.append("files")
    if filter_system_calls(kernel):
        active.append("system_calls")
    return active


def _limit(memory_bytes: int) -> list[str]:
    try:
        import resource
    except ImportError:
        return []
    active = []
    for name, limit, value in (
        ("memory", resource.RLIMIT_AS, _address_space() + memory_bytes),
        ("open_files", resource.RLIMIT_NOFILE, _OPEN_FILES),
        ("file_size", resource.RLIMIT_FSIZE, 0),
        ("core", resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(limit)
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(limit, (allowed, allowed))
        except (OSError, ValueError):
            continue
        active.append(name)
    return [name for name in active if name != "core"]


def _readable_places() -> Iterator[str]:
    """Python, what is installed into it, this package, and the system's libraries; no folder of the user's."""
    yield from _SYSTEM_PLACES
    yield str(PurePath(__file__).parents[1])
    homes = tuple(home + os.sep for home in {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix})
    for place in sys.path:
        # A folder of sources that was installed in place is on the path too, and documents may lie in it.
        if place.startswith(homes) or PurePath(place).name in _INSTALLED:
            yield place
    yield from sorted({str(PurePath(library).parent) for library in _mapped_libraries()} - {"/"})


def _mapped_libraries() -> Iterator[str]:
    """Shared libraries in use: their neighbours may be asked for, wherever this system keeps them."""
    try:
        lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return
    for line in lines:
        _, slash, path = line.partition("/")
        if ".so" in PurePath(path).name:
            yield slash + path


def _address_space() -> int:
    """Bytes of address space that the bare process takes."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _forbid_sockets() -> None:
    """Where the kernel gives no empty network: refuses, at least, what is written in Python."""
    import socket

    def refuse(*_: object, **__: object) -> NoReturn:
        raise PermissionError("the sandbox has no network")

    socket.socket = refuse  # type: ignore[assignment,misc]
    socket.create_connection = refuse
