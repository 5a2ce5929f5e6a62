"""Writes what an HTML page shows, element by element, as blocks of text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING

from rag_engine.ingestion.loaders.canonical_text import TextBuilder
from rag_engine.ingestion.loaders.encoding import canonical
from rag_engine.ingestion.loaders.hidden_text import mark_hidden, without_marks
from rag_engine.ingestion.loaders.html_table import TableRows
from rag_engine.types.document import BlockKind

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LISTS = frozenset({"ul", "ol", "menu", "dir"})
_BREAKING = _LISTS | {
    *("address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog"),
    *("div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup", "hr"),
    *("html", "legend", "li", "main", "nav", "optgroup", "p", "search", "section", "summary", "table"),
    *("tbody", "td", "tfoot", "th", "thead", "tr"),
}
_SPACE = re.compile(r"[ \t\n\f\r\xa0]+")
_AROUND_BREAK = re.compile(r" *\n *")
_EMPTY_LINES = re.compile(r"\n{2,}")
_DEEPEST_INDENT = 12
_ANCHORS = " \u200b\xb6"  # what Sphinx and Docusaurus put behind a heading, to link to it


class ContentWriter:
    """Collects inline text and closes it into a block wherever the page breaks a line.

    The outermost list, data table or preformatted element takes everything inside it into one block.
    """

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._inline: list[str] = []
        self._lines: list[str] = []
        self._table = TableRows()
        self._cell: tuple[str, Mapping[str, str | None]] | None = None
        self._list_depth = 0
        self._table_depth = 0
        self._layout: list[bool] = []
        self._preformatted = 0
        self._prefix = ""

    def enter(self, tag: str, node: LexborNode) -> None:
        """An element begins."""
        if tag == "br":
            self._inline.append("\n")
        elif tag == "table":
            self._enter_table(node)
        elif tag == "pre":
            if self._inside():
                self._inline.append("\n")
            else:
                self._close()
            self._preformatted += 1
        elif self._table_depth:
            self._enter_in_table(tag, node)
        elif tag in _LISTS:
            self._close()
            self._list_depth += 1
        elif self._list_depth:
            if tag == "li":
                self._close()
                self._prefix = "  " * min(self._list_depth - 1, _DEEPEST_INDENT) + "- "
            elif tag in _BREAKING or tag in _HEADINGS:
                self._inline.append(" ")
        elif tag in _BREAKING or tag in _HEADINGS:
            self._close()

    def leave(self, tag: str) -> None:
        """An element ends."""
        if tag == "pre":
            self._preformatted -= 1
            if self._inside():
                self._inline.append("\n")
            elif not self._preformatted:
                self._close_preformatted()
        elif tag == "table":
            self._leave_table()
        elif self._table_depth:
            self._leave_in_table(tag)
        elif tag in _LISTS:
            self._close()
            self._list_depth -= 1
            if not self._list_depth:
                self._builder.add_lines(BlockKind.LIST, self._lines)
                self._lines.clear()
        elif self._list_depth:
            if tag == "li":
                self._close()
            elif tag in _BREAKING or tag in _HEADINGS:
                self._inline.append(" ")
        elif tag in _HEADINGS:
            self._close_heading(_HEADINGS[tag])
        elif tag in _BREAKING:
            self._close()

    def write(self, text: str, *, hidden: bool = False) -> None:
        """Characters between elements; ``hidden`` ones stand where a reader of the page does not see them."""
        text = without_marks(canonical(text))
        text = text if self._preformatted else _SPACE.sub(" ", text)
        self._inline.append(mark_hidden(text) if hidden else text)

    def finish(self) -> None:
        """The page ends."""
        self._close()

    def _inside(self) -> bool:
        return bool(self._table_depth or self._list_depth)

    def _take(self) -> str:
        text = "".join(self._inline)
        self._inline.clear()
        return text

    def _take_collapsed(self) -> str:
        return _AROUND_BREAK.sub("\n", re.sub("[ \t]+", " ", self._take())).strip()

    def _take_line(self) -> str:
        return " ".join(self._take_collapsed().split())

    def _close(self) -> None:
        """Closes a paragraph, or a list's item; two line breaks in a row part paragraphs."""
        if self._list_depth:
            text = _EMPTY_LINES.sub("\n", self._take_collapsed())
            if text:
                self._lines.append(self._prefix + text)
                self._prefix = " " * len(self._prefix)
            return
        for paragraph in _EMPTY_LINES.split(self._take_collapsed()):
            if paragraph:
                self._builder.add(BlockKind.PARAGRAPH, paragraph)

    def _close_heading(self, level: int) -> None:
        title = self._take_line().rstrip(_ANCHORS)
        if title:
            self._builder.add(BlockKind.HEADING, title, level=level, title=title)

    def _close_preformatted(self) -> None:
        text = self._take().strip("\n").rstrip()
        if text.strip():
            self._builder.add(BlockKind.CODE, text)

    def _enter_table(self, node: LexborNode) -> None:
        """A table that lays out a page (it holds tables, or headings and no header cells) only breaks lines."""
        layout = not self._inside() and (
            _holds(node, "table") or (_holds(node, "h1, h2, h3, h4, h5, h6, pre") and not _holds(node, "th"))
        )
        self._layout.append(layout)
        if layout or not self._inside():
            self._close()
        else:
            self._inline.append(" ")
        if not layout and not self._list_depth:
            self._table_depth += 1
            if self._table_depth == 1:
                self._table = TableRows()

    def _leave_table(self) -> None:
        layout = self._layout.pop()
        if layout:
            self._close()
            return
        self._inline.append(" ")
        if self._list_depth:
            return
        if self._table_depth == 1:
            self._close_cell()
            self._builder.add_lines(BlockKind.TABLE, chain(self._lines, self._table.lines()))
            self._lines.clear()
        self._table_depth -= 1

    def _enter_in_table(self, tag: str, node: LexborNode) -> None:
        if self._table_depth > 1:
            pass
        elif tag in ("td", "th"):
            self._close_cell()
            self._cell = (tag, node.attributes)
        elif tag == "thead":
            self._table.begin_head()
        if tag in _BREAKING or tag in _HEADINGS:
            self._inline.append(" ")

    def _leave_in_table(self, tag: str) -> None:
        if self._table_depth > 1:
            pass
        elif tag in ("td", "th"):
            self._close_cell()
        elif tag == "tr":
            self._close_cell()
            self._table.end_row()
        elif tag == "thead":
            self._table.begin_head(begins=False)
        elif tag == "caption" and (title := self._take_line()):
            self._lines.append(title)
        if tag in _BREAKING or tag in _HEADINGS:
            self._inline.append(" ")

    def _close_cell(self) -> None:
        """Closes the cell at hand; what stands beside the cells, where the parser lets it, is one too."""
        tag, attributes = self._cell or ("", {})
        text = self._take_line()
        if text or self._cell:
            self._table.add_cell(text, tag=tag, attributes=attributes)
        self._cell = None


def _holds(node: LexborNode, selector: str) -> bool:
    """Whether anything below ``node`` matches; the node itself, which lexbor would count, does not."""
    child = node.first_child
    while child is not None:
        if child.is_element_node and child.css_first(selector) is not None:
            return True
        child = child.next
    return False
