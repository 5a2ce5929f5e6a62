"""What the styles of an OpenDocument file make of its text: a title, hidden words, the numbers of a list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rag_engine.ingestion.loaders.list_numbers import number_text
from rag_engine.ingestion.loaders.office_xml import Element, attribute, child, tag, whole_number

_DEEPEST_CHAIN = 16
_FORMATS = {"1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}


@dataclass(frozen=True, slots=True)
class ListLevel:
    """How one level of a list is numbered; ``number_format`` is empty for bullets."""

    number_format: str = ""
    prefix: str = ""
    suffix: str = ""
    start: int = 1
    levels_shown: int = 1


@dataclass(frozen=True, slots=True)
class _Style:
    parent: str
    hidden: bool | None


class OpenDocumentStyles:
    """The styles of ``content.xml`` and ``styles.xml``; either may be missing."""

    def __init__(self, *roots: Element | None) -> None:
        self.language = ""
        self._styles: dict[tuple[str, str], _Style] = {}
        self._lists: dict[str, dict[int, ListLevel]] = {}
        for group in (group for root in roots if root is not None for group in root):
            if tag(group) not in ("office:automatic-styles", "office:styles"):
                continue
            for style in group:
                self._add(style)

    def is_title(self, paragraph_style: str) -> bool:
        """Whether a paragraph of this style is the document's title."""
        return "Title" in self._names("paragraph", paragraph_style)

    def hides(self, family: str, style: str) -> bool:
        """Whether text of this style, of the family ``text`` or ``paragraph``, is not shown."""
        for name in self._names(family, style):
            found = self._styles.get((family, name))
            if found and found.hidden is not None:
                return found.hidden
        return False

    def list_level(self, style: str, depth: int) -> ListLevel:
        """The level ``depth``, from 0, of a list style; bullets where it says nothing."""
        return self._lists.get(style, {}).get(depth, ListLevel())

    def _names(self, family: str, name: str) -> Iterator[str]:
        """A style's name and those of the styles it is based on."""
        for _ in range(_DEEPEST_CHAIN):
            if not name:
                return
            yield name
            found = self._styles.get((family, name))
            name = found.parent if found else ""

    def _add(self, style: Element) -> None:
        kind, name = tag(style), attribute(style, "style:name") or ""
        if kind == "text:list-style":
            self._lists[name] = {whole_number(attribute(level, "text:level"), 1) - 1: _level(level) for level in style}
            return
        properties = child(style, "style:text-properties")
        if kind == "style:default-style" and attribute(style, "style:family") == "paragraph" and properties is not None:
            language, country = attribute(properties, "fo:language"), attribute(properties, "fo:country")
            if language and language not in ("none", "zxx"):
                self.language = f"{language}-{country}" if country and country != "none" else language
        elif kind == "style:style":
            display = None if properties is None else attribute(properties, "text:display")
            self._styles[attribute(style, "style:family") or "", name] = _Style(
                attribute(style, "style:parent-style-name") or "", None if display is None else display == "none"
            )


def _level(level: Element) -> ListLevel:
    if tag(level) != "text:list-level-style-number":
        return ListLevel()
    return ListLevel(
        number_format=_FORMATS.get(attribute(level, "style:num-format") or "", ""),
        prefix=attribute(level, "style:num-prefix") or "",
        suffix=attribute(level, "style:num-suffix") or "",
        start=whole_number(attribute(level, "text:start-value"), 1),
        levels_shown=max(1, whole_number(attribute(level, "text:display-levels"), 1, largest=10)),
    )


class ListNumbers:
    """Counts the items of one list and of the lists within it."""

    def __init__(self, styles: OpenDocumentStyles, style: str) -> None:
        self._styles = styles
        self._style = style
        self._counts: dict[int, int] = {}

    def label(self, depth: int, start: str | None) -> str:
        """The next item's number at this depth from 0, ``start`` where the item says one, or a dash."""
        level = self._styles.list_level(self._style, depth)
        before = self._counts.get(depth, level.start - 1)
        self._counts[depth] = whole_number(start, before + 1)
        if not level.number_format:
            return "-"
        numbers = []
        for shown in range(max(0, depth + 1 - level.levels_shown), depth + 1):
            number_format = self._styles.list_level(self._style, shown).number_format
            if number_format:
                numbers.append(number_text(self._counts.get(shown, 1), number_format))
        return f"{level.prefix}{'.'.join(numbers)}{level.suffix}".strip()

    def leave(self, depth: int) -> None:
        """A list at this depth ends; the next one there counts from the start."""
        self._counts = {at: count for at, count in self._counts.items() if at < depth}
