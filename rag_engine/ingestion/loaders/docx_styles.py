"""What a Word document's styles make of a paragraph: a heading, an item of a list, hidden text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag_engine.ingestion.loaders.office_package import switched_on
from rag_engine.ingestion.loaders.office_xml import Element, attribute, child, children, descend, whole_number

BODY_TEXT = 9  # the outline level that is none (ECMA-376 part 1, section 17.3.1.20)
_DEEPEST_CHAIN = 16
# Word keeps English names for its own styles whatever its language; other programs write those of theirs.
_HEADING_NAME = re.compile(
    r"(?:heading|überschrift|titre|título|titulo|titolo|kop|rubrik|overskrift|otsikko|nagłówek|nadpis|címsor|"
    r"заголовок|başlık|επικεφαλίδα|标题|標題|見出し|제목)\s*([1-9])"
)
_TITLE_NAMES = frozenset(("title", "titel", "titre", "título", "titolo", "заголовок", "标题", "表題", "제목"))


@dataclass(frozen=True, slots=True)
class _Style:
    name: str
    based_on: str
    outline: int | None
    numbering: tuple[str, int] | None
    hidden: bool


class Styles:
    """The styles of ``styles.xml``; without them nothing is a heading but what says its outline level itself."""

    def __init__(self, root: Element | None) -> None:
        # Read when they are first asked for: Word writes hundreds of which a document uses ten.
        self._unread = {attribute(style, "w:styleId") or "": style for style in children(root, "w:style")}
        self._styles: dict[str, _Style] = {}
        self._hiding: dict[str, bool] = {}
        language = descend(root, "w:docDefaults", "w:rPrDefault", "w:rPr", "w:lang")
        self.language = None if language is None else attribute(language, "w:val")

    def heading_level(self, properties: Element | None) -> int:
        """The level from 1 of a paragraph with these ``w:pPr``, or 0 where it is no heading."""
        outline = child(properties, "w:outlineLvl") if properties is not None else None
        level = None if outline is None else whole_number(attribute(outline, "w:val"), BODY_TEXT)
        for style in self._chain(_style_of(properties, "w:pStyle")):
            if level is not None:
                break
            level = style.outline
            match = _HEADING_NAME.fullmatch(style.name)
            if level is None and match:
                level = int(match[1]) - 1
            if level is None and style.name in _TITLE_NAMES:
                level = 0
        return 0 if level is None or level >= BODY_TEXT else level + 1

    def is_title(self, properties: Element | None) -> bool:
        """Whether the paragraph's style is the one for the document's title."""
        return any(style.name in _TITLE_NAMES for style in self._chain(_style_of(properties, "w:pStyle")))

    def numbering(self, properties: Element | None) -> tuple[str, int] | None:
        """Id of the numbering and level from 0 of a paragraph that is an item, its style's where it says none."""
        own = _numbering(properties)
        for style in self._chain(_style_of(properties, "w:pStyle")):
            if own is not None and own[0]:
                break
            if style.numbering is not None:
                own = (style.numbering[0], own[1] if own else style.numbering[1])
        return own if own and own[0] not in ("", "0") else None

    def hides(self, run_properties: Element | None, paragraph_properties: Element | None) -> bool:
        """Whether a run is not shown: by itself, or by the style of its characters or of its paragraph."""
        own = child(run_properties, "w:vanish") if run_properties is not None else None
        if own is not None:
            return switched_on(own)
        return self._hidden(_style_of(run_properties, "w:rStyle")) or self._hidden(
            _style_of(paragraph_properties, "w:pStyle")
        )

    def _hidden(self, identifier: str) -> bool:
        if identifier not in self._hiding:
            self._hiding[identifier] = any(style.hidden for style in self._chain(identifier))
        return self._hiding[identifier]

    def _chain(self, identifier: str) -> Iterator[_Style]:
        """A style and those it is based on; no further where they go round in a circle."""
        for _ in range(_DEEPEST_CHAIN):
            unread = self._unread.pop(identifier, None)
            if unread is not None:
                self._styles[identifier] = _read(unread)
            style = self._styles.get(identifier)
            if style is None:
                return
            yield style
            identifier = style.based_on


def _read(style: Element) -> _Style:
    name, based_on = child(style, "w:name"), child(style, "w:basedOn")
    outline = descend(style, "w:pPr", "w:outlineLvl")
    return _Style(
        name=("" if name is None else attribute(name, "w:val") or "").strip().lower(),
        based_on="" if based_on is None else attribute(based_on, "w:val") or "",
        outline=None if outline is None else whole_number(attribute(outline, "w:val"), BODY_TEXT),
        numbering=_numbering(child(style, "w:pPr")),
        hidden=switched_on(descend(style, "w:rPr", "w:vanish")),
    )


def _style_of(properties: Element | None, kind: str) -> str:
    style = child(properties, kind) if properties is not None else None
    return "" if style is None else attribute(style, "w:val") or ""


def _numbering(properties: Element | None) -> tuple[str, int] | None:
    numbering = child(properties, "w:numPr") if properties is not None else None
    if numbering is None:
        return None
    number, level = child(numbering, "w:numId"), child(numbering, "w:ilvl")
    return (
        "" if number is None else attribute(number, "w:val") or "",
        0 if level is None else whole_number(attribute(level, "w:val"), largest=8),
    )
