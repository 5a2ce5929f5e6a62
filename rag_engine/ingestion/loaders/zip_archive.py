"""ZIP archives (see ``zip_members``), each of whose files is a document of its own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from rag_engine.ingestion.loaders.containers import Allowance, Member, members_version
from rag_engine.ingestion.loaders.zip_members import ZipMembers
from rag_engine.types.document import Document, SourceFailure
from rag_engine.types.ingestion import LoadLimits

_VERSION = 1


class ZipArchiveLoader:
    """Reads the files in a ZIP archive, in the order of its directory."""

    name = "zip_archive"

    @property
    def version(self) -> int:
        """Of this loader and of all that read what it holds."""
        return _VERSION + members_version()

    def load(self, data: bytes, *, name: str, limits: LoadLimits) -> Iterator[Document | SourceFailure]:
        """The documents of its members, and the failures of those that cannot be read."""
        return Allowance(limits).unpack(self, data, name=name)

    def members(self, data: bytes, *, name: str, allowance: Allowance) -> Iterator[Member]:
        """See ``Container``."""
        archive = ZipMembers(
            data,
            name=name,
            passwords=allowance.limits.passwords,
            max_members=allowance.limits.max_members,
            max_bytes=allowance.unpacked_bytes,
        )
        for member in archive.members:
            yield Member(member.name, member.size, partial(archive.read, member))
