"""Compound files ([MS-CFB]), in which old and encrypted office documents lie: their properties and their passwords."""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from datetime import datetime
from typing import Any

from rag_engine.errors import EncryptedSourceError, ParsingError
from rag_engine.ingestion.loaders.office_package import described, property_text
from rag_engine.types.document import JsonValue
from rag_engine.types.ingestion import LoadLimits

# What Excel itself tries first, and sets where a workbook is only to be read ([MS-OFFCRYPTO], section 2.3.4.4).
_EXCELS_OWN = "VelvetSweatshop"
_DAMAGED = (OSError, EOFError, ValueError, TypeError, AttributeError, LookupError, AssertionError, struct.error)
_UTF8 = 65001


class _InMemory:
    """Stands in for the module ``tempfile`` where the library puts what it has decrypted."""

    TemporaryFile = io.BytesIO


def compound_properties(data: bytes) -> tuple[str, dict[str, JsonValue]]:
    """Title and metadata of the summary information ([MS-OLEPS], section 3.1); damaged ones say nothing."""
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as file:
            found = file.get_metadata()
    except _DAMAGED:
        return "", {}
    code_page = found.codepage % 65536 if isinstance(found.codepage, int) else _UTF8
    encoding = "utf-8" if code_page == _UTF8 else f"cp{code_page}"

    def text(value: Any) -> str:
        if isinstance(value, datetime):
            return value.isoformat(timespec="seconds") + "Z" if value.year > 1601 else ""
        with suppress(LookupError):
            return str(value.decode(encoding, "replace")) if isinstance(value, bytes) else str(value or "")
        return ""

    metadata = described(
        {
            "author": text(found.author),
            "created": text(found.create_time),
            "modified": text(found.last_saved_time),
            "subject": text(found.subject),
            "keywords": text(found.keywords),
            "description": text(found.comments),
        }
    )
    return property_text(text(found.title)), metadata


def is_encrypted(data: bytes) -> bool:
    """Whether an old Word or Excel file says that it is encrypted; a damaged one does not."""
    import msoffcrypto
    from msoffcrypto import exceptions

    try:
        return bool(msoffcrypto.OfficeFile(io.BytesIO(data)).is_encrypted())
    except (exceptions.FileFormatError, exceptions.ParseError, exceptions.DecryptionError, *_DAMAGED):
        return False


def opened_with_passwords(data: bytes, *, name: str, limits: LoadLimits) -> bytes:
    """The file that an encrypted office document becomes by the first of the passwords that fits.

    Raises:
        EncryptedSourceError: none of them does.
        ParsingError: the file is damaged, or encrypted in a way that is not known.
    """
    import msoffcrypto
    from msoffcrypto import exceptions
    from msoffcrypto.format import doc97, xls97

    doc97.tempfile = xls97.tempfile = _InMemory  # the sandbox lets nothing be written
    try:
        file = msoffcrypto.OfficeFile(io.BytesIO(data))
    except (exceptions.FileFormatError, exceptions.ParseError, exceptions.DecryptionError, *_DAMAGED) as error:
        raise ParsingError(f"the encryption of {name} is damaged or not known") from error
    for password in (_EXCELS_OWN, *limits.passwords):
        opened = io.BytesIO()
        try:
            # Not verified here, which refuses right passwords of files whose verifier is padded: what comes out is.
            file.load_key(password=password)
            file.decrypt(opened)
        except (exceptions.InvalidKeyError, exceptions.DecryptionError):
            continue
        except (exceptions.FileFormatError, exceptions.ParseError, *_DAMAGED) as error:
            raise ParsingError(f"the encryption of {name} is damaged or not known") from error
        return opened.getvalue()
    raise EncryptedSourceError(f"{name} is encrypted")
