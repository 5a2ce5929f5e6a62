"""The parts of a Word 97-2003 document ([MS-DOC]): its characters and what is known about each of them."""

from __future__ import annotations

import io
import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from rag_engine.errors import ParsingError
from rag_engine.ingestion.loaders.list_numbers import ListCounter
from rag_engine.ingestion.loaders.word_binary_formatting import PAGE_BYTES, FormattedRuns, modifiers_of
from rag_engine.ingestion.loaders.word_binary_lists import read_lists

_WORD = 0xA5  # the upper half of wIdent in all versions from 6 on
_WORD_97 = 0x00C1  # nFib, [MS-DOC] section 2.5.1; older documents have a shorter header
_ENCRYPTED, _COMPLEX, _TABLE_1 = 0x0100, 0x0004, 0x0200
_COUNTS = 76  # where the lengths of text, notes and the rest begin
_PLACES = 154  # where the pairs of offset and length begin
_STYLES, _CHARACTERS, _PARAGRAPHS, _PIECES = 1, 12, 13, 33
_NOTES = ((2, 3), (46, 47))  # references and texts of footnotes, then of endnotes
_LISTS = 73  # and behind it where they are used
_NO_LIST = 0x7FF  # and above: paragraphs of Word 6, and such as were taken out of a list
_MOST_PIECES = 1 << 20
_MOST_REPEATED = 4  # times that the bytes of a file may stand in its text: pieces can lie over each other
_CODE_PAGES = {0x01: 1256, 0x04: 936, 0x05: 1250, 0x08: 1253, 0x0D: 1255, 0x0E: 1250, 0x11: 932, 0x12: 949} | {
    0x15: 1250,
    0x18: 1250,
    0x19: 1251,
    0x1A: 1250,
    0x1B: 1250,
    0x1E: 874,
    0x1F: 1254,
    0x22: 1251,
    0x23: 1251,
}
# Property modifiers, [MS-DOC] section 2.6.
_IN_TABLE, _ROW_END, _OUTLINE, _LEVEL, _LIST = 0x2416, 0x2417, 0x2640, 0x260A, 0x460B
_DELETED, _HIDDEN = 0x0800, 0x083C


@dataclass(frozen=True, slots=True)
class Paragraph:
    """What is known of a paragraph: ``heading`` counts from 1, and 0 is none; ``listed`` is its list, if any, and
    ``level`` how deep in it, from 0."""

    heading: int = 0
    title: bool = False
    in_table: bool = False
    ends_row: bool = False
    listed: str = ""
    level: int = 0


class WordBinaryFile:
    """One document, as text with what is known about its characters; positions are in characters of ``text``.

    ``body``, ``boxes`` are the spans of the text and of text boxes; ``notes`` are the spans of foot- and endnotes by
    the position at which they are referred to. ``encrypted`` documents have no text before they are decrypted.
    """

    def __init__(self, data: bytes, *, name: str) -> None:
        """Raises ParsingError where the file is damaged."""
        import olefile

        try:
            with olefile.OleFileIO(io.BytesIO(data)) as file:
                self._main = file.openstream("WordDocument").read()
                version, flags = _versions(self._main)
                self.encrypted = bool(flags & _ENCRYPTED)
                self._table = b""
                self.notes: dict[int, tuple[int, int]] = {}
                self.text = ""
                self.body = self.boxes = (0, 0)
                self._styles: list[tuple[int, int]] = []
                self._paragraph_runs = self._character_runs = FormattedRuns()
                self._starts: list[int] = []
                self._pieces: list[tuple[int, int]] = []
                if self.encrypted:
                    return
                if version < _WORD_97:
                    self._read_old(flags)
                    return
                self._table = file.openstream("1Table" if flags & _TABLE_1 else "0Table").read()
            self._read()
        except (OSError, ValueError, LookupError, TypeError, AttributeError, struct.error) as error:
            raise ParsingError(f"{name} is a damaged Word document", hint="save it anew") from error

    def paragraph(self, position: int) -> Paragraph:
        """What is known of the paragraph that the character at ``position`` ends."""
        found = self._paragraph_runs.at(self._file_position(position))
        if len(found) < 2:
            return Paragraph()
        style = struct.unpack_from("<H", found)[0]
        modifiers = dict(modifiers_of(found[2:]))
        heading, title = self._heading(style)
        outline = modifiers.get(_OUTLINE)
        if outline is not None:
            heading = outline[0] + 1 if outline[0] < 9 else 0
        return Paragraph(
            heading=heading,
            title=title,
            in_table=bool(modifiers.get(_IN_TABLE, b"\0")[0]),
            ends_row=bool(modifiers.get(_ROW_END, b"\0")[0]),
            listed=_listed(modifiers.get(_LIST, b"\0\0")),
            level=min(modifiers.get(_LEVEL, b"\0")[0], 8),
        )

    def runs(self, start: int, end: int) -> Iterator[tuple[int, int, bool, bool]]:
        """Spans of characters alike within ``start`` to ``end``: whether they are hidden, and whether deleted."""
        position = start
        while position < end:
            piece = bisect_right(self._starts, position) - 1
            limit = min(end, self._starts[piece + 1] if piece + 1 < len(self._starts) else end)
            here = self._file_position(position)
            width = self._pieces[piece][1] if self._pieces else 1
            until = self._character_runs.end(here)
            if until is not None:
                limit = min(limit, position + max(1, (until - here) // width))
            modifiers = dict(modifiers_of(self._character_runs.at(here)))
            hidden, deleted = (bool(modifiers.get(code, b"\0")[0] & 1) for code in (_HIDDEN, _DELETED))
            yield position, limit, hidden, deleted
            position = limit

    def _file_position(self, position: int) -> int:
        if not self._pieces:
            return position
        piece = bisect_right(self._starts, position) - 1
        offset, width = self._pieces[piece]
        return offset + (position - self._starts[piece]) * width

    def lists(self) -> ListCounter:
        """The numbers of the document's lists; dashes where its tables are missing or damaged."""
        try:
            kinds, _, uses = struct.unpack_from("<3L", self._main, _PLACES + 8 * _LISTS)
            return read_lists(self._table, kinds=kinds, uses=uses) if uses else ListCounter({}, {})
        except (struct.error, IndexError, ValueError):
            return ListCounter({}, {})

    def _read_old(self, flags: int) -> None:
        """Word 6 and 95: the characters lie together, in the code page of the document's language."""
        begin, end = struct.unpack_from("<LL", self._main, 0x18)
        (length,) = struct.unpack_from("<L", self._main, 0x34)
        (language,) = struct.unpack_from("<H", self._main, 6)
        if flags & _COMPLEX:
            raise ValueError("saved in pieces")
        code_page = _CODE_PAGES.get(language & 0x3FF, 1252)
        self.text = self._main[begin : min(end, begin + length)].decode(f"cp{code_page}", "replace")
        self.body = (0, len(self.text))

    def _read(self) -> None:
        lengths = struct.unpack_from(
            "<3L4x4L", self._main, _COUNTS
        )  # text, footnotes, headers, comments, endnotes, boxes
        text, footnotes, headers, comments, endnotes, boxes, _ = lengths
        self.text = "".join(self._pieces_of_text())
        self.body = (0, min(text, len(self.text)))
        first_endnote = text + footnotes + headers + comments
        for (references, texts), begin in zip(_NOTES, (text, first_endnote), strict=True):
            self._read_notes(references, texts, begin)
        begin = first_endnote + endnotes
        self.boxes = (min(begin, len(self.text)), min(begin + boxes, len(self.text)))
        self._read_styles()
        self._paragraph_runs = FormattedRuns(self._pages(_PARAGRAPHS), bytes_each=13)
        self._character_runs = FormattedRuns(self._pages(_CHARACTERS), bytes_each=1)

    def _part(self, number: int) -> bytes:
        offset, length = struct.unpack_from("<LL", self._main, _PLACES + 8 * number)
        part: bytes = self._table[offset : offset + length]
        return part

    def _pieces_of_text(self) -> Iterator[str]:
        table = self._part(_PIECES)
        position = 0
        while table[position] == 1:
            position += 3 + struct.unpack_from("<H", table, position + 1)[0]
        (length,) = struct.unpack_from("<L", table, position + 1)
        pieces = table[position + 5 : position + 5 + length]
        count = (len(pieces) - 4) // 12
        if not 0 < count <= _MOST_PIECES:
            raise ValueError("no pieces")
        ends = struct.unpack_from(f"<{count + 1}L", pieces)
        if ends[count] > _MOST_REPEATED * len(self._main):
            raise ValueError("pieces that hold more than the file")
        here = 0
        for number in range(count):
            (place,) = struct.unpack_from("<2xL2x", pieces, 4 * (count + 1) + 8 * number)
            size = ends[number + 1] - ends[number]
            single = bool(place & 0x40000000)
            offset = (place & 0x3FFFFFFF) // (2 if single else 1)
            if size < 0 or offset + size * (1 if single else 2) > len(self._main):
                raise ValueError("a piece outside the file")
            self._starts.append(here)
            self._pieces.append((offset, 1 if single else 2))
            here += size
            data = self._main[offset : offset + size * (1 if single else 2)]
            # One character for each of Word's, so that positions are the same: pairs are joined when text is taken.
            yield data.decode("cp1252", "replace") if single else "".join(map(chr, struct.unpack(f"<{size}H", data)))

    def _read_notes(self, references: int, texts: int, begin: int) -> None:
        places, spans = self._part(references), self._part(texts)
        count = (len(places) - 4) // 6
        if count <= 0:
            return
        at = struct.unpack_from(f"<{count}L", places)
        ends = struct.unpack_from(f"<{count + 1}L", spans)
        if any(before > after for before, after in pairwise(ends)):
            raise ValueError("notes that lie over each other")
        for number, position in enumerate(at):
            self.notes[position] = (begin + ends[number], begin + ends[number + 1])

    def _read_styles(self) -> None:
        """Number of the built-in kind and of the base of each style ([MS-DOC] section 2.9.260)."""
        sheet = self._part(_STYLES)
        if len(sheet) < 4:
            return
        head, count = struct.unpack_from("<HH", sheet)
        position = 2 + head
        for _ in range(count):
            if position + 2 > len(sheet):
                return
            (size,) = struct.unpack_from("<H", sheet, position)
            kind, base = struct.unpack_from("<HH", sheet, position + 2) if size >= 4 else (0xFFF, 0xFFF0)
            self._styles.append((kind & 0xFFF, base >> 4))
            position += 2 + size + size % 2

    def _heading(self, style: int) -> tuple[int, bool]:
        for _ in range(16):
            if style >= len(self._styles):
                break
            kind, style = self._styles[style]
            if 1 <= kind <= 9:
                return kind, False
            if kind == 62:  # the style for titles
                return 1, True
        return 0, False

    def _pages(self, part: int) -> Iterator[bytes]:
        table = self._part(part)
        count = (len(table) - 4) // 8
        if count > 0:
            # Each once: a hostile table names one page any number of times.
            for number in dict.fromkeys(struct.unpack_from(f"<{count}L", table, 4 * (count + 1))):
                page = (number & 0x3FFFFF) * PAGE_BYTES
                yield self._main[page : page + PAGE_BYTES]


def _versions(main: bytes) -> tuple[int, int]:
    """Version and flags of the header."""
    kind, version, flags = struct.unpack_from("<HH6xH", main)
    if kind >> 8 != _WORD:
        raise ValueError("not Word's")
    return version, flags


def _listed(operand: bytes) -> str:
    """The number of a paragraph's list, empty where it is in none."""
    (number,) = struct.unpack("<H", operand)
    return str(number) if 0 < number < _NO_LIST else ""
