"""The lists of a Word document, from ``numbering.xml`` (ECMA-376 part 1, section 17.9)."""

from __future__ import annotations

from rag_engine.ingestion.loaders.list_numbers import ListCounter, NumberedLevel
from rag_engine.ingestion.loaders.office_package import switched_on
from rag_engine.ingestion.loaders.office_xml import Element, attribute, child, children, tag, whole_number


def read_numbering(root: Element | None) -> ListCounter:
    """The lists by their ``w:numId``; without the part no item has a number."""
    levels = {
        attribute(abstract, "w:abstractNumId") or "": _levels(abstract) for abstract in children(root, "w:abstractNum")
    }
    _follow_links(root, levels)
    lists: dict[str, tuple[str, dict[int, int]]] = {}
    for number in children(root, "w:num"):
        abstract = child(number, "w:abstractNumId")
        starts = {
            whole_number(attribute(override, "w:ilvl")): whole_number(attribute(start, "w:val"))
            for override in children(number, "w:lvlOverride")
            if (start := child(override, "w:startOverride")) is not None
        }
        kind = "" if abstract is None else attribute(abstract, "w:val") or ""
        lists[attribute(number, "w:numId") or ""] = (kind, starts)
    return ListCounter(levels, lists)


def _follow_links(root: Element | None, levels: dict[str, dict[int, NumberedLevel]]) -> None:
    """Gives lists that refer to a style the levels of the list that belongs to it (section 17.9.21)."""
    owners: dict[str | None, str] = {}
    referring: dict[str, str | None] = {}
    for abstract in children(root, "w:abstractNum"):
        identifier = attribute(abstract, "w:abstractNumId") or ""
        own, other = child(abstract, "w:styleLink"), child(abstract, "w:numStyleLink")
        if own is not None:
            owners[attribute(own, "w:val")] = identifier
        if other is not None:
            referring[identifier] = attribute(other, "w:val")
    for identifier, style in referring.items():
        levels[identifier] = levels.get(owners.get(style, ""), {})


def _levels(abstract: Element) -> dict[int, NumberedLevel]:
    found = {}
    for level in children(abstract, "w:lvl"):
        values = {
            tag(inner): attribute(inner, "w:val")
            for inner in level
            if tag(inner) in ("w:start", "w:numFmt", "w:lvlText")
        }
        found[whole_number(attribute(level, "w:ilvl"), largest=8)] = NumberedLevel(
            start=whole_number(values.get("w:start"), 1),
            number_format=values.get("w:numFmt") or "decimal",
            text=values.get("w:lvlText") or "",
            legal=switched_on(child(level, "w:isLgl")),
        )
    return found
