"""ZIP archives (see ``zip_members``), each of whose files is a document of its own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from rag_engine.ingestion.loaders.containers import Allowance, Container, Member
from rag_engine.ingestion.loaders.zip_members import ZipMembers


class ZipArchiveLoader(Container):
    """Reads the files in a ZIP archive, in the order of its directory."""

    name = "zip_archive"

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
