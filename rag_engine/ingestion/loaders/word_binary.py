"""Documents of Word 97 to 2003, and of Word 6 and 95 where they were saved in one piece ([MS-DOC]).

No library that is kept up reads them within the process: this reads the piece table, paragraph by paragraph.
"""

from __future__ import annotations

from collections.abc import Iterator

from rag_engine.errors import ParsingError
from rag_engine.ingestion.loaders.hidden_text import mark_hidden
from rag_engine.ingestion.loaders.office_compound import compound_properties, opened_with_passwords
from rag_engine.ingestion.loaders.office_text import OfficeWriter, clean
from rag_engine.ingestion.loaders.word_binary_file import WordBinaryFile
from rag_engine.types.document import Document
from rag_engine.types.ingestion import LoadLimits

_PARAGRAPH_END, _CELL_END, _PAGE_BREAK = "\r", "\x07", "\x0c"
_FIELD_BEGIN, _FIELD_RESULT, _FIELD_END = "\x13", "\x14", "\x15"
_OBJECTS = "\x01\x02\x03\x04\x05\x08"  # pictures, separators, comments and the notes' own numbers
_SIGNS = str.maketrans({"\x0b": "\n", "\x1e": "-", "\x1f": "", "\xad": ""} | dict.fromkeys(_OBJECTS, ""))


class WordBinaryLoader:
    """Reads the text of a .doc file; headers and footers, comments, pictures and deleted text are left out."""

    name = "word_binary"
    version = 1

    def load(self, data: bytes, *, name: str, limits: LoadLimits) -> Iterator[Document]:
        """One document; ``hidden_text`` in its metadata are the spans that Word does not show."""
        file = WordBinaryFile(data, name=name)
        if file.encrypted:
            data = opened_with_passwords(data, name=name, limits=limits)
            file = WordBinaryFile(data, name=name)
            if file.encrypted:
                raise ParsingError(f"the encryption of {name} is not known", hint="save it without a password")
        writer = OfficeWriter(name=name, max_characters=limits.max_characters)
        reader = _Reader(file, writer)
        reader.read(*file.body)
        reader.read(*file.boxes)
        title, metadata = compound_properties(data)
        yield writer.document(title=title or reader.title or writer.first_heading, metadata=metadata)


class _Reader:
    def __init__(self, file: WordBinaryFile, writer: OfficeWriter) -> None:
        self.title = ""
        self._file = file
        self._writer = writer
        self._lists = file.lists()
        self._cells: list[str] = []
        self._rows: list[list[str]] = []
        self._cell_parts: list[str] = []
        self._notes_met = 0
        self._notes: list[str] = []

    def read(self, start: int, end: int) -> None:
        """Writes the paragraphs between two positions."""
        begin = start
        for position in range(start, end):
            sign = self._file.text[position]
            if sign in (_PARAGRAPH_END, _CELL_END, _PAGE_BREAK):
                self._paragraph(begin, position)
                begin = position + 1
        if begin < end:
            self._paragraph(begin, end - 1, self._text(begin, end))
        self._end_table()

    def _paragraph(self, begin: int, end: int, text: str | None = None) -> None:
        text = self._text(begin, end) if text is None else text
        known = self._file.paragraph(end)
        label = self._lists.label(known.listed, known.level) if known.listed and text.strip() else ""
        if known.in_table:
            if known.ends_row:
                self._rows.append(self._cells)
                self._cells = []
            elif self._file.text[end] == _CELL_END:
                self._cells.append(" ".join([*self._cell_parts, _labelled(text, label)]).strip())
                self._cell_parts.clear()
            else:
                self._cell_parts.append(_labelled(text, label))
            return
        self._end_table()
        if known.heading:
            self.title = self.title or (" ".join(text.split()) if known.title else "")
            self._writer.heading(_labelled(text, label), known.heading)
        elif known.listed:
            self._writer.item(text, depth=known.level, label=label)
        else:
            self._writer.paragraph(text)
        self._write_notes()

    def _end_table(self) -> None:
        if self._cells or self._cell_parts:
            self._rows.append([*self._cells, *filter(None, [" ".join(self._cell_parts)])])
            self._cells = []
            self._cell_parts.clear()
        if not self._rows:
            return
        if max(map(len, self._rows)) == 1:
            for row in self._rows:
                self._writer.paragraph(" ".join(row))
        else:
            self._writer.table(self._rows)
        self._rows = []
        self._write_notes()

    def _write_notes(self) -> None:
        for note in self._notes:
            self._writer.paragraph(note)
        self._notes.clear()

    def _text(self, start: int, end: int) -> str:
        """Characters as Word shows them: of fields their results, of notes their numbers."""
        parts: list[str] = []
        fields: list[bool] = []  # of each field around: whether its result has begun
        for begin, limit, hidden, deleted in self._file.runs(start, end):
            shown: list[str] = []
            for position in range(begin, limit):
                sign = self._file.text[position]
                if sign == _FIELD_BEGIN:
                    fields.append(False)
                elif sign == _FIELD_RESULT and fields:
                    fields[-1] = True
                elif sign == _FIELD_END and fields:
                    fields.pop()
                elif all(fields) and not deleted:
                    note = self._file.notes.pop(position, None)
                    shown.append(sign if note is None else self._note(*note))
            text = clean("".join(shown).translate(_SIGNS).encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
            parts.append(mark_hidden(text) if hidden else text)
        return "".join(parts)

    def _note(self, start: int, end: int) -> str:
        self._notes_met += 1
        marker = f"[{self._notes_met}]"
        words = self._text(start, min(end, len(self._file.text))).replace(_PARAGRAPH_END, " ")
        self._notes.append(f"{marker} {' '.join(words.split())}")
        return marker


def _labelled(text: str, label: str) -> str:
    return f"{label} {text}" if label and label != "-" else text
