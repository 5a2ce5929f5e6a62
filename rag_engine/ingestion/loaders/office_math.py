"""Formulas of office documents on one line, in the linear form that Word itself reads (Unicode Technical Note 28)."""

from __future__ import annotations

from rag_engine.ingestion.loaders.office_xml import Element, attribute, child, descend, tag

_APPLICATION = "\u2061"  # the invisible sign between a function and what it is applied to


def linear_math(element: Element | None) -> str:
    """A formula's text, such as ``(a+b)/c`` or ``x^2``.

    Raises:
        RecursionError: it is nested deeper than any that means something.
    """
    if element is None:
        return ""
    name = tag(element)
    if name == "m:t":
        return (element.text or "").replace(_APPLICATION, " ")

    def part(part_name: str) -> str:
        return linear_math(child(element, part_name))

    if name == "m:f":
        return f"{_grouped(part('m:num'))}/{_grouped(part('m:den'))}"
    if name == "m:sSup":
        return f"{_grouped(part('m:e'))}^{_grouped(part('m:sup'))}"
    if name == "m:sSub":
        return f"{_grouped(part('m:e'))}_{_grouped(part('m:sub'))}"
    if name == "m:sSubSup":
        return f"{_grouped(part('m:e'))}_{_grouped(part('m:sub'))}^{_grouped(part('m:sup'))}"
    if name == "m:rad":
        degree = part("m:deg")
        return f"√({degree}&{part('m:e')})" if degree else f"√{_grouped(part('m:e'))}"
    if name == "m:nary":
        sign = _property(element, "m:naryPr", "m:chr") or "∫"
        below, above = part("m:sub"), part("m:sup")
        limits = (f"_{_grouped(below)}" if below else "") + (f"^{_grouped(above)}" if above else "")
        return f"{sign}{limits} {part('m:e')}"
    if name == "m:func":
        return f"{part('m:fName')} {part('m:e')}"
    if name == "m:limLow":
        return f"{part('m:e')}_{_grouped(part('m:lim'))}"
    if name == "m:limUpp":
        return f"{part('m:e')}^{_grouped(part('m:lim'))}"
    if name == "m:d":
        begin = _property(element, "m:dPr", "m:begChr")
        end = _property(element, "m:dPr", "m:endChr")
        inner = "|".join(linear_math(inside) for inside in element if tag(inside) == "m:e")
        return f"{'(' if begin is None else begin}{inner}{')' if end is None else end}"
    if name == "m:m":
        rows = [
            "&".join(linear_math(cell) for cell in row if tag(cell) == "m:e") for row in element if tag(row) == "m:mr"
        ]
        return f"({'@'.join(rows)})"
    if name.endswith("Pr"):
        return ""
    return "".join(linear_math(inner) for inner in element)


def _grouped(text: str) -> str:
    """``text`` as one operand: in parentheses, unless it is a word or stands in a pair of its own already."""
    if len(text) < 2 or text.isalnum():
        return text
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if not depth:
            return text if position == len(text) - 1 else f"({text})"
    return f"({text})"


def _property(element: Element, *path: str) -> str | None:
    found = descend(element, *path)
    return None if found is None else attribute(found, "m:val")
