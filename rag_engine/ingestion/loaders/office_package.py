"""Packages of Office Open XML (ECMA-376 part 2): parts, what leads from one to the other, and the core properties."""

from __future__ import annotations

import posixpath
import re
from urllib.parse import unquote

from rag_engine.errors import ParsingError
from rag_engine.ingestion.loaders.encoding import canonical
from rag_engine.ingestion.loaders.office_xml import Element, attribute, parse_office_xml, tag
from rag_engine.ingestion.loaders.zip_members import ZipMembers
from rag_engine.types.document import JsonValue
from rag_engine.types.ingestion import LoadLimits

_DATE = re.compile(r"(\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?)?)(?:\.\d+)?(Z|[+-]\d\d:\d\d)?")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")  # BCP 47, as far as files say it
_PROPERTIES = {
    "dc:creator": "author",
    "dcterms:created": "created",
    "dcterms:modified": "modified",
    "dc:language": "language",
    "dc:subject": "subject",
    "cp:keywords": "keywords",
    "dc:description": "description",
}


class OfficePackage:
    """The parts of one file; names of parts are compared without case, as the standard says."""

    def __init__(self, data: bytes, *, name: str, limits: LoadLimits) -> None:
        """Raises ParsingError and SourceTooLargeError as ``ZipMembers`` does."""
        self._name = name
        self._zip = ZipMembers(data, name=name, max_bytes=limits.max_unpacked_bytes)
        self._paths = {path.lower().lstrip("/"): path for path in self._zip.names}

    def part(self, path: str) -> Element | None:
        """The root of an XML part, or None where there is none of this name.

        Raises:
            ParsingError: the part is damaged.
            SourceTooLargeError: the file's parts are larger than allowed.
        """
        stored = self._paths.get(path.lower())
        return None if stored is None else parse_office_xml(self._zip.read(stored), source=f"{self._name}/{path}")

    def main_part(self, kind: str, otherwise: str) -> tuple[str, Element]:
        """Path and root of the part that the whole package is about.

        Raises:
            ParsingError: there is none.
        """
        related = next((target for target in self.related("", "officeDocument")), otherwise)
        for path in (related, otherwise):
            root = self.part(path)
            if root is not None:
                return path, root
        raise ParsingError(f"{self._name} is no {kind}: the part that holds its text is missing")

    def targets(self, path: str) -> dict[str, tuple[str, str]]:
        """What a part refers to within the package: the last word of the relation's type and the path, by id."""
        folder, file = posixpath.split(path)
        relations = self.part(posixpath.join(folder, "_rels", f"{file}.rels"))
        found = {}
        for relation in () if relations is None else relations:
            if tag(relation) != "rel:Relationship" or relation.get("TargetMode") == "External":
                continue  # what lies elsewhere is never followed
            target = unquote(relation.get("Target") or "").split("#")[0]
            joined = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            found[relation.get("Id") or ""] = ((relation.get("Type") or "").rpartition("/")[2], joined)
        return found

    def related(self, path: str, kind: str) -> list[str]:
        """Paths of the parts to which a part has this relation, such as ``styles``."""
        return [target for relation, target in self.targets(path).values() if relation == kind]

    def properties(self) -> tuple[str, dict[str, JsonValue]]:
        """Title and metadata of the core properties (ECMA-376 part 2, section 11); damaged ones say nothing."""
        try:
            root = self.part(next(iter(self.related("", "core-properties")), "docProps/core.xml"))
        except ParsingError:
            root = None
        values = {tag(element): element.text or "" for element in (() if root is None else root)}
        title = property_text(values.get("dc:title"))
        return title, described({ours: values.get(theirs) for theirs, ours in _PROPERTIES.items()})


def described(values: dict[str, str | None]) -> dict[str, JsonValue]:
    """Metadata of properties under our names: those that are empty, or no dates or languages, are left out."""
    metadata: dict[str, JsonValue] = {}
    for key, value in values.items():
        text = property_text(value)
        if key in ("created", "modified"):
            match = _DATE.match(text)
            text = match[1] + (match[2] or "") if match else ""
        elif key == "language":
            text = text.replace("_", "-") if _LANGUAGE.fullmatch(text.replace("_", "-")) else ""
        if text:
            metadata[key] = text
    return metadata


def property_text(value: str | None) -> str:
    """A property's words on one line."""
    return " ".join(canonical(value or "").split())


def switched_on(element: Element | None) -> bool:
    """Whether a property such as ``w:vanish`` is there and not switched off (ECMA-376 part 1, section 17.17.4)."""
    return element is not None and (attribute(element, "w:val") or "true") not in ("0", "false", "off", "none")
