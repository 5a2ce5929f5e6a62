"""Tar archives (POSIX.1-2017 pax and its forerunners), each of whose regular files is a document of its own."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from functools import partial

from rag_engine.errors import ParsingError
from rag_engine.ingestion.loaders.containers import Allowance, Container, Member
from rag_engine.ingestion.loaders.zip_members import MAX_RATIO, RATIO_FREE_BYTES, bomb
from rag_engine.types.document import SourceFailure

_BLOCK = tarfile.BLOCKSIZE
_DAMAGED = (tarfile.TarError, ValueError, OverflowError, EOFError, OSError)


class _Archive(tarfile.TarFile):
    """An archive that is read once, from front to back."""

    members: list[tarfile.TarInfo]

    def forget(self) -> None:
        """Lets go of the entries read so far, all of which it would keep."""
        self.members.clear()


class TarArchiveLoader(Container):
    """Reads the regular files in a tar archive, in order; links and devices in it are passed over."""

    name = "tar_archive"

    def members(self, data: bytes, *, name: str, allowance: Allowance) -> Iterator[Member | SourceFailure]:  # noqa: ARG002
        """See ``Container``; where the archive is damaged, what lies before is read, and a failure says where."""
        try:
            archive = _Archive(fileobj=io.BytesIO(data))
        except _DAMAGED as error:
            raise ParsingError(f"{name} is no readable tar archive: {error}") from error
        with archive:
            end = -1
            while True:
                try:
                    entry = archive.next()
                except _DAMAGED:
                    entry = None
                if entry is None or entry.size < 0 or entry.offset <= end:  # which would lead back, for ever
                    break
                end = entry.offset
                archive.forget()
                if entry.isreg():
                    yield Member(entry.name, entry.size, partial(_read, archive, entry, name))
            # For tarfile a block that is no header ends an archive as zeros do.
            rest = archive.offset if entry is None else entry.offset
            if rest > len(data) or any(data[rest : rest + _BLOCK]):
                damage = ParsingError(
                    f"{name} is cut off or damaged: from byte {min(rest, len(data)):,} on nothing can be read"
                )
                yield SourceFailure(f"{name}/(rest)", damage.code, damage.message, damage.hint)


def _read(archive: tarfile.TarFile, entry: tarfile.TarInfo, name: str) -> bytes:
    # Of a sparse file only what is no hole lies in the archive.
    pieces: list[tuple[int, int]] = entry.sparse or []  # type: ignore[assignment]
    if pieces and entry.size > max(RATIO_FREE_BYTES, MAX_RATIO * sum(size for _, size in pieces)):
        raise bomb(f"{name}/{entry.name}")
    try:
        file = archive.extractfile(entry)
        data = file.read() if file is not None else b""
    except _DAMAGED as error:
        raise ParsingError(f"{name}/{entry.name} is damaged: {error}") from error
    if len(data) != entry.size:
        raise ParsingError(f"{name}/{entry.name} is cut off after {len(data):,} of {entry.size:,} bytes")
    return data
