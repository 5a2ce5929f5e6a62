"""Which loader reads a file: its name proposes, its first bytes decide."""

from __future__ import annotations

import codecs
import re
from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING, cast

from rag_engine.errors import UnsupportedFormatError
from rag_engine.ingestion.loaders.encoding import unicode_encoding

if TYPE_CHECKING:
    from rag_engine.protocols import Loader

_ROOM = "rag_engine.ingestion.loaders"
_FAMILIES = {
    "plain_text": ("PlainTextLoader", (".txt", ".text", ".log")),
    "markdown": ("MarkdownLoader", (".md", ".markdown", ".mdown", ".mkd")),
    "html": ("HtmlLoader", (".html", ".htm", ".xhtml")),
    "pdf": ("PdfLoader", (".pdf",)),
    "delimited": ("DelimitedLoader", (".csv", ".tsv", ".tab", ".psv")),
    "json": ("JsonLoader", (".json", ".geojson")),
    "json_lines": ("JsonLinesLoader", (".jsonl", ".ndjson")),
}
_FAMILY_OF_SUFFIX = {suffix: family for family, (_, suffixes) in _FAMILIES.items() for suffix in suffixes}
_SIGNATURES = (
    (b"PK\x03\x04", "a ZIP archive, as Office documents and e-books are"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a", "a RAR archive"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"SQLite format 3\x00", "a SQLite database"),
    (b"RIFF", "sound, film or an image"),
    (b"OggS", "sound or film"),
    (b"ID3", "sound"),
    (b"PAR1", "a Parquet file"),
)
_WRITTEN_AS_TEXT = ((b"{\\rtf", "a Rich Text document"), (b"%!PS", "PostScript"))  # not meant to be read as such
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_HTML = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
_PDF = re.compile(rb"[\s\x00]*%PDF-")


def select_loader(name: str, head: bytes) -> Loader:
    """The loader for a file of this name whose first bytes are ``head`` (64 KiB are plenty).

    A suffix that is not known is no obstacle: such a file is HTML where it begins like it, else text.

    Raises:
        UnsupportedFormatError: the bytes are no text and no PDF; says what they are, where that is known.
    """
    family = _FAMILY_OF_SUFFIX.get(PurePath(name).suffix.lower())
    if _PDF.match(head):
        return _loader("pdf")
    actual = _not_text(head)
    if family == "pdf" and (actual in (None, "binary data") or b"%PDF-" in head[:1024]):
        return _loader("pdf")  # damaged in front, perhaps: PDFium says
    if actual:
        raise UnsupportedFormatError(f"{name} is {actual}")
    if family is None and _HTML.match(head):
        family = "html"
    return _loader(family or "plain_text")


def loader_versions() -> dict[str, int]:
    """Every loader's name and version, by name."""
    return {family: _loader(family).version for family in sorted(_FAMILIES)}


def _loader(family: str) -> Loader:
    # Imported when needed: most runs of a sandbox see one or two families.
    return cast("Loader", getattr(import_module(f"{_ROOM}.{family}"), _FAMILIES[family][0])())


def _not_text(head: bytes) -> str | None:
    """What the bytes are where they are no text, else None."""
    for signature, written in _WRITTEN_AS_TEXT:
        if head.startswith(signature):
            return written
    if unicode_encoding(head[: len(head) // 4 * 4])[0]:
        return None
    kind = next((known for signature, known in _SIGNATURES if head.startswith(signature)), None)
    if kind is None and head[257:262] == b"ustar":
        kind = "a tar archive"
    if kind and b"\x00" in head:
        return kind
    return kind or "binary data" if _is_binary(head, signed=kind is not None) else None


def _is_binary(head: bytes, *, signed: bool) -> bool:
    controls = len(_CONTROL.findall(head))
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(head)  # not final: the head may end inside a character
    except UnicodeDecodeError:
        return signed or b"\x00" in head or controls * 50 > len(head)
    # Stray control characters in valid UTF-8 are a fault of text; many are not.
    return controls * 3 > len(head)
