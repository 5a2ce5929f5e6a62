"""Bounded reading of ZIP archives (PKWARE APPNOTE 6.3.10) from bytes: the ground of Office files, e-books and archives.

What an archive says of itself is checked before anything is inflated, so a bomb costs a look at its directory:
how many members there are, how large they say they are, how much smaller they lie in the file, and whether they
overlap, as in Fifield's bomb (A better zip bomb, WOOT 2019). Nothing is written anywhere.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from rag_engine.errors import (
    DecodingError,
    EncryptedSourceError,
    ParsingError,
    SourceTooLargeError,
    UnsupportedFormatError,
)
from rag_engine.ingestion.loaders.encoding import decode

MAX_MEMBERS = 20_000
MAX_MEMBER_BYTES = 1 << 30
MAX_RATIO = 300  # deflate makes at most 1032 of one byte; honest text seldom 30, tables of one value 200
RATIO_FREE_BYTES = 8 << 20  # so much may come of anything

_ENTRY = b"PK\x01\x02"
_END = b"PK\x05\x06"
_DIRECTORY_SIZE = struct.Struct("<L")
_DIRECTORY_SIZE_AT = 12
_IN_ZIP64 = 0xFFFFFFFF
_ENCRYPTED = 0x1
_NAME_IS_UTF8 = 0x800
_READ_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others cannot be inflated piece by piece
_AES = 99  # WinZip's AE-1 and AE-2
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, OSError, NotImplementedError)


@dataclass(frozen=True, slots=True)
class ZipMember:
    """A file in an archive: its name as its writer meant it, and the bytes that it says it has."""

    name: str
    size: int
    encrypted: bool
    entry: zipfile.ZipInfo


class ZipMembers:
    """The files of one archive, folders left out, in the order of its directory.

    All sizes are bytes. ``total_bytes`` is what the members together say that they inflate to.
    """

    def __init__(
        self,
        data: bytes,
        *,
        name: str,
        passwords: Sequence[str] = (),
        max_members: int = MAX_MEMBERS,
        max_bytes: int = MAX_MEMBER_BYTES,
    ) -> None:
        """Opens an archive; ``max_bytes`` are those of all members that are read, together.

        Raises:
            ParsingError: the bytes are no ZIP archive, or its directory is damaged.
            SourceTooLargeError: it has more members than ``max_members``, or they overlap.
        """
        self._name = name
        self._passwords = [password.encode() for password in passwords]
        self._left = max_bytes
        self._max_bytes = max_bytes
        if _entries(data) > max_members:
            raise SourceTooLargeError(f"{name} has more than {max_members:,} members", hint="unpack it")
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        except _DAMAGED as error:
            raise ParsingError(f"{name} is no readable ZIP archive: {_reason(error)}") from error
        entries = [entry for entry in self._archive.infolist() if not entry.is_dir()]
        if sum(entry.compress_size for entry in entries) > len(data):
            raise SourceTooLargeError(f"the members of {name} overlap: it is a bomb", hint="remove it")
        names = _names(entries)
        self.members = tuple(
            ZipMember(member_name, entry.file_size, bool(entry.flag_bits & _ENCRYPTED), entry)
            for member_name, entry in zip(names, entries, strict=True)
        )
        self.total_bytes = sum(entry.file_size for entry in entries)
        self._by_name = {member.name: member for member in self.members}

    @property
    def names(self) -> list[str]:
        """The members' names; one that is given twice appears twice."""
        return [member.name for member in self.members]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def read(self, member: str | ZipMember) -> bytes:
        """The bytes of a member; of several with one name the last counts, as for those who unpack.

        Raises:
            ParsingError: there is no such member, or it is damaged.
            EncryptedSourceError: none of the passwords opens it.
            UnsupportedFormatError: it is compressed by a method other than deflate.
            SourceTooLargeError: it inflates more than 300 times, or all that was read is over ``max_bytes``.
        """
        found = self._by_name.get(member) if isinstance(member, str) else member
        if found is None:
            raise ParsingError(f"{self._name} holds no {member}")
        entry, source = found.entry, f"{self._name}/{found.name}"
        if entry.compress_type == _AES:
            raise EncryptedSourceError(f"{source} is encrypted with AES, which is not read", hint="unpack the archive")
        if entry.compress_type not in _READ_METHODS:
            raise UnsupportedFormatError(
                f"{source} is compressed by method {entry.compress_type}", hint="compress it with deflate"
            )
        _refuse_ratio(entry, source)
        if entry.file_size > self._left:
            raise SourceTooLargeError(
                f"{self._name} inflates to more than {self._max_bytes:,} bytes", hint="unpack it, or split it"
            )
        data = self._decrypted(entry, source) if found.encrypted else self._inflated(entry, source)
        self._left -= len(data)
        return data

    def head(self, member: ZipMember, size: int) -> bytes:
        """The first ``size`` bytes of a member, or all of a shorter one; nothing of one that cannot be read."""
        try:
            with self._archive.open(member.entry) as file:
                return file.read(size)
        except (RuntimeError, *_DAMAGED):
            return b""

    def refuse_bomb(self) -> None:
        """Checks what ``read`` would of every member, for archives that something else inflates.

        Raises:
            SourceTooLargeError: a member inflates too many times, or all together over ``max_bytes``.
        """
        for member in self.members:
            _refuse_ratio(member.entry, f"{self._name}/{member.name}")
        if self.total_bytes > self._left:
            raise SourceTooLargeError(
                f"{self._name} inflates to more than {self._max_bytes:,} bytes", hint="unpack it, or split it"
            )

    def _inflated(self, entry: zipfile.ZipInfo, source: str, password: bytes | None = None) -> bytes:
        try:
            return self._archive.read(entry, pwd=password)
        except _DAMAGED as error:
            raise ParsingError(f"{source} is damaged: {_reason(error)}") from error

    def _decrypted(self, entry: zipfile.ZipInfo, source: str) -> bytes:
        for password in self._passwords:
            # A wrong one is a RuntimeError to zipfile; the one in 256 that passes its check gives garbage.
            with suppress(RuntimeError, ParsingError):
                return self._inflated(entry, source, password)
        raise EncryptedSourceError(f"{source} is encrypted")


def _refuse_ratio(entry: zipfile.ZipInfo, source: str) -> None:
    if entry.file_size > max(RATIO_FREE_BYTES, MAX_RATIO * entry.compress_size):
        raise bomb(source)


def bomb(source: str) -> SourceTooLargeError:
    """The error for what would grow beyond all measure if it were unpacked."""
    return SourceTooLargeError(f"{source} inflates more than {MAX_RATIO} times: it may be a bomb", hint="unpack it")


def _entries(data: bytes) -> int:
    """Entries of the directory, at most: counted in the bytes, since an archive may say any number."""
    end = data.rfind(_END)
    if end < 0:
        return 0
    size = _IN_ZIP64
    if end + _DIRECTORY_SIZE_AT + _DIRECTORY_SIZE.size <= len(data):
        (size,) = _DIRECTORY_SIZE.unpack_from(data, end + _DIRECTORY_SIZE_AT)
    start = 0 if size == _IN_ZIP64 else max(0, end - size)
    return data.count(_ENTRY, start, end)


def _names(entries: Sequence[zipfile.ZipInfo]) -> list[str]:
    """Names as they were meant: those not marked as UTF-8 are in whatever encoding their writer's system had."""
    unmarked = {
        entry.filename: entry.filename.encode("cp437", "replace")
        for entry in entries
        if not (entry.flag_bits & _NAME_IS_UTF8 or entry.filename.isascii())
    }
    if not unmarked:
        return [entry.filename for entry in entries]
    try:
        together = decode(b"\n".join(unmarked.values())).split("\n")
    except DecodingError:
        together = []  # too short to tell: the standard's code page 437 then
    if len(together) != len(unmarked):
        return [entry.filename for entry in entries]
    meant = dict(zip(unmarked, together, strict=True))
    return [meant.get(entry.filename, entry.filename) for entry in entries]


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
