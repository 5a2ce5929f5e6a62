"""Walks the body of a Word document in reading order (ECMA-376 part 1, section 17)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rag_engine.ingestion.loaders.docx_styles import Styles
from rag_engine.ingestion.loaders.hidden_text import mark_hidden
from rag_engine.ingestion.loaders.list_numbers import ListCounter
from rag_engine.ingestion.loaders.office_math import linear_math
from rag_engine.ingestion.loaders.office_package import switched_on
from rag_engine.ingestion.loaders.office_text import OfficeWriter, clean
from rag_engine.ingestion.loaders.office_xml import Element, alternative, attribute, child, descend, tag, whole_number

_CHARACTERS = {
    "w:tab": "\t",
    "w:ptab": "\t",
    "w:br": "\n",
    "w:cr": "\n",
    "w:noBreakHyphen": "-",
}
# Deleted and moved text, what Word works out for itself, and what is shown instead of something else.
_LEFT_OUT = frozenset(
    ("w:del", "w:moveFrom", "w:delText", "w:instrText", "w:delInstrText", "w:rPr", "w:pPr", "w:sdtPr", "w:rt")
)
_NOTES = ("w:footnoteReference", "w:endnoteReference")
_WIDEST_TABLE = 1024  # columns; Word allows 63
_BLOCKS = frozenset(("w:p", "w:tbl"))


class ContentReader:
    """Writes paragraphs, lists and tables; notes and text boxes follow the block in which they are anchored."""

    def __init__(
        self,
        writer: OfficeWriter,
        *,
        styles: Styles,
        numbering: ListCounter,
        footnotes: Mapping[str, Element],
        endnotes: Mapping[str, Element],
    ) -> None:
        self.title = ""  # the words of the first paragraph in the style for titles
        self._writer = writer
        self._styles = styles
        self._numbering = numbering
        self._notes = {"w:footnoteReference": dict(footnotes), "w:endnoteReference": dict(endnotes)}
        self._notes_met = 0
        self._anchored: list[Element] = []  # text boxes met in the block that is being read
        self._pending_notes: list[tuple[str, Element]] = []

    def read(self, container: Element | None) -> None:
        """Everything in a body, a text box or a cell."""
        for block in _blocks(container):
            if tag(block) == "w:p":
                self._paragraph(block)
            else:
                self._table(block)
            self._flush()

    def _paragraph(self, paragraph: Element) -> None:
        properties = child(paragraph, "w:pPr")
        text = self._text(paragraph, properties)
        if not text.strip():
            return
        item = self._styles.numbering(properties)
        label = self._numbering.label(*item) if item else ""
        level = self._styles.heading_level(properties)
        if level:
            if not self.title and self._styles.is_title(properties):
                self.title = " ".join(text.split())
            numbered = f"{label} {text}" if label and label != "-" else text
            self._writer.heading(numbered, level)
        elif item:
            self._writer.item(text, depth=item[1], label=label)
        else:
            self._writer.paragraph(text)

    def _flush(self) -> None:
        """Writes what was anchored in the block before: notes first, then text boxes, which may hold more of both."""
        while self._anchored or self._pending_notes:
            notes, self._pending_notes = self._pending_notes, []
            boxes, self._anchored = self._anchored, []
            for marker, note in notes:
                words = [self._text(paragraph, child(paragraph, "w:pPr")) for paragraph in _paragraphs(note)]
                self._writer.paragraph(f"{marker} {' '.join(' '.join(words).split())}")
            for box in boxes:
                self.read(box)

    def _text(self, paragraph: Element, properties: Element | None) -> str:
        parts: list[str] = []
        last_formula: str | None = None
        pending = [(element, False) for element in reversed(paragraph)]
        while pending:
            element, hidden = pending.pop()
            name = tag(element)
            if name in _LEFT_OUT:
                continue
            if name == "w:t":
                text = clean(element.text or "")
                parts.append(mark_hidden(text) if hidden else text)
            elif name in _NOTES:
                parts.append(self._note(name, attribute(element, "w:id") or ""))
            elif name in _CHARACTERS:
                parts.append(_CHARACTERS[name])
            elif name == "w:sym":
                parts.append(_symbol(element))
            elif name == "w:txbxContent":
                self._anchored.append(element)
            elif name in ("m:oMath", "m:oMathPara"):
                formula = clean(linear_math(element))
                parts.append(f" {formula}" if parts and parts[-1] == last_formula else formula)
                last_formula = parts[-1]
            elif name == "w:tbl":
                parts.append(" ")
                self._anchored.append(_Holder(element))
            elif name == "mc:AlternateContent":
                pending.extend((inner, hidden) for inner in reversed(alternative(element)))
            else:
                if name == "w:r":
                    hidden = self._styles.hides(child(element, "w:rPr"), properties)
                elif name == "w:p":
                    parts.append("\n")
                pending.extend((inner, hidden) for inner in reversed(element))
        return "".join(parts)

    def _note(self, kind: str, identifier: str) -> str:
        note = self._notes[kind].pop(identifier, None)  # popped: a note that refers to itself is read once
        if note is None:
            return ""
        self._notes_met += 1
        marker = f"[{self._notes_met}]"
        self._pending_notes.append((marker, note))
        return marker

    def _table(self, table: Element) -> None:
        rows = [row for row in _rows(table) if descend(row, "w:trPr", "w:del") is None]
        cells = [list(_cells(row)) for row in rows]
        if _is_layout(cells):
            for row in cells:
                for cell in row:
                    self.read(cell)
            return
        above: list[str] = []
        records: list[list[str]] = []
        for row, in_row in zip(rows, cells, strict=True):
            before = descend(row, "w:trPr", "w:gridBefore")
            skipped = 0 if before is None else whole_number(attribute(before, "w:val"), largest=_WIDEST_TABLE)
            record = [""] * skipped
            for cell in in_row:
                properties = child(cell, "w:tcPr")
                merge = child(properties, "w:vMerge") if properties is not None else None
                text = self._cell_text(cell)
                if merge is not None and attribute(merge, "w:val") != "restart" and len(record) < len(above):
                    text = text or above[len(record)]
                span = descend(properties, "w:gridSpan")
                width = 1 if span is None else max(1, whole_number(attribute(span, "w:val"), 1, largest=_WIDEST_TABLE))
                record.append(text)
                # A value over several columns stands in the first; a header's name is that of each of them.
                repeated = text if not records and len(in_row) > 1 else ""
                record.extend([repeated] * min(width - 1, _WIDEST_TABLE - len(record)))
            records.append(record)
            above = record
        declared = 0
        for row in rows:
            if not switched_on(descend(row, "w:trPr", "w:tblHeader")):
                break
            declared += 1
        self._writer.table(records, declared or None)

    def _cell_text(self, cell: Element) -> str:
        texts = []
        for paragraph in _paragraphs(cell):
            properties = child(paragraph, "w:pPr")
            text = self._text(paragraph, properties).strip()
            item = self._styles.numbering(properties) if text else None
            label = self._numbering.label(*item) if item else ""
            texts.append(f"{label} {text}" if label and label != "-" else text)
        return " ".join(text for text in texts if text)


class _Holder(list[Element]):
    """A table that stands where only text may, as the container of blocks that it would otherwise be in."""

    def __init__(self, block: Element) -> None:
        super().__init__((block,))


def _blocks(container: Element | None) -> Iterator[Element]:
    """Paragraphs and tables in order, out of content controls and kept insertions, deep as they may lie."""
    return _unwrapped(container, _BLOCKS)


def _paragraphs(container: Element) -> Iterator[Element]:
    return (block for block in _blocks(container) if tag(block) == "w:p")


def _rows(table: Element) -> Iterator[Element]:
    return _unwrapped(table, frozenset(("w:tr",)))


def _cells(row: Element) -> Iterator[Element]:
    return _unwrapped(row, frozenset(("w:tc",)))


def _unwrapped(container: Element | None, wanted: frozenset[str]) -> Iterator[Element]:
    pending = list(reversed(() if container is None else container))
    while pending:
        element = pending.pop()
        name = tag(element)
        if name in wanted:
            yield element
        elif name == "mc:AlternateContent":
            pending.extend(reversed(alternative(element)))
        elif name not in _LEFT_OUT and not name.endswith("Pr"):
            pending.extend(reversed(element))


def _is_layout(rows: list[list[Element]]) -> bool:
    """Whether a table only places what is in it: a single column, or cells that hold tables themselves."""
    if max(map(len, rows), default=0) < 2:
        return True
    return any(tag(block) == "w:tbl" for row in rows for cell in row for block in _blocks(cell))


def _symbol(element: Element) -> str:
    """A character given by its number; those of a symbol font's private area have no meaning outside it."""
    try:
        code = int(attribute(element, "w:char") or "", 16)
    except ValueError:
        return ""
    return clean(chr(code)) if 0x20 <= code < 0xD800 else ""
