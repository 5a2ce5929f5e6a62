"""Packages of OpenDocument (ISO 26300, version 1.3 part 2): the XML of the content and the metadata beside it."""

from __future__ import annotations

from rag_engine.errors import EncryptedSourceError, ParsingError
from rag_engine.ingestion.loaders.office_package import described, property_text
from rag_engine.ingestion.loaders.office_xml import Element, child, parse_office_xml, tag
from rag_engine.ingestion.loaders.zip_members import ZipMembers
from rag_engine.types.document import JsonValue
from rag_engine.types.ingestion import LoadLimits

_MANIFEST = "META-INF/manifest.xml"
_PROPERTIES = {
    "meta:initial-creator": "author",
    "dc:creator": "author",  # who saved it last, where nobody else is named
    "meta:creation-date": "created",
    "dc:date": "modified",
    "dc:language": "language",
    "dc:subject": "subject",
    "dc:description": "description",
}


class OpenDocumentPackage:
    """The parts of one file."""

    def __init__(self, data: bytes, *, name: str, limits: LoadLimits) -> None:
        """Opens a package.

        Raises:
            ParsingError: the bytes are no package, or a damaged one.
            EncryptedSourceError: its parts are encrypted, which no password of ours undoes.
            SourceTooLargeError: see ``ZipMembers``.
        """
        self._name = name
        self._zip = ZipMembers(data, name=name, max_bytes=limits.max_unpacked_bytes)
        manifest = self.part(_MANIFEST)
        if manifest is not None and any(tag(element) == "manifest:encryption-data" for element in manifest.iter()):
            raise EncryptedSourceError(f"{name} is encrypted", hint="save it without a password")

    def part(self, path: str) -> Element | None:
        """The root of a part, or None where there is none of this name. Raises ParsingError where it is damaged."""
        if path not in self._zip:
            return None
        return parse_office_xml(self._zip.read(path), source=f"{self._name}/{path}")

    def body(self) -> Element:
        """The one element of the document's content, such as ``office:text``.

        Raises:
            ParsingError: there is none.
        """
        root = self.part("content.xml")
        body = child(root, "office:body") if root is not None else None
        if body is None or not len(body):
            raise ParsingError(f"{self._name} is no OpenDocument file: it has no content")
        return body[0]

    def properties(self) -> tuple[str, dict[str, JsonValue]]:
        """Title and metadata of ``meta.xml`` (part 3, section 4.3); damaged ones say nothing."""
        try:
            root = self.part("meta.xml")
        except ParsingError:
            root = None
        found: dict[str, str | None] = {}
        keywords, title = [], ""
        meta = child(root, "office:meta") if root is not None else None
        for element in () if meta is None else meta:
            name = tag(element)
            if name == "dc:title":
                title = property_text(element.text)
            elif name == "meta:keyword":
                keywords.append(property_text(element.text))
            elif name in _PROPERTIES and element.text:
                found[name] = element.text
        values = {ours: found[theirs] for theirs, ours in reversed(_PROPERTIES.items()) if theirs in found}
        return title, described({**values, "keywords": ", ".join(filter(None, keywords))})
