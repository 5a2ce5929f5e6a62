"""Walks through a page, HTML or XHTML, and hands what it shows to a writer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from rag_engine.errors import ParsingError
from rag_engine.ingestion.loaders.html_content import ContentWriter
from rag_engine.ingestion.loaders.html_furniture import NEVER_SHOWN, children, opens_section

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

    # Whether an element is left out, by itself, its attributes, and whether it lies in a section.
    LeavesOut = Callable[[LexborNode, Mapping[str, str | None], bool], bool]

_STYLE = re.compile(r"(?:^|;)\s*([\w-]+)\s*:\s*([^;]+)")
_NOTHING = re.compile(r"[-+]?0*\.?0*(?:[a-z]+|%)?")
_FAR_OUT = re.compile(r"-\s*\d{3,}")
_COLOURS = {"#fff": "white", "#ffffff": "white", "rgb(255,255,255)": "white", "#000": "black", "#000000": "black"}
# XML lets an element end where it begins, which HTML knows of none that may hold something (HTML standard, 13.1.2.1).
_EMPTY_ELEMENT = re.compile(r"""<([A-Za-z][\w:.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*/>""")
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
_DEEPEST = 10_000  # browsers stop at 512
# Blocks that may hold themselves: each that begins looks for an open paragraph among all that are open.
_BLOCK_TAG = re.compile(
    r"<(/?)(address|article|aside|blockquote|center|details|dialog|dir|div|dl|fieldset|figcaption|figure|footer|header|"
    r"hgroup|main|menu|nav|ol|pre|search|section|summary|table|ul)\b",
    re.IGNORECASE,
)
_XHTML = re.compile(r"\s*<\?xml\b|[^<]{0,200}<!DOCTYPE[^>]{0,200}XHTML|\s*<html[^>]{0,500}xmlns=", re.IGNORECASE)


def parse_page(source: str, *, name: str) -> LexborHTMLParser:
    """The page that a source is, in XHTML empty elements included, which HTML's parser does not know.

    Raises:
        ParsingError: elements lie deeper in each other than in any page: their parsing takes time by the square.
    """
    from selectolax.lexbor import LexborHTMLParser

    if _XHTML.match(source):
        source = _EMPTY_ELEMENT.sub(_opened_and_closed, source)
    if source.count("<") - 2 * source.count("</") > _DEEPEST and _left_open(source) > _DEEPEST:
        raise ParsingError(f"{name} is nested too deeply", hint="flatten it")
    return LexborHTMLParser(source)


def read_content(root: LexborNode, writer: ContentWriter, *, leaves_out: LeavesOut) -> None:
    """Writes all text below ``root`` that is not left out; what styles disguise is written as hidden."""
    # An explicit stack: pages nest deeper than the interpreter's.
    pending: list[tuple[LexborNode, bool, bool, bool]] = [(root, False, False, False)]
    while pending:
        node, leaving, in_section, hidden = pending.pop()
        if leaving:
            writer.leave(node.tag or "")
        elif node.is_text_node:
            writer.write(node.text_content or "", hidden=hidden)
        elif node.is_element_node:
            tag = node.tag or ""
            if tag in NEVER_SHOWN:
                continue
            attributes = node.attributes
            if leaves_out(node, attributes, in_section):
                continue
            writer.enter(tag, node)
            pending.append((node, True, in_section, hidden))
            in_section = in_section or opens_section(tag)
            hidden = hidden or is_disguised(attributes.get("style"))
            pending.extend((child, False, in_section, hidden) for child in reversed(list(children(node))))
    writer.finish()


def is_disguised(style: str | None) -> bool:
    """Whether a style shows text in a way that nobody can read: without size, transparent, off the page, or in its
    background's colour."""
    if not style:
        return False
    properties = {name: value.strip().replace(" ", "") for name, value in _STYLE.findall(style.lower())}
    background = _colour(properties.get("background-color", properties.get("background", "")))
    return (
        any(_NOTHING.fullmatch(properties.get(name) or "1") is not None for name in ("font-size", "opacity"))
        or any(_FAR_OUT.match(properties.get(name, "")) is not None for name in ("text-indent", "left", "top"))
        or (background != "" and background == _colour(properties.get("color", "")))
    )


def _left_open(source: str) -> int:
    """How many blocks begin that do not end."""
    balance: Counter[str] = Counter()
    for closing, tag in _BLOCK_TAG.findall(source):
        balance[tag.lower()] += -1 if closing else 1
    return sum(max(count, 0) for count in balance.values())


def _colour(written: str) -> str:
    return _COLOURS.get(written, written)


def _opened_and_closed(element: re.Match[str]) -> str:
    name, attributes = element.groups()
    return element[0] if name.lower() in _VOID else f"<{name}{attributes}></{name}>"
