"""The sandbox's child: reads one file after the other with the loaders, under the caps that it puts on itself.

It talks to its parent (``sandbox.py``) over standard input and output, in frames. Files come to it open: it may open
none itself but libraries. Nothing here may import more than it must: the process starts anew after every file that
breaks it.
"""

from __future__ import annotations

import _socket  # what the module socket is made of: that one takes as long to import as all else here
import hashlib
import os
import signal
import stat
import struct
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

from rag_engine.errors import (
    IngestionError,
    ParserMemoryError,
    ParsingError,
    SourceTooLargeError,
    UnreadableSourceError,
)
from rag_engine.ingestion.frames import HEADER, decode_frame, encode_frame, largest_frame, pack_record
from rag_engine.ingestion.loaders import select_loader
from rag_engine.ingestion.sandbox_confinement import confine
from rag_engine.ingestion.suspicion import examined
from rag_engine.types.document import Document
from rag_engine.types.ingestion import LoadLimits

_DESCRIPTOR = struct.Struct("i")
_OUT_OF_MEMORY = encode_frame(
    {
        "kind": "error",
        "code": ParserMemoryError.code,
        "message": "the parser ran over its memory cap",
        "hint": ParserMemoryError.default_hint,
    }
)


def main() -> None:
    """Says what it is confined by, then answers requests until standard input, a Unix socket, ends.

    The one argument is the memory cap in megabytes.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent decides
    requests, replies = _claim_standard_streams()
    active = confine(int(sys.argv[-1]) << 20)
    replies.write(encode_frame({"kind": "ready", "protections": active}))
    replies.flush()
    while received := _receive(requests):
        request, descriptor = received
        limits = LoadLimits(**{**request["limits"], "passwords": tuple(request["limits"]["passwords"])})
        try:
            for message in _answers(request, descriptor, limits):
                replies.write(_framed(message, limits.max_characters))
                replies.flush()
        except IngestionError as error:  # the last that is said of this file
            replies.write(encode_frame(_refusal(error, request["name"]), ascii_only=True))
            replies.flush()
        except MemoryError:
            # Nothing can be relied on now; the parent starts another.
            replies.write(_OUT_OF_MEMORY)
            replies.flush()
            os._exit(1)
        except BrokenPipeError:
            os._exit(1)


def _answers(request: dict[str, Any], descriptor: int, limits: LoadLimits) -> Iterator[dict[str, Any]]:
    name = request["name"]
    try:
        data = _read(descriptor, name, request["max_file_bytes"])
        loader = select_loader(name, data)
        digest = hashlib.sha256(data).hexdigest()
        yield {
            "kind": "opened",
            "sha256": digest,
            "loader": loader.name,
            "version": loader.version,
            "holds_files": hasattr(loader, "members"),  # see Container, whose module most files need not load
        }
        for record in loader.load(data, name=name, limits=limits):
            yield pack_record(examined(record) if isinstance(record, Document) else record)
    except IngestionError as error:
        yield _refusal(error, name)
    except RecursionError:
        yield _refusal(ParsingError(f"{name} is nested too deeply", hint="flatten it"), name)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  a hostile file may raise anything in a parser
        yield _refusal(ParsingError(f"{name} cannot be parsed ({type(error).__name__})"), name)
    else:
        yield {"kind": "done"}


def _receive(requests: _socket.socket) -> tuple[dict[str, Any], int] | None:
    """The next request and the open file that comes with it; None when there are no more."""
    header, attached = b"", b""
    while len(header) < HEADER.size:
        part, ancillary, _, _ = requests.recvmsg(HEADER.size - len(header), _socket.CMSG_SPACE(_DESCRIPTOR.size))
        if not part:
            return None
        header += part
        attached += b"".join(data for _, kind, data in ancillary if kind == _socket.SCM_RIGHTS)
    body = bytearray()
    (length,) = HEADER.unpack(header)
    while len(body) < length:
        part = requests.recv(length - len(body))
        if not part:
            return None
        body += part
    return decode_frame(bytes(body)), _DESCRIPTOR.unpack(attached)[0]


def _read(descriptor: int, name: str, max_file_bytes: int) -> bytes:
    """The file's bytes, which must not change meanwhile; pipes and devices are not waited for."""
    try:
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


def _framed(message: dict[str, Any], max_characters: int) -> bytes:
    """The frame of a message.

    Raises:
        ParsingError, SourceTooLargeError: there can be none.
    """
    try:
        frame = encode_frame(message)
    except (UnicodeEncodeError, RecursionError, ValueError) as error:
        raise ParsingError(f"a record cannot be handed on ({type(error).__name__})") from error
    if len(frame) > largest_frame(max_characters):
        raise SourceTooLargeError("a record has too many fields or blocks")
    return frame


def _refusal(error: IngestionError, name: str) -> dict[str, Any]:
    message = error.message if name in error.message else f"{name}: {error.message}"
    return {"kind": "error", "code": error.code, "message": message, "hint": error.hint}


def _claim_standard_streams() -> tuple[_socket.socket, BinaryIO]:
    """What leads to the parent and from it, moved away from where a library may print or read."""
    requests = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM, 0, os.dup(0))
    replies = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.close(nothing)
    return requests, replies
