"""Which loader reads a file: its name proposes, its first bytes decide."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING, cast

from rag_engine.errors import UnsupportedFormatError
from rag_engine.ingestion.loaders.container_kind import (
    COMPOUND_SIGNATURE,
    ZIP_SIGNATURES,
    family_of_compound_file,
    family_of_zip,
    is_tar,
)
from rag_engine.ingestion.loaders.encoding import unicode_encoding
from rag_engine.ingestion.loaders.programming_languages import LANGUAGE_OF_SUFFIX

if TYPE_CHECKING:
    from rag_engine.protocols import Loader

_ROOM = "rag_engine.ingestion.loaders"
_HEAD_BYTES = 1 << 16
_FAMILIES = {
    "plain_text": ("PlainTextLoader", (".txt", ".text", ".log")),
    "markdown": ("MarkdownLoader", (".md", ".markdown", ".mdown", ".mkd")),
    "restructuredtext": ("RestructuredTextLoader", (".rst", ".rest")),
    "html": ("HtmlLoader", (".html", ".htm", ".xhtml")),
    "pdf": ("PdfLoader", (".pdf",)),
    "delimited": ("DelimitedLoader", (".csv", ".tsv", ".tab", ".psv")),
    "json": ("JsonLoader", (".json", ".geojson")),
    "json_lines": ("JsonLinesLoader", (".jsonl", ".ndjson")),
    "epub": ("EpubLoader", (".epub",)),
    "docx": ("DocxLoader", (".docx", ".docm", ".dotx", ".dotm")),
    "pptx": ("PptxLoader", (".pptx", ".pptm", ".ppsx", ".ppsm", ".potx", ".potm")),
    "spreadsheet": ("SpreadsheetLoader", (".xlsx", ".xlsm", ".xltx", ".xltm", ".xlsb", ".xls", ".xlt", ".ods", ".ots")),
    "opendocument": ("OpenDocumentLoader", (".odt", ".ott", ".odp", ".otp", ".odg")),
    "word_binary": ("WordBinaryLoader", (".doc", ".dot")),
    "word_xml": ("WordXmlLoader", ()),
    "rtf": ("RtfLoader", (".rtf",)),
    "encrypted_office": ("EncryptedOfficeLoader", ()),
    "notebook": ("NotebookLoader", (".ipynb",)),
    "yaml": ("YamlLoader", (".yaml", ".yml")),
    "xml": ("XmlLoader", (".xml", ".rss", ".atom", ".opml", ".docbook", ".dbk", ".tei", ".nxml", ".dita")),
    "source_code": ("SourceCodeLoader", tuple(LANGUAGE_OF_SUFFIX)),
    "mail": ("MailLoader", (".eml", ".mht", ".mhtml")),
    "outlook_message": ("OutlookMessageLoader", (".msg",)),
    "mailbox": ("MailboxLoader", (".mbox", ".mbx")),
    # By their bytes alone, whatever they are called.
    "zip_archive": ("ZipArchiveLoader", ()),
    "tar_archive": ("TarArchiveLoader", ()),
    "compressed": ("CompressedLoader", ()),
}
_FAMILY_OF_SUFFIX = {suffix: family for family, (_, suffixes) in _FAMILIES.items() for suffix in suffixes}
# Told by their bytes alone: text under such a name is text.
_CONTAINERS = frozenset(
    ("epub", "docx", "pptx", "spreadsheet", "opendocument", "word_binary", "rtf", "encrypted_office", "outlook_message")
) | frozenset(("zip_archive", "tar_archive", "compressed"))
_COMPRESSED = re.compile(rb"\x1f\x8b\x08|BZh[1-9](?:1AY&SY|\x17rE8P\x90)|\xfd7zXZ\x00")
_SIGNATURES = (
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"\x1f\x8b", "a damaged gzip file"),
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
_WRITTEN_AS_TEXT = ((b"%!PS", "PostScript"),)  # not meant to be read as such
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
# Atomic: a comment ends where it first can, or many of them could be parted in exponentially many ways.
_HTML = re.compile(rb"\s*(?:(?><!--.*?-->)\s*)*<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
_WORD_XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml[^>]*>(?:\s*<[?!][^>]*>)*\s*<\w+:wordDocument\s")
_RTF = b"{\\rtf"
_PDF = re.compile(rb"[\s\x00]*%PDF-")


def select_loader(name: str, data: bytes) -> Loader:
    """The loader for a file of this name with these bytes, of which few are looked at.

    A suffix that is not known is no obstacle: such a file is HTML where it begins like it, else text.

    Raises:
        UnsupportedFormatError: the bytes are of no known format; says what they are, where that is known.
    """
    head = data[:_HEAD_BYTES]
    family = _FAMILY_OF_SUFFIX.get(PurePath(name).suffix.lower())
    if _PDF.match(head):
        return _loader("pdf")
    if head.lstrip().startswith(_RTF):
        return _loader("rtf")
    if _WORD_XML.match(head):
        return _loader("word_xml")
    if head.startswith(ZIP_SIGNATURES):
        return _loader(family_of_zip(data, name=name) or "zip_archive")  # whose loader says what is wrong with it
    if head.startswith(COMPOUND_SIGNATURE):
        family = family_of_compound_file(data, name=name)
        if family:
            return _loader(family)
    if _COMPRESSED.match(head):
        return _loader("compressed")
    if is_tar(head):
        return _loader("tar_archive")
    actual = _not_text(head)
    if family == "pdf" and (actual in (None, "binary data") or b"%PDF-" in head[:1024]):
        return _loader("pdf")  # damaged in front, perhaps: PDFium says
    if actual:
        raise UnsupportedFormatError(f"{name} is {actual}")
    if family in _CONTAINERS:
        family = None
    if family in (None, "source_code") and _HTML.match(head):
        family = "html"
    return _loader(family or "plain_text")


def loader_versions() -> dict[str, int]:
    """Every loader's name and version, by name."""
    return {loader.name: loader.version for loader in every_loader()}


def every_loader() -> Iterator[Loader]:
    """One of each, in order of their names."""
    return map(_loader, sorted(_FAMILIES))


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
