"""Walks the content of an OpenDocument file in reading order (ISO 26300, version 1.3 part 3, sections 5 to 10)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rag_engine.errors import ParsingError
from rag_engine.ingestion.loaders.hidden_text import mark_hidden
from rag_engine.ingestion.loaders.office_text import OfficeWriter, clean
from rag_engine.ingestion.loaders.office_xml import Element, attribute, child, tag, whole_number
from rag_engine.ingestion.loaders.opendocument_package import OpenDocumentPackage
from rag_engine.ingestion.loaders.opendocument_styles import ListNumbers, OpenDocumentStyles

_PARAGRAPHS = ("text:p", "text:h")
# Deleted text, comments, and what is there for programs.
_LEFT_OUT = frozenset(
    ("text:tracked-changes", "office:annotation", "text:ruby-text", "text:script", "svg:title", "svg:desc")
) | frozenset(("text:sequence-decls", "text:variable-decls", "text:user-field-decls", "office:forms"))
_WIDEST_TABLE = 1024  # columns
_MOST_SPACES = 100
_ROWS = ("table:table-header-rows", "table:table-rows", "table:table-row-group")
_LISTED = ("text:list-item", "text:list-header")


class ContentReader:
    """Writes paragraphs, lists, tables and frames; notes and frames follow the block in which they are anchored."""

    def __init__(self, writer: OfficeWriter, *, styles: OpenDocumentStyles, package: OpenDocumentPackage) -> None:
        self.title = ""  # the words of the first paragraph in the style for titles
        self._writer = writer
        self._styles = styles
        self._package = package
        self._lists: dict[str, ListNumbers] = {}  # the last of each style
        self._notes_met = 0
        self._anchored: list[Element] = []
        self._pending_notes: list[tuple[str, Element]] = []

    def read(self, container: Iterable[Element]) -> None:
        """Everything in a body, a section, a frame or a cell."""
        for element in container:
            name = tag(element)
            if name in _PARAGRAPHS:
                self._paragraph(element)
            elif name == "text:list":
                self._list(element)
            elif name == "table:table":
                self._table(element)
            elif name not in _LEFT_OUT:
                self.read(element)  # sections, indexes, frames, groups and shapes
            self._flush()

    def words(self, container: Element) -> str:
        """All text of a shape on one line."""
        around, self._anchored = self._anchored, []
        pending: list[Element] = [container]
        found: list[str] = []
        while pending:
            found += map(self._text, _paragraphs(pending.pop()))
            pending.extend(reversed(self._anchored))  # frames and lists within the words are among them
            self._anchored.clear()
        self._anchored = around
        return " ".join(" ".join(found).split())

    def _paragraph(self, paragraph: Element) -> None:
        text = self._text(paragraph)
        style = attribute(paragraph, "text:style-name") or ""
        if tag(paragraph) == "text:h":
            self._writer.heading(text, whole_number(attribute(paragraph, "text:outline-level"), 1))
        elif self._styles.is_title(style):
            self.title = self.title or " ".join(text.split())
            self._writer.heading(text, 1)
        else:
            self._writer.paragraph(text)

    def _flush(self) -> None:
        while self._anchored or self._pending_notes:
            notes, self._pending_notes = self._pending_notes, []
            frames, self._anchored = self._anchored, []
            for marker, note in notes:
                words = map(self._text, _paragraphs(note))
                self._writer.paragraph(f"{marker} {' '.join(' '.join(words).split())}")
            for frame in frames:
                self.read([frame])

    def _list(self, element: Element, depth: int = 0, numbers: ListNumbers | None = None) -> None:
        if numbers is None:
            numbers = self._numbers_of(element)
        for item in element:
            if tag(item) not in _LISTED:
                continue
            label: str | None = None
            for inner in item:
                name = tag(inner)
                if name == "text:list":
                    self._list(inner, depth + 1, numbers)
                elif name == "text:h":
                    self._paragraph(inner)
                elif name == "text:p":
                    text = self._text(inner)
                    if not text.strip():
                        continue
                    if label is None and tag(item) == "text:list-item":
                        label = numbers.label(depth, attribute(item, "text:start-value"))
                        self._writer.item(text, depth=depth, label=label)
                    else:
                        self._writer.item(text, depth=depth + 1, label="")
                else:
                    self.read([inner])
        if depth:
            numbers.leave(depth)

    def _numbers_of(self, element: Element) -> ListNumbers:
        """The numbers of a list, which may go on where another of its style ended."""
        style = attribute(element, "text:style-name") or ""
        if attribute(element, "text:continue-numbering") != "true" or style not in self._lists:
            self._lists[style] = ListNumbers(self._styles, style)
        return self._lists[style]

    def _text(self, paragraph: Element) -> str:
        hidden = self._styles.hides("paragraph", attribute(paragraph, "text:style-name") or "")
        parts: list[str] = []
        # Text stands in elements and behind them: what is pending is either.
        pending: list[tuple[Element | str, bool]] = [*_inside(paragraph, hidden)]
        while pending:
            element, hidden = pending.pop()
            if isinstance(element, str):
                text = clean(element).replace("\n", " ")  # a line break in the file is a space (part 3, section 6.1.2)
                parts.append(mark_hidden(text) if hidden else text)
                continue
            name = tag(element)
            if name == "text:s":
                parts.append(" " * whole_number(attribute(element, "text:c"), 1, largest=_MOST_SPACES))
            elif name == "text:tab":
                parts.append("\t")
            elif name == "text:line-break":
                parts.append("\n")
            elif name == "text:note":
                parts.append(self._note(element))
            elif name == "draw:object":
                parts.append(self._formula(element))
            elif name in ("draw:text-box", "table:table", "text:list"):
                self._anchored.append(element)
            elif name in _PARAGRAPHS:
                parts.append(" ")
                pending.extend(_inside(element, hidden))
            elif name not in _LEFT_OUT:
                hidden = hidden or name in ("text:hidden-text", "text:hidden-paragraph")
                hidden = hidden or self._styles.hides("text", attribute(element, "text:style-name") or "")
                pending.extend(_inside(element, hidden))
        return "".join(parts)

    def _note(self, note: Element) -> str:
        body = child(note, "text:note-body")
        if body is None:
            return ""
        self._notes_met += 1
        marker = f"[{self._notes_met}]"
        self._pending_notes.append((marker, body))
        return marker

    def _formula(self, element: Element) -> str:
        """An embedded formula (MathML) as its author typed it, else its signs in a row."""
        href = next((value for key, value in element.attrib.items() if key.endswith("}href")), "")
        try:
            root = self._package.part(f"{href.removeprefix('./').rstrip('/')}/content.xml")
        except ParsingError:
            root = None
        if root is None or not str(root.tag).endswith("}math"):
            return ""
        typed = next((inner for inner in root.iter() if str(inner.tag).endswith("}annotation")), None)
        return clean(" ".join("".join(root.itertext() if typed is None else typed.itertext()).split()))

    def _table(self, table: Element) -> None:
        rows = list(_rows(table, in_header=False))
        cells = [list(row) for row, _ in rows]
        if max((len(row) for row in cells), default=0) < 2 or any(
            tag(inner) == "table:table" for row in cells for cell in row for inner in cell.iter()
        ):
            for row in cells:
                for cell in row:
                    self.read(cell)
            return
        self._writer.table(list(self._records(cells)), sum(in_header for _, in_header in rows) or None)

    def _records(self, rows: list[list[Element]]) -> Iterator[list[str]]:
        """Cells as text; one over several rows says its text in each, in the first row also in each column."""
        above: dict[int, tuple[int, str]] = {}
        for number, row in enumerate(rows):
            record: list[str] = []
            beside = ""
            for cell in row:
                column = len(record)
                repeated = whole_number(attribute(cell, "table:number-columns-repeated"), 1)
                repeated = max(1, min(repeated, _WIDEST_TABLE - column))
                if tag(cell) == "table:covered-table-cell":
                    for covered in range(column, column + repeated):
                        left, text = above.get(covered, (0, ""))
                        above[covered] = (left - 1, text)
                        record.append(text if left > 0 else beside if not number else "")
                    continue
                if tag(cell) != "table:table-cell":
                    continue
                text = " ".join(self.words(cell).split())
                spanned = whole_number(attribute(cell, "table:number-rows-spanned"), 1)
                above[column] = (spanned - 1, text)
                wide = whole_number(attribute(cell, "table:number-columns-spanned"), 1)
                beside = text if 1 < wide < len(row) else ""
                record.extend([text] * repeated)
            yield record


def _inside(element: Element, hidden: bool) -> list[tuple[Element | str, bool]]:
    """Text and elements within an element, last first."""
    found: list[tuple[Element | str, bool]] = [(element.text, hidden)] if element.text else []
    for inner in element:
        found.append((inner, hidden))
        if inner.tail:
            found.append((inner.tail, hidden))
    found.reverse()
    return found


def _paragraphs(container: Element) -> Iterator[Element]:
    """Paragraphs in order, without comments; what lies within a paragraph is found when its text is taken."""
    pending = [container]
    while pending:
        element = pending.pop()
        if tag(element) in _PARAGRAPHS:
            yield element
        elif tag(element) not in _LEFT_OUT:
            pending.extend(reversed(element))


def _rows(table: Element, *, in_header: bool) -> Iterator[tuple[Element, bool]]:
    for element in table:
        name = tag(element)
        if name == "table:table-row":
            yield element, in_header
        elif name in _ROWS:
            yield from _rows(element, in_header=in_header or name == "table:table-header-rows")
