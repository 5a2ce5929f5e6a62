"""Characters that a reader of the page does not see: marked while a text is written, found again when it is whole."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

from rag_engine.types.document import Block, Document, JsonValue, Page

# Noncharacters (Unicode 16.0, section 23.7), which no text exchanged between programs holds.
_BEGIN = "\ufdd0"
_END = "\ufdd1"
_MARKS = re.compile(f"[{_BEGIN}{_END}]")


def mark_hidden(text: str) -> str:
    """``text`` with marks around all that is not white space at its ends."""
    words = text.strip()
    return text.replace(words, f"{_BEGIN}{words}{_END}", 1) if words else text


def without_marks(text: str) -> str:
    """``text`` as no file can pretend to hold marks."""
    return _MARKS.sub("\ufffd", text) if not text.isascii() else text


def hidden_spans(document: Document) -> list[list[int]]:
    """The spans that a loader found to be hidden, as its document's metadata say them."""
    return document.metadata.get("hidden_text", [])  # type: ignore[return-value]


def with_marks(document: Document) -> str:
    """A document's text with marks around what it says is hidden: for one that becomes part of another."""
    parts, position = [], 0
    for start, end in hidden_spans(document):
        parts += [document.text[position:start], _BEGIN, document.text[start:end], _END]
        position = end
    return "".join((*parts, document.text[position:]))


def without_hidden(text: str) -> str:
    """``text`` without what lies between marks."""
    return re.sub(f"{_BEGIN}[^{_END}]*{_END}", "", text)


def take_marks(
    text: str, blocks: Sequence[Block], pages: Sequence[Page]
) -> tuple[str, tuple[Block, ...], tuple[Page, ...], list[JsonValue]]:
    """The text without its marks, what lies in it moved accordingly, and the hidden spans as ``[start, end]``.

    Spans are in characters, 0-based, end exclusive; those that touch are one.
    """
    marks = list(_MARKS.finditer(text))
    if not marks:
        return text, tuple(blocks), tuple(pages), []
    positions = [mark.start() for mark in marks]
    spans: list[JsonValue] = []
    last: list[JsonValue] = []
    depth = begin = 0
    for removed, mark in enumerate(marks):
        depth += 1 if mark[0] == _BEGIN else -1
        if mark[0] == _BEGIN and depth == 1:
            begin = mark.start() - removed
        elif mark[0] == _END and depth == 0:
            if last and last[1] == begin:
                last[1] = mark.start() - removed
            else:
                last = [begin, mark.start() - removed]
                spans.append(last)
    return (
        _MARKS.sub("", text),
        tuple(
            replace(
                block,
                start=_moved(positions, block.start),
                end=_moved(positions, block.end),
                title=_MARKS.sub("", block.title),
            )
            for block in blocks
        ),
        tuple(replace(page, start=_moved(positions, page.start), end=_moved(positions, page.end)) for page in pages),
        spans,
    )


def _moved(removed: Sequence[int], position: int) -> int:
    """Where ``position`` lies once the marks before it are gone."""
    return position - bisect_left(removed, position)
