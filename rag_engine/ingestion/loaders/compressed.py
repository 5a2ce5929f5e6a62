"""Compressed files: gzip (RFC 1952), bzip2 and xz, of a tar archive or of a single file."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath
from typing import Protocol

from rag_engine.errors import EmptySourceError, ParsingError, SourceTooLargeError
from rag_engine.ingestion.loaders.container_kind import is_tar
from rag_engine.ingestion.loaders.containers import Allowance, Container, Member
from rag_engine.ingestion.loaders.tar_archive import TarArchiveLoader
from rag_engine.ingestion.loaders.zip_members import MAX_RATIO, RATIO_FREE_BYTES, bomb
from rag_engine.types.document import Document, SourceFailure

_PIECE_BYTES = 1 << 16  # compressed
_INFLATED_PIECE_BYTES = 1 << 20
_XZ_MEMORY_BYTES = 128 << 20  # what the strongest preset of xz asks for is 65 MiB
_GZIP = 16 + zlib.MAX_WBITS  # tells zlib to expect gzip's header
_DAMAGED = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError)


class CompressedLoader(Container):
    """Reads what a compressed file holds; the members of a compressed tar archive are its own."""

    name = "compressed"

    def members(self, data: bytes, *, name: str, allowance: Allowance) -> Iterator[Document | SourceFailure | Member]:
        """See ``Container``."""
        inflated = inflate(data, name=name, max_bytes=allowance.unpacked_bytes)
        if is_tar(inflated):
            yield from TarArchiveLoader().members(inflated, name=name, allowance=allowance)
        else:
            yield Member(_inner_name(name), len(inflated), partial(bytes, inflated))


def inflate(data: bytes, *, name: str, max_bytes: int) -> bytes:
    """All that was compressed, of every stream in ``data``.

    Raises:
        ParsingError: damaged, or cut off.
        EmptySourceError: nothing was.
        SourceTooLargeError: it comes to more than ``max_bytes``, or to more than 300 times what it was made from.
    """
    parts: list[bytes] = []
    total = 0
    try:
        for consumed, part in _pieces(memoryview(data), name):
            total += len(part)
            if total > max_bytes:
                raise SourceTooLargeError(f"{name} inflates to more than {max_bytes:,} bytes", hint="unpack it")
            if total > max(RATIO_FREE_BYTES, MAX_RATIO * consumed):
                raise bomb(name)
            parts.append(part)
    except _DAMAGED as error:
        raise ParsingError(f"{name} is damaged: {error}") from error
    if not total:
        raise EmptySourceError(f"{name} holds nothing")
    return b"".join(parts)


def _pieces(data: memoryview, name: str) -> Iterator[tuple[int, bytes]]:
    """Bytes consumed so far, at most, and the next that came of them: one stream after another, padding skipped."""
    position = 0
    while position < len(data):
        stream = _stream(bytes(data[position : position + 6]))
        if stream is None:
            if position and not any(data[position:]):
                return
            raise ParsingError(f"{name} holds something else from byte {position:,} on", hint="compress it again")
        while not stream.eof:
            piece = bytes(data[position : position + _PIECE_BYTES]) if stream.needs_input else b""
            if stream.needs_input and not piece:
                raise EOFError("it is cut off")
            position += len(piece)
            yield position, stream.decompress(piece, _INFLATED_PIECE_BYTES)
        position -= len(stream.unused_data)


class _Stream(Protocol):
    """What the decompressors of bz2 and lzma have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _GzipStream:
    """zlib's decompressor with the ways of the others."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP)
        self._is_full = False

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        return not (self._stream.unconsumed_tail or self._is_full)

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        inflated = self._stream.decompress(data or self._stream.unconsumed_tail, max_length)
        self._is_full = len(inflated) == max_length  # there may be more of what it took in already
        return inflated


def _stream(head: bytes) -> _Stream | None:
    if head.startswith(b"\x1f\x8b"):
        return _GzipStream()
    if head.startswith(b"BZh"):
        return bz2.BZ2Decompressor()
    if head.startswith(b"\xfd7zXZ\x00"):
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY_BYTES)
    return None


def _inner_name(name: str) -> str:
    """A name of what was compressed: with the suffix that says its format, and the same after the file was renamed."""
    return f"content{PurePosixPath(PurePosixPath(name).stem).suffix}"
