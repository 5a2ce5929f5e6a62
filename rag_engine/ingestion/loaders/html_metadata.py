"""What a page says of itself: in ``meta`` elements (HTML standard, Open Graph, Dublin Core), in JSON-LD (schema.org)
and in ``time`` elements, in this order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from rag_engine.errors import ParsingError
from rag_engine.ingestion.loaders.encoding import canonical
from rag_engine.ingestion.loaders.json_values import parse_json
from rag_engine.types.document import JsonValue

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

_NAMES = {  # of meta elements, best first
    "author": ("author", "article:author", "dc.creator", "dcterms.creator", "parsely-author", "byl"),
    "created": (
        *("article:published_time", "datepublished", "date", "dc.date", "dcterms.created", "dcterms.date"),
        *("dc.date.issued", "dcterms.issued", "pubdate", "publish_date", "parsely-pub-date", "sailthru.date"),
    ),
    "modified": ("article:modified_time", "og:updated_time", "datemodified", "dcterms.modified", "last-modified"),
    "description": ("description", "og:description", "dc.description", "dcterms.description", "twitter:description"),
    "keywords": ("keywords",),
    "subject": ("dc.subject", "dcterms.subject"),
    "site": ("og:site_name", "application-name"),
}
_LINKED_DATA = {"created": "datePublished", "modified": "dateModified", "description": "description"}
_MOST_LINKED_DATA = 1 << 20  # characters
_DATED_BY = (
    ("created", "time[pubdate], time[itemprop=datePublished], [itemprop=datePublished]"),
    ("modified", "time[itemprop=dateModified], [itemprop=dateModified]"),
)
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.\d+)?\s*(Z|[+-]\d{2}:?\d{2})?)?")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*")
_ADDRESS = re.compile(r"https?://\S*", re.IGNORECASE)


def page_metadata(page: LexborHTMLParser) -> dict[str, JsonValue]:
    """``author``, ``created``, ``modified``, ``description``, ``keywords``, ``subject``, ``site`` and ``language``,
    each where the page says it; dates in ISO 8601, the language as a BCP 47 tag."""
    said = _meta(page)
    found: dict[str, str] = {}
    for key, names in _NAMES.items():
        value = next(filter(None, (_fitting(key, said.get(name, "")) for name in names)), "")
        if value:
            found[key] = value
    if not {"author", "created", "modified", "description", "site"} <= found.keys():
        for key, value in _linked_data(page):
            if key not in found and (fitting := _fitting(key, value)):
                found[key] = fitting
    for key, selector in _DATED_BY:
        node = page.css_first(selector) if key not in found else None
        if node is not None:
            written = node.attributes.get("datetime") or node.attributes.get("content") or node.text(deep=True)
            if value := iso_date(written or ""):
                found[key] = value
    root = page.css_first("html")
    attributes = root.attributes if root is not None else {}
    language = attributes.get("lang") or attributes.get("xml:lang") or said.get("content-language", "")
    if _LANGUAGE.fullmatch(language.strip()):
        found["language"] = language.strip().replace("_", "-")
    return {key: found[key] for key in (*_NAMES, "language") if key in found}


def iso_date(written: str) -> str:
    """A date as ISO 8601 has it, with its time where it says one; nothing where it is written in any other way."""
    match = _DATE.match(written.strip())
    if not match:
        return ""
    try:
        day = date(int(match[1]), int(match[2]), int(match[3])).isoformat()
    except ValueError:
        return ""
    return f"{day}T{match[4]}{match[5] or ''}" if match[4] else day


def collapsed(value: str | None) -> str:
    """A value on one line."""
    return " ".join(canonical(value or "").split())


def _meta(page: LexborHTMLParser) -> dict[str, str]:
    said: dict[str, str] = {}
    for meta in page.css("meta[content]"):
        attributes = meta.attributes
        value = collapsed(attributes.get("content"))
        for kind in ("name", "property", "http-equiv", "itemprop"):
            names = (attributes.get(kind) or "").lower().split()
            for name in names if value else ():
                said.setdefault(name, value)
    return said


def _fitting(key: str, value: str) -> str:
    if key in ("created", "modified"):
        return iso_date(value)
    return "" if key == "author" and _ADDRESS.fullmatch(value) else value  # many give a profile's address


def _linked_data(page: LexborHTMLParser) -> Iterator[tuple[str, str]]:
    for script in page.css('script[type="application/ld+json"]'):
        source = script.text(deep=True)
        if len(source) > _MOST_LINKED_DATA:
            continue
        try:
            value = parse_json(source, source="JSON-LD")
        except ParsingError:
            continue
        for item in _listed(value):
            for part in (item, *_listed(item.get("@graph"))) if isinstance(item, dict) else ():
                if isinstance(part, dict):
                    yield from _said_by(part)


def _said_by(item: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, name in _LINKED_DATA.items():
        if isinstance(item.get(name), str):
            yield key, collapsed(item[name])
    authors = [_name(author) for author in _listed(item.get("author"))]
    if any(authors):
        yield "author", ", ".join(filter(None, authors))
    for publisher in _listed(item.get("publisher")):
        yield "site", _name(publisher)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _name(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("name")
    return collapsed(value) if isinstance(value, str) else ""
