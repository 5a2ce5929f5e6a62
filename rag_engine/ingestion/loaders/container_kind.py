"""What a ZIP archive, a compound file or a tar archive is, told by what lies in it: its name says nothing."""

from __future__ import annotations

from collections.abc import Collection

from rag_engine.errors import IngestionError, UnsupportedFormatError

ZIP_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")
COMPOUND_SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # [MS-CFB], section 2.2
_TAR_BLOCK = 512  # bytes
_TAR_MARK = slice(257, 262)
_MIMETYPE = "mimetype"
_LONGEST_MIMETYPE = 256  # bytes
_CONTENT_TYPES = "[content_types].xml"
_FAMILY_OF_FOLDER = {"word/": "docx", "ppt/": "pptx", "xl/": "spreadsheet"}
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
_FAMILY_OF_STREAM = {
    "encryptedpackage": "encrypted_office",
    "worddocument": "word_binary",
    "workbook": "spreadsheet",
    "book": "spreadsheet",
    "__properties_version1.0": "outlook_message",
}
_REFUSED_STREAMS = {
    "powerpoint document": "an old PowerPoint presentation",
    "visiodocument": "a Visio drawing",
}


def kind_of_zip(names: Collection[str], mimetype: str = "") -> str:
    """The family that reads a ZIP archive with members of these ``names``, ``zip_archive`` where it is only that.

    ``mimetype`` is what the member of this name says, which OpenDocument and EPUB begin with.
    """
    if mimetype.startswith(_OPEN_DOCUMENT):
        return "spreadsheet" if mimetype.startswith(_OPEN_DOCUMENT + "spreadsheet") else "opendocument"
    if mimetype == "application/epub+zip" or "META-INF/container.xml" in names:
        return "epub"
    lowered = {name.lower().lstrip("/") for name in names}
    if _CONTENT_TYPES in lowered:
        for folder, family in _FAMILY_OF_FOLDER.items():
            if any(name.startswith(folder) for name in lowered):
                return family
    return "opendocument" if {"content.xml", "meta-inf/manifest.xml"} <= lowered else "zip_archive"


def family_of_zip(data: bytes, *, name: str) -> str | None:
    """The family that reads this ZIP archive, or None where it is damaged or a bomb: the loader of archives says so."""
    from rag_engine.ingestion.loaders.zip_members import ZipMembers  # most files are no archives

    try:
        archive = ZipMembers(data, name=name)
        small = any(member.name == _MIMETYPE and member.size <= _LONGEST_MIMETYPE for member in archive.members)
        mimetype = archive.read(_MIMETYPE).decode("ascii", "replace").strip() if small else ""
    except IngestionError:
        return None
    return kind_of_zip(archive.names, mimetype)


def family_of_compound_file(data: bytes, *, name: str) -> str | None:
    """The family that reads this compound file (OLE2), or None where its directory cannot be read.

    Raises:
        UnsupportedFormatError: says what it is, where no loader reads it.
    """
    import io

    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as file:
            streams = [path[0].lower() for path in file.listdir() if len(path) == 1]
    except (OSError, ValueError, IndexError, TypeError, AttributeError, KeyError):
        return None
    for stream, family in _FAMILY_OF_STREAM.items():
        if stream in streams:
            return family
    kind = next((kind for stream, kind in _REFUSED_STREAMS.items() if stream in streams), "an old Office document")
    raise UnsupportedFormatError(f"{name} is {kind}")


def is_tar(data: bytes) -> bool:
    """Whether a tar archive begins here: with the mark of POSIX or GNU, or the right checksum as those of 1979 have."""
    header = data[:_TAR_BLOCK]
    if b"\x00" not in header:
        return False
    if header[_TAR_MARK] == b"ustar":
        return True
    import tarfile

    try:
        tarfile.TarInfo.frombuf(header, tarfile.ENCODING, "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True
