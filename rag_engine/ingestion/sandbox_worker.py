"""The sandbox's child: reads one file after the other with the loaders, under the caps that it puts on itself.

It talks to its parent (``sandbox.py``) over standard input and output, in frames. Nothing here may
import more than it must: the process starts anew after every file that breaks it.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import signal
import stat
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO, NoReturn

from rag_engine.errors import (
    IngestionError,
    ParserMemoryError,
    ParsingError,
    SourceTooLargeError,
    UnreadableSourceError,
)
from rag_engine.ingestion.frames import HEADER, decode_frame, encode_frame, largest_frame, pack_record
from rag_engine.ingestion.loaders import select_loader

_HEAD_BYTES = 1 << 16
_OPEN_FILES = 32
_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG, prctl(2)
_NEW_USER = 0x10000000  # CLONE_NEWUSER, unshare(2)
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET
_OUT_OF_MEMORY = encode_frame(
    {
        "kind": "error",
        "code": ParserMemoryError.code,
        "message": "the parser ran over its memory cap",
        "hint": ParserMemoryError.default_hint,
    }
)


def main() -> None:
    """Answers requests until standard input ends. The one argument is the memory cap in megabytes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent decides
    requests, replies = _claim_standard_streams()
    _confine(int(sys.argv[-1]) << 20)
    while header := requests.read(HEADER.size):
        request = decode_frame(requests.read(HEADER.unpack(header)[0]))
        try:
            for message in _answers(request):
                replies.write(_sized(message, request["max_document_characters"]))
                replies.flush()
        except MemoryError:
            # Nothing can be relied on now; the parent starts another.
            replies.write(_OUT_OF_MEMORY)
            replies.flush()
            os._exit(1)
        except BrokenPipeError:
            os._exit(1)


def _answers(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    name = request["name"]
    try:
        data = _read(request["path"], name, request["max_file_bytes"])
        loader = select_loader(name, data[:_HEAD_BYTES])
        digest = hashlib.sha256(data).hexdigest()
        yield {"kind": "opened", "sha256": digest, "loader": loader.name, "version": loader.version}
        for record in loader.load(data, name=name, max_characters=request["max_document_characters"]):
            yield pack_record(record)
    except IngestionError as error:
        yield {"kind": "error", "code": error.code, "message": _named(error.message, name), "hint": error.hint}
    except RecursionError:
        yield _refusal(ParsingError(f"{name} is nested too deeply", hint="flatten it"))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  a hostile file may raise anything in a parser
        yield _refusal(ParsingError(f"{name} cannot be parsed ({type(error).__name__})"))
    else:
        yield {"kind": "done"}


def _read(path: str, name: str, max_file_bytes: int) -> bytes:
    """The file's bytes, which must not change meanwhile; pipes and devices are not waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                raise UnreadableSourceError(f"{name} is no regular file", hint="give files and folders")
            if before.st_size > max_file_bytes:
                raise SourceTooLargeError(f"{name} has {before.st_size:,} bytes, more than {max_file_bytes:,}")
            data = file.readall()
            after = os.fstat(descriptor)
    except OSError as error:
        raise UnreadableSourceError(f"{name} cannot be read: {error.strerror}") from error
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or len(data) != after.st_size:
        raise UnreadableSourceError(f"{name} changed while it was read", hint="ingest again when it is at rest")
    return data


def _sized(message: dict[str, Any], max_document_characters: int) -> bytes:
    """The frame of a message, or of the reason why there can be none."""
    try:
        frame = encode_frame(message)
    except (UnicodeEncodeError, RecursionError, ValueError) as error:
        return encode_frame(_refusal(ParsingError(f"a record cannot be handed on ({type(error).__name__})")))
    if len(frame) > largest_frame(max_document_characters):
        return encode_frame(_refusal(SourceTooLargeError("a record has too many fields or blocks")))
    return frame


def _refusal(error: IngestionError) -> dict[str, Any]:
    return {"kind": "error", "code": error.code, "message": error.message, "hint": error.hint}


def _named(message: str, name: str) -> str:
    return message if name in message else f"{name}: {message}"


def _claim_standard_streams() -> tuple[BinaryIO, BinaryIO]:
    """The pipes to the parent, moved away from where a library may print or read."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.close(nothing)
    return requests, replies


def _confine(memory_bytes: int) -> None:
    """Caps this process for good; each cap that the system does not know is left out."""
    if sys.platform == "linux":
        kernel = ctypes.CDLL(None, use_errno=True)
        kernel.prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
        if kernel.unshare(_NEW_NETWORK) and kernel.unshare(_NEW_USER | _NEW_NETWORK):
            _forbid_sockets()
    else:
        _forbid_sockets()
    try:
        import resource
    except ImportError:
        return
    for limit, value in (
        (resource.RLIMIT_AS, _address_space() + memory_bytes),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(limit)
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(limit, (allowed, allowed))
        except (OSError, ValueError):
            continue


def _address_space() -> int:
    """Bytes of address space that the bare process takes."""
    try:
        with open("/proc/self/statm", "rb") as statistics:  # noqa: PTH123  pathlib would be loaded for this alone
            return int(statistics.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _forbid_sockets() -> None:
    """Where the kernel gives no empty network: refuses, at least, what is written in Python."""
    import socket

    def refuse(*_: object, **__: object) -> NoReturn:
        raise PermissionError("the sandbox has no network")

    socket.socket = refuse  # type: ignore[assignment,misc]
    socket.create_connection = refuse
