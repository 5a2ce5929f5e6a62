"""A PDF's outline (ISO 32000-1, section 12.3.3) as headings, where its entries stand on the pages they point to.

An entry is only a title and a destination. Where its words are found as whole lines of that page they become a
heading block with the page's own characters; an entry whose words are not there is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from rag_engine.ingestion.loaders.encoding import canonical
from rag_engine.types.document import Block, BlockKind, Page

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

_MOST_ENTRIES = 20_000  # the outline of a dictionary has fewer; a hostile one need not end
_LONGEST_TITLE = 500
_MOST_SEARCHED = 50_000_000  # characters, in all: about a second
# A section's number, which outlines leave out as often as not, and what stands between it and the words.
_NUMBER = r"(?:(?:chapter|section|part|appendix|§)[ \t]*)?(?:[0-9]+(?:\.[0-9]+)*|[ivxlc]+|[a-z])[.):]?\s+"


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """An entry of the outline: its words, its level from 1, and the page it points to, from 0."""

    title: str
    level: int
    page: int


def read_outline(pdf: PdfDocument) -> list[OutlineEntry]:
    """Entries that point to a page, in the outline's order."""
    entries = []
    for bookmark in islice(pdf.get_toc(), _MOST_ENTRIES):
        destination = bookmark.get_dest()
        page = destination.get_index() if destination else None
        title = " ".join(canonical(bookmark.get_title()).split())
        if page is not None and 0 < len(title) <= _LONGEST_TITLE:
            entries.append(OutlineEntry(title, bookmark.level + 1, page))
    return entries


def locate_headings(entries: Iterable[OutlineEntry], text: str, pages: Sequence[Page]) -> Iterator[Block]:
    """Heading blocks, in order and without overlap, for the entries whose words are lines of their page.

    An entry is looked for behind the one before it, so that of a page's title and its running head the first is
    taken. Capitals and line breaks do not matter; a number before the words belongs to the heading. An outline that
    takes too long to look for ends early.
    """
    position = searched = 0
    for entry in entries:
        if not 0 <= entry.page < len(pages):
            continue
        page = pages[entry.page]
        begin = max(page.start, position)
        searched += max(page.end - begin, 0)
        if searched > _MOST_SEARCHED:
            return
        words = r"\s+".join(map(re.escape, entry.title.split()))
        line = re.compile(rf"^[ \t]*((?:{_NUMBER})?{words})[ \t]*$", re.IGNORECASE | re.MULTILINE)
        found = line.search(text, begin, page.end) if begin < page.end else None
        if found:
            position = found.end(1)
            yield Block(BlockKind.HEADING, found.start(1), found.end(1), entry.level, entry.title)
