"""What lies on a slide: text, tables, diagrams and charts (ECMA-376 part 1, sections 19.3 and 21.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest

from rag_engine.ingestion.loaders.hidden_text import mark_hidden
from rag_engine.ingestion.loaders.list_numbers import number_text
from rag_engine.ingestion.loaders.office_math import linear_math
from rag_engine.ingestion.loaders.office_package import OfficePackage
from rag_engine.ingestion.loaders.office_text import OfficeWriter, clean
from rag_engine.ingestion.loaders.office_xml import Element, alternative, attribute, child, descend, tag, whole_number

_REPEATED = frozenset(("dt", "ftr", "hdr", "sldNum", "sldImg"))  # dates, footers and numbers, on each slide the same
_BODIES = frozenset(("body", "obj", ""))  # placeholders whose paragraphs are bullets unless they say otherwise
_NUMBERED = {"alphaLc": "lowerLetter", "alphaUc": "upperLetter", "romanLc": "lowerRoman", "romanUc": "upperRoman"}
_MOST_GAPS = 1000  # between the points of a series; beyond it they are told without the gaps


def shapes(tree: Element | None) -> Iterator[Element]:
    """Shapes, pictures and frames in the order of the XML, out of their groups."""
    pending = list(reversed(() if tree is None else tree))
    while pending:
        element = pending.pop()
        name = tag(element)
        if name in ("p:sp", "p:graphicFrame", "p:cxnSp"):
            yield element
        elif name == "p:grpSp":
            pending.extend(reversed(element))
        elif name == "mc:AlternateContent":
            pending.extend(reversed(alternative(element)))


def placeholder(shape: Element) -> str | None:
    """The kind of placeholder that a shape fills, ``""`` where it is any content, or None for a free shape."""
    found = descend(shape, "p:nvSpPr", "p:nvPr", "p:ph")
    return None if found is None else attribute(found, "type") or ""


class ShapeReader:
    """Writes the shapes of one slide; ``targets`` are the parts that it refers to (see ``OfficePackage.targets``)."""

    def __init__(
        self, writer: OfficeWriter, *, package: OfficePackage, targets: Mapping[str, tuple[str, str]], hidden: bool
    ) -> None:
        self._writer = writer
        self._package = package
        self._targets = targets
        self._hidden = hidden

    def words(self, shape: Element) -> str:
        """All text of a shape on one line."""
        return " ".join(" ".join(self._paragraph(paragraph) for paragraph in _paragraphs(shape)).split())

    def shows_text(self, shape: Element) -> bool:
        """Whether a shape says something that not every slide does."""
        return tag(shape) == "p:graphicFrame" or (placeholder(shape) not in _REPEATED and bool(self.words(shape)))

    def read(self, shape: Element, *, introduced_by: str = "") -> None:
        """Writes one shape, the first words behind ``introduced_by``."""
        if tag(shape) == "p:graphicFrame":
            self._frame(shape)
            return
        kind = placeholder(shape)
        if kind in _REPEATED:
            return
        bullets = kind in _BODIES and not introduced_by
        loose: list[str] = []
        count = 0
        for paragraph in _paragraphs(shape):
            text = self._paragraph(paragraph)
            if not text.strip():
                continue
            properties = child(paragraph, "a:pPr")
            label, count = _label(properties, bullets, count)
            if label is None:
                loose.append(introduced_by + text)
                introduced_by = ""
                continue
            self._close(loose)
            depth = 0 if properties is None else whole_number(attribute(properties, "lvl"), largest=8)
            self._writer.item(text, depth=depth, label=label)
        self._close(loose)

    def _close(self, lines: list[str]) -> None:
        self._writer.paragraph("\n".join(lines))
        lines.clear()

    def _paragraph(self, paragraph: Element) -> str:
        parts = []
        for run in paragraph:
            name = tag(run)
            if name in ("a:r", "a:fld"):
                text = child(run, "a:t")
                parts.append("" if text is None else clean(text.text or ""))
            elif name == "a:br":
                parts.append("\n")
            elif name not in ("a:pPr", "a:endParaRPr"):
                parts.append(clean(linear_math(_chosen(run))))
        text = "".join(parts)
        return mark_hidden(text) if self._hidden else text

    def _frame(self, frame: Element) -> None:
        data = descend(frame, "a:graphic", "a:graphicData")
        for content in () if data is None else data:
            name = tag(content)
            if name == "a:tbl":
                self._table(content)
            elif name == "dgm:relIds":
                self._diagram(self._part(content, "r:dm"))
            elif name == "c:chart":
                self._chart(self._part(content, "r:id"))

    def _part(self, element: Element, reference: str) -> Element | None:
        _, path = self._targets.get(attribute(element, reference) or "", ("", ""))
        return self._package.part(path) if path else None

    def _table(self, table: Element) -> None:
        properties = child(table, "a:tblPr")
        declared = properties is not None and attribute(properties, "firstRow") in ("1", "true")
        records: list[list[str]] = []
        for row in table:
            if tag(row) != "a:tr":
                continue
            record: list[str] = []
            for number, cell in enumerate(inner for inner in row if tag(inner) == "a:tc"):
                text = " ".join(self._paragraph(paragraph) for paragraph in _paragraphs(cell))
                if attribute(cell, "vMerge") in ("1", "true") and records and number < len(records[-1]):
                    text = records[-1][number]
                elif attribute(cell, "hMerge") in ("1", "true") and not records and record:
                    text = record[-1]
                record.append(text)
            records.append(record)
        # Nearly every table says that its first row is one of headings; one whose cells say nothing is not.
        self._writer.table(records, 1 if declared and records and all(map(str.strip, records[0][1:])) else None)

    def _diagram(self, model: Element | None) -> None:
        points = child(model, "dgm:ptLst") if model is not None else None
        for point in () if points is None else points:
            if tag(point) == "dgm:pt" and attribute(point, "type") in (None, "node", "asst"):
                self._writer.item(" ".join(self._paragraph(paragraph) for paragraph in _paragraphs(point)))

    def _chart(self, space: Element | None) -> None:
        """A chart as the table that it draws: a row a category, a column a series."""
        if space is None:
            return
        title = next((element for element in space.iter() if tag(element) == "c:title"), None)
        if title is not None:
            words = [self._paragraph(paragraph) for paragraph in title.iter() if tag(paragraph) == "a:p"]
            self._writer.paragraph(" ".join(words))
        names: list[str] = [""]
        columns: list[list[str]] = []
        for series in (element for element in space.iter() if tag(element) == "c:ser"):
            categories = _points(child(series, "c:cat"), child(series, "c:xVal"))
            columns = columns or [categories]
            names.append(" ".join(_points(child(series, "c:tx"))) or f"series {len(names)}")
            columns.append(_points(child(series, "c:val"), child(series, "c:yVal")))
        if columns:
            names[0] = "category"
            self._writer.table([names, *map(list, zip_longest(*columns, fillvalue=""))], 1)


def _label(properties: Element | None, bullets: bool, count: int) -> tuple[str | None, int]:
    """The sign before a paragraph, None where it is no item, and how many numbered ones there were."""
    kinds = {tag(inner): inner for inner in (() if properties is None else properties)}
    if "a:buAutoNum" in kinds:
        scheme = attribute(kinds["a:buAutoNum"], "type") or ""
        number = number_text(count + 1, next((ours for theirs, ours in _NUMBERED.items() if theirs in scheme), ""))
        return f"{number}{')' if 'Paren' in scheme else '.'}", count + 1
    if "a:buChar" in kinds or "a:buBlip" in kinds:
        return "-", 0
    return (None if "a:buNone" in kinds or not bullets else "-"), 0


def _paragraphs(holder: Element) -> Iterator[Element]:
    for body in holder:
        if tag(body) in ("p:txBody", "a:txBody", "dgm:t"):
            yield from (paragraph for paragraph in body if tag(paragraph) == "a:p")


def _chosen(element: Element) -> Element | None:
    return child(element, "mc:Choice") if tag(element) == "mc:AlternateContent" else element


def _points(*holders: Element | None) -> list[str]:
    """The cached values of the first of these that is there, by their index."""
    values: dict[int, str] = {}
    for holder in holders:
        if holder is None:
            continue
        for point in (element for element in holder.iter() if tag(element) == "c:pt"):
            value = child(point, "c:v")
            index = whole_number(attribute(point, "idx"), len(values))
            values[index] = "" if value is None else clean(value.text or "")
        break
    if max(values, default=0) > len(values) + _MOST_GAPS:
        return list(values.values())
    return [values.get(index, "") for index in range(max(values, default=-1) + 1)]
