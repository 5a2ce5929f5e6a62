"""What an e-book says of itself and in which order it is read: the package document (EPUB 3.3, section 5)."""

from __future__ import annotations

import posixpath
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from rag_engine.errors import EncryptedSourceError, ParsingError
from rag_engine.ingestion.loaders.encoding import canonical
from rag_engine.ingestion.loaders.html_metadata import iso_date
from rag_engine.ingestion.loaders.office_xml import Element, parse_xml
from rag_engine.ingestion.loaders.zip_members import ZipMembers
from rag_engine.types.document import JsonValue

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PACKAGE_TYPE = "application/oebps-package+xml"
_CONTENT_TYPES = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml"})
_OBFUSCATED_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_ELEMENTS = {"creator": "author", "date": "created", "language": "language", "description": "description"}


class EpubPackage:
    """The package document of an e-book: title, metadata, and the names of its chapters in reading order."""

    def __init__(self, archive: ZipMembers, *, name: str) -> None:
        """Reads the package document.

        Raises:
            ParsingError: the container or the package document is absent or broken.
            EncryptedSourceError: the chapters are encrypted, as digital rights management does.
        """
        self._archive = archive
        self._name = name
        self._names = {_folded(member): member for member in archive.names}
        self._names.update({member: member for member in archive.names})
        path = self._package_path()
        self._folder = posixpath.dirname(path)
        self._root = parse_xml(archive.read(path), source=f"{name}/{path}")
        self.chapters = tuple(self._reading_order())
        self._refuse_encryption()
        self.title = next(self._said("title"), "")
        self.metadata = self._metadata()

    def member(self, chapter: str) -> str | None:
        """The member that holds a chapter, however its name is written, or None where there is none."""
        return self._names.get(chapter) or self._names.get(_folded(chapter))

    def _package_path(self) -> str:
        if _CONTAINER not in self._archive:
            raise ParsingError(f"{self._name} is no e-book: it has no {_CONTAINER}")
        container = parse_xml(self._archive.read(_CONTAINER), source=f"{self._name}/{_CONTAINER}")
        for rootfile in _all(container, "rootfile"):
            path = unquote(rootfile.get("full-path") or "")
            if rootfile.get("media-type", _PACKAGE_TYPE) == _PACKAGE_TYPE and (member := self.member(path)):
                return member
        raise ParsingError(f"{self._name} is no e-book: it names no package document that is there")

    def _reading_order(self) -> Iterator[str]:
        """The spine; the manifest where there is none."""
        hrefs = {
            item.get("id") or "": self._resolved(item.get("href") or "")
            for item in _all(self._root, "item")
            if (item.get("media-type") or "").lower() in _CONTENT_TYPES
        }
        spine = [
            hrefs[item] for itemref in _all(self._root, "itemref") if (item := itemref.get("idref") or "") in hrefs
        ]
        yield from dict.fromkeys(filter(None, spine or hrefs.values()))

    def _resolved(self, href: str) -> str:
        try:
            path = unquote(urlsplit(href).path)
        except ValueError:  # no address: a chapter that the book names and does not hold
            path = href
        return posixpath.normpath(posixpath.join(self._folder, path)) if path else ""

    def _refuse_encryption(self) -> None:
        if _ENCRYPTION not in self._archive:
            return
        chapters = set(map(_folded, self.chapters))
        for data in _all(parse_xml(self._archive.read(_ENCRYPTION), source=_ENCRYPTION), "EncryptedData"):
            method = next((method.get("Algorithm") or "" for method in _all(data, "EncryptionMethod")), "")
            encrypted = {_folded(unquote(reference.get("URI") or "")) for reference in _all(data, "CipherReference")}
            if method not in _OBFUSCATED_FONTS and encrypted & chapters:
                raise EncryptedSourceError(
                    f"{self._name} is encrypted by digital rights management", hint="ingest a copy without it"
                )

    def _metadata(self) -> dict[str, JsonValue]:
        metadata: dict[str, JsonValue] = {}
        for element, key in _ELEMENTS.items():
            values = list(self._said(element))
            if key == "created":
                values = list(filter(None, map(_date, values)))
            if values:
                metadata[key] = ", ".join(values) if key == "author" else values[0]
        modified = next((meta for meta in _all(self._root, "meta") if meta.get("property") == "dcterms:modified"), None)
        if modified is not None and (date := iso_date(_text(modified))):
            metadata["modified"] = date
        subjects: list[JsonValue] = list(self._said("subject"))
        if subjects:
            metadata["subject"] = subjects[0] if len(subjects) == 1 else subjects
        return metadata

    def _said(self, element: str) -> Iterator[str]:
        return filter(None, map(_text, _all(self._root, element)))


def _all(root: Element, name: str) -> Iterator[Element]:
    """Elements of this local name: books of every age put them into other namespaces, or into none."""
    for element in root.iter():
        if isinstance(element.tag, str) and element.tag.rpartition("}")[2] == name:
            yield element


def _text(element: Element) -> str:
    return " ".join(canonical("".join(element.itertext())).split())


def _date(written: str) -> str:
    return iso_date(written) or (written if len(written) in (4, 7) and written[:4].isdecimal() else "")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
