"""The XML inside office files, read without entities, document types or anything that is not in the bytes.

Elements are called by short names such as ``w:p``, whichever of a format's namespaces they stand in: ECMA-376 has two
for everything, ISO 29500's strict one and the transitional one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, TypeAlias

from rag_engine.errors import ParsingError
from rag_engine.ingestion.loaders.xml_parser import make_xml_parser

Element: TypeAlias = Any  # lxml has no type hints

_OFFICE = "http://schemas.openxmlformats.org/"
_STRICT = "http://purl.oclc.org/ooxml/"
_ODF = "urn:oasis:names:tc:opendocument:xmlns:"
_PREFIXES = {
    _OFFICE + "wordprocessingml/2006/main": "w",
    _STRICT + "wordprocessingml/main": "w",
    "http://schemas.microsoft.com/office/word/2003/wordml": "w",
    _OFFICE + "presentationml/2006/main": "p",
    _STRICT + "presentationml/main": "p",
    _OFFICE + "drawingml/2006/main": "a",
    _STRICT + "drawingml/main": "a",
    _OFFICE + "drawingml/2006/diagram": "dgm",
    _STRICT + "drawingml/diagram": "dgm",
    _OFFICE + "drawingml/2006/chart": "c",
    _STRICT + "drawingml/chart": "c",
    _OFFICE + "officeDocument/2006/math": "m",
    _STRICT + "officeDocument/math": "m",
    _OFFICE + "officeDocument/2006/relationships": "r",
    _STRICT + "officeDocument/relationships": "r",
    _OFFICE + "markup-compatibility/2006": "mc",
    _OFFICE + "package/2006/relationships": "rel",
    _OFFICE + "package/2006/metadata/core-properties": "cp",
    "http://schemas.microsoft.com/office/2006/xmlPackage": "pkg",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    _ODF + "office:1.0": "office",
    _ODF + "text:1.0": "text",
    _ODF + "table:1.0": "table",
    _ODF + "style:1.0": "style",
    _ODF + "drawing:1.0": "draw",
    _ODF + "presentation:1.0": "presentation",
    _ODF + "meta:1.0": "meta",
    _ODF + "manifest:1.0": "manifest",
    _ODF + "xsl-fo-compatible:1.0": "fo",
    _ODF + "svg-compatible:1.0": "svg",
}


def parse_xml(data: bytes, *, source: str) -> Element:
    """The root of an XML document, comments and processing instructions left out, entities unresolved.

    Raises:
        ParsingError: not well-formed, or nested deeper than 256 elements.
    """
    from lxml import etree

    parser = make_xml_parser(resolve_entities=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ParsingError(f"{source} is no well-formed XML: {str(error)[:200]}") from error
    if root is None:
        raise ParsingError(f"{source} holds no XML")
    return root


def parse_office_xml(data: bytes, *, source: str) -> Element:
    """The root of a part of an office file (see ``parse_xml``).

    Raises:
        ParsingError: as ``parse_xml`` does, or with a document type declaration, which ECMA-376 (part 2, section
            8.2.5) forbids and through which entities are declared.
    """
    root = parse_xml(data, source=source)
    if root.getroottree().docinfo.internalDTD is not None:
        raise ParsingError(f"{source} declares a document type, which office files may not", hint="save the file anew")
    return root


@lru_cache(maxsize=4096)  # bounded: a hostile file may have any number of names
def short_name(qualified: str) -> str:
    """``w:p`` for ``{http://...wordprocessingml...}p``; with the prefix ``?`` where the namespace is none of ours."""
    namespace, _, local = qualified.rpartition("}")
    return f"{_PREFIXES.get(namespace[1:], '?' if namespace else '')}:{local}"


def tag(element: Element) -> str:
    """The element's short name; empty for what is none, such as an entity's reference."""
    name = element.tag
    return short_name(name) if isinstance(name, str) else ""


def attribute(element: Element, name: str) -> str | None:
    """An attribute by its short name, such as ``w:val``, or by its plain name."""
    for qualified in _qualified_names(name):
        value = element.get(qualified)
        if value is not None:
            return str(value)
    return None


def child(element: Element, name: str) -> Element | None:
    """The first child of this short name."""
    return next(element.iterchildren(*_qualified_names(name)), None)


def children(element: Element | None, name: str) -> Iterator[Element]:
    """The children of this short name; none of an element that is not there."""
    return iter(()) if element is None else element.iterchildren(*_qualified_names(name))


@lru_cache(maxsize=512)
def _qualified_names(name: str) -> tuple[str, ...]:
    """What a short name may stand for; a name without a prefix stands for itself."""
    prefix, _, local = name.rpartition(":")
    if not prefix:
        return (name,)
    return tuple(f"{{{namespace}}}{local}" for namespace, known in _PREFIXES.items() if known == prefix)


def alternative(element: Element) -> Element | tuple[()]:
    """What of an ``mc:AlternateContent`` is read: its first choice, else what older programs show, else nothing."""
    chosen = child(element, "mc:Choice")
    chosen = child(element, "mc:Fallback") if chosen is None else chosen
    return () if chosen is None else chosen


def descend(element: Element | None, *names: str) -> Element | None:
    """The element at the end of a path of first children, or None where the path breaks."""
    for name in names:
        if element is None:
            return None
        element = child(element, name)
    return element


def whole_number(text: str | None, otherwise: int = 0, *, largest: int = 1 << 31) -> int:
    """``text`` as a whole number from 0, at most ``largest``; ``otherwise`` where it is none."""
    if text and len(text) < 11 and text.isascii() and text.isdigit():
        return min(int(text), largest)
    return otherwise
