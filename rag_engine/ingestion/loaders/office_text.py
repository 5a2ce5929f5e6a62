"""What every office format comes down to: headings, paragraphs, lists, tables and pages, written in reading order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from rag_engine.ingestion.loaders.canonical_text import TextBuilder, too_large
from rag_engine.ingestion.loaders.encoding import canonical
from rag_engine.ingestion.loaders.hidden_text import take_marks, without_hidden, without_marks
from rag_engine.ingestion.loaders.table_text import table_lines
from rag_engine.types.document import BlockKind, Document, JsonValue, Page, Truncation

_AROUND_BREAK = re.compile(r"[ \t\xa0]*\n\s*")
_SPACE = re.compile(r"[ \t\xa0]+")
_DEEPEST_INDENT = 12
_DEEPEST_HEADING = 9


def clean(text: str) -> str:
    """Characters of a file as documents hold them, none of which can be taken for a mark of ours."""
    return without_marks(canonical(text))


class OfficeWriter:
    """Writes a document block by block, with an empty line between blocks.

    Texts given to it have been through ``clean``, and may hold hidden text between the marks of ``mark_hidden``.
    Items of lists that follow each other become one block.
    """

    def __init__(self, *, name: str, max_characters: int) -> None:
        self._name = name
        self._builder = TextBuilder(name=name, max_characters=max_characters, separator="\n\n")
        self._items: list[str] = []
        self._items_length = 0
        self._max_characters = max_characters
        self._pages: list[int] = []  # each page's first block

    def heading(self, text: str, level: int) -> None:
        """A heading of ``level`` from 1; nothing where it has no words."""
        title = " ".join(text.split())
        if title:
            self._close_list()
            level = min(max(level, 1), _DEEPEST_HEADING)
            self._builder.add(BlockKind.HEADING, title, level=level, title=title)

    def paragraph(self, text: str, kind: BlockKind = BlockKind.PARAGRAPH) -> None:
        """A paragraph, whose line breaks are kept."""
        text = _tidy(text)
        if text:
            self._close_list()
            self._builder.add(kind, text)

    def item(self, text: str, *, depth: int = 0, label: str = "-") -> None:
        """An item of a list, ``depth`` lists deep, behind its number or dash."""
        text = _tidy(text)
        if text:
            indent = "  " * min(depth, _DEEPEST_INDENT)
            self._items.append(f"{indent}{label} {text}" if label else f"{indent}{text}")
            self._items_length += len(self._items[-1])
            if self._items_length > self._max_characters:
                raise too_large(self._name, self._max_characters)

    def table(self, records: Sequence[Sequence[str]], header_records: int | None = None) -> None:
        """A table of cells (see ``table_lines``)."""
        # A cell that spans many rows stays one string: copies of it could take any room.
        collapsed = {cell: " ".join(cell.split()) for record in records for cell in record}
        records = [[collapsed[cell] for cell in record] for record in records]
        self._close_list()
        self._builder.add_lines(BlockKind.TABLE, table_lines(records, header_records))

    def begin_page(self) -> None:
        """What follows stands on the next page."""
        self._close_list()
        self._pages.append(len(self._builder.blocks))

    @property
    def first_heading(self) -> str:
        """The words of the first of the highest headings, for a document that says no title."""
        headings = [block for block in self._builder.blocks if block.kind is BlockKind.HEADING]
        top = min((block.level for block in headings), default=0)
        return without_hidden(next((block.title for block in headings if block.level == top), ""))

    def document(
        self,
        *,
        title: str = "",
        metadata: dict[str, JsonValue] | None = None,
        truncations: tuple[Truncation, ...] = (),
    ) -> Document:
        """The document of all that was written.

        Raises:
            EmptySourceError: nothing was written.
            SourceTooLargeError: here or while writing.
        """
        self._close_list()
        text, blocks, pages, hidden = take_marks(self._builder.text(), self._builder.blocks, self._page_spans())
        metadata = dict(metadata or {})
        if hidden:
            metadata["hidden_text"] = hidden
        return Document(self._name, text, title, metadata, blocks, pages, truncations)

    def _page_spans(self) -> list[Page]:
        blocks = self._builder.blocks
        spans = []
        position = 0
        for number, (first, last) in enumerate(pairwise([*self._pages, len(blocks)]), 1):
            if first < last:
                spans.append(Page(number, blocks[first].start, blocks[last - 1].end))
                position = blocks[last - 1].end
            else:
                spans.append(Page(number, position, position))
        return spans

    def _close_list(self) -> None:
        if self._items:
            self._builder.add_lines(BlockKind.LIST, self._items)
            self._items.clear()
            self._items_length = 0


def _tidy(text: str) -> str:
    return _AROUND_BREAK.sub("\n", _SPACE.sub(" ", text)).strip()
