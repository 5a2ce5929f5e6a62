"""Office documents behind a password: decrypted in memory by msoffcrypto, then read as what they are. Licence: MIT."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from rag_engine.errors import ParsingError
from rag_engine.ingestion.loaders.office_compound import opened_with_passwords
from rag_engine.types.document import Document, SourceFailure
from rag_engine.types.ingestion import LoadLimits

_VERSION = 1
_HELD = (("docx", "DocxLoader"), ("pptx", "PptxLoader"), ("spreadsheet", "SpreadsheetLoader"))


class EncryptedOfficeLoader:
    """Reads Office Open XML that is encrypted as a whole ([MS-OFFCRYPTO], section 2.3)."""

    name = "encrypted_office"

    @property
    def version(self) -> int:
        """Of this loader and of all that read what it decrypts."""
        held = (getattr(import_module(f"rag_engine.ingestion.loaders.{family}"), loader) for family, loader in _HELD)
        return _VERSION + sum(int(loader.version) for loader in held)

    def load(self, data: bytes, *, name: str, limits: LoadLimits) -> Iterator[Document | SourceFailure]:
        """What the loader of the decrypted document makes of it."""
        from rag_engine.ingestion.loaders.selection import select_loader

        opened = opened_with_passwords(data, name=name, limits=limits)
        loader = select_loader(name, opened)
        # Not an archive, nor another such file: what comes out of them would have an allowance of its own.
        if loader.name not in dict(_HELD):
            raise ParsingError(f"{name} is encrypted as an office document and holds none")
        yield from loader.load(opened, name=name, limits=limits)
