"""Reads the control words of Rich Text and writes the paragraphs, lists and tables that they make."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, replace

from rag_engine.ingestion.loaders.hidden_text import mark_hidden
from rag_engine.ingestion.loaders.office_text import OfficeWriter, clean
from rag_engine.ingestion.loaders.rtf_words import (
    CHARACTER_SETS,
    CHARACTERS,
    DATE_PARTS,
    DOCUMENT_SETS,
    LEFT_OUT,
    PARAGRAPH_ENDS,
    PROPERTIES,
    READ_THOUGH_OPTIONAL,
    SYMBOL_SET,
)

_TOKEN = re.compile(
    r"\\(?:([A-Za-z]{1,32})(-?\d{1,10})? ?|'([0-9A-Fa-f]{2})|(.))|([{}])|([^\\{}\r\n]+)|[\r\n]+", re.DOTALL
)
_HEADING_STYLE = re.compile(r"heading ([1-9])", re.IGNORECASE)
_DEEPEST_LIST = 8
_BULLETS = frozenset("•·o§-–—")


@dataclass(frozen=True, slots=True)
class _State:
    """What holds within a group; a group inside begins with it, and it is back when that ends."""

    target: str = "body"  # where text goes: body, nothing, or the name of what is being collected
    skipped: int = 1  # characters that stand for a \u where it is not understood
    font: int = -1
    hidden: bool = False
    deleted: bool = False
    in_table: bool = False
    style: int = -1
    outline: int = -1
    list_level: int = 0


class RtfReader:
    """Reads one document; ``properties`` are what its information group says, under our names."""

    def __init__(self, writer: OfficeWriter) -> None:
        self.properties: dict[str, str] = {}
        self._writer = writer
        self._state = _State()
        self._outer: list[_State] = []
        self._text: dict[str, list[str]] = {name: [] for name in ("body", "footnote", "listtext", "style", *PROPERTIES)}
        self._bytes = bytearray()
        self._encoding = "cp1252"
        self._fonts: dict[int, str] = {}
        self._default_font = 0
        self._styles: dict[int, int] = {}
        self._style = 0
        self._to_skip = 0
        self._high = 0
        self._optional = False
        self._date: dict[str, int] = {}
        self._cells: list[str] = []
        self._rows: list[list[str]] = []
        self._header_rows = 0
        self._row_is_header = False
        self._notes: list[str] = []
        self._notes_met = 0

    def read(self, source: str) -> None:
        """Reads bytes that were decoded one to one (as Latin-1). What is damaged is read as far as it goes."""
        position = 0
        while match := _TOKEN.match(source, position):
            position = match.end()
            word, number, code, sign, brace, text = match.groups()
            if text is not None or code is not None:
                self._characters(text.encode("latin-1") if code is None else bytes((int(code, 16),)))
                continue
            if word == "bin" and number:
                position += max(0, int(number))
            if brace:
                self._flush()
                self._brace(brace)
            elif word or sign:
                if word != "u":
                    self._flush()
                self._control(word or sign, None if number is None else int(number))
        self._flush()
        self._end_paragraph()
        self._end_table()

    def _brace(self, brace: str) -> None:
        self._to_skip = 0
        self._optional = False
        if brace == "{":
            self._outer.append(self._state)
            return
        before = self._state
        if self._outer:
            self._state = self._outer.pop()
        if before.target != self._state.target:
            self._end_group(before.target)

    def _end_group(self, target: str) -> None:
        if target == "footnote":
            note = " ".join(self._take("footnote").split())
            if note:
                self._notes_met += 1
                self._text["body"].append(f"[{self._notes_met}]")
                self._notes.append(f"[{self._notes_met}] {note}")
        elif target == "style":
            match = _HEADING_STYLE.match(self._take("style").strip())
            if match:
                self._styles[self._style] = int(match[1])
        elif target in PROPERTIES:
            words = self._take(target)
            if target in ("creatim", "revtim"):
                year, month, day, hour, minute = (self._date.get(part, 0) for part in DATE_PARTS)
                words = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:00" if year and month and day else ""
                self._date.clear()
            self.properties[PROPERTIES[target]] = words

    def _control(self, word: str, number: int | None) -> None:
        state = self._state
        if word == "*":
            self._optional = True
            return
        optional, self._optional = self._optional, False
        if word in LEFT_OUT or (optional and word not in READ_THOUGH_OPTIONAL):
            self._state = replace(state, target="nothing")
        elif state.target == "nothing":
            return
        elif word == "u" and number is not None:
            self._unicode(number)
        elif word in CHARACTERS:
            self._append(CHARACTERS[word])
        elif word in PARAGRAPH_ENDS:
            self._append("\n") if state.target != "body" or state.in_table else self._end_paragraph()
        elif word in ("cell", "row"):
            self._end_cell() if word == "cell" else self._end_row()
        elif word in ("pard", "plain", "v", "deleted", "intbl", "s", "outlinelevel", "ilvl", "f", "uc"):
            self._state = self._changed(word, number)
        elif word == "trowd":
            self._row_is_header = False
        elif word == "trhdr":
            self._row_is_header = True
        else:
            self._destination(word, number)

    def _changed(self, word: str, number: int | None) -> _State:
        state, on = self._state, number != 0
        match word:
            case "pard":
                if state.target == "style":
                    return state
                return replace(state, in_table=False, style=-1, outline=-1, list_level=0)
            case "plain":
                return replace(state, hidden=False, deleted=False, font=-1)
            case "v":
                return replace(state, hidden=on)
            case "deleted":
                return replace(state, deleted=on)
            case "intbl":
                return replace(state, in_table=True)
            case "s":
                self._style = number or 0
                return replace(state, style=number or 0)
            case "outlinelevel":
                if state.target == "style" and number is not None and number < 9:
                    self._styles[self._style] = number + 1
                return replace(state, outline=-1 if number is None else number)
            case "ilvl":
                return replace(state, list_level=min(max(number or 0, 0), _DEEPEST_LIST))
            case "f":
                return replace(state, font=-1 if number is None else number)
            case _:
                return replace(state, skipped=max(0, 1 if number is None else number))

    def _destination(self, word: str, number: int | None) -> None:
        state = self._state
        if word in DOCUMENT_SETS:
            self._encoding = DOCUMENT_SETS[word]
        elif word == "ansicpg" and number is not None:
            self._encoding = _known(f"cp{number}", self._encoding)
        elif word == "deff" and number is not None:
            self._default_font = number
        elif word == "fcharset" and number is not None:
            self._fonts[state.font] = "symbol" if number == SYMBOL_SET else CHARACTER_SETS.get(number, "")
        elif word == "fonttbl":
            self._state = replace(state, target="fonts")
        elif word == "stylesheet":
            self._style = 0
            self._state = replace(state, target="styles")
        elif word == "info":
            self._state = replace(state, target="information")
        elif word in PROPERTIES and state.target == "information":
            self._state = replace(state, target=word)
        elif word in DATE_PARTS and number is not None:
            self._date[word] = number
        elif word == "footnote":
            self._state = replace(state, target="footnote", in_table=False)
        elif word in ("listtext", "pntext"):
            self._state = replace(state, target="listtext")

    def _characters(self, data: bytes) -> None:
        if self._state.target == "nothing":
            return
        if self._to_skip:
            skipped = min(self._to_skip, len(data))
            self._to_skip -= skipped
            data = data[skipped:]
        if self._state.target == "styles" and data.strip():
            self._take("style")
            self._state = replace(self._state, target="style")
        self._bytes += data

    def _unicode(self, number: int) -> None:
        self._flush()
        unit = number & 0xFFFF
        high, self._high = self._high, 0
        if 0xD800 <= unit < 0xDC00:  # the first half of a character beyond the first 65,536
            self._high = unit
        elif 0xDC00 <= unit < 0xE000:
            self._append(chr(0x10000 + ((high - 0xD800) << 10) + unit - 0xDC00) if high else "\ufffd")
        else:
            self._append(chr(unit))
        self._to_skip = self._state.skipped

    def _flush(self) -> None:
        """Turns gathered bytes into characters: those of one font, since a character may take two bytes."""
        if not self._bytes:
            return
        font = self._state.font if self._state.font >= 0 else self._default_font
        encoding = self._fonts.get(font) or self._encoding
        if encoding == "symbol":  # its letters mean signs; the one that lists begin with is known
            text = self._bytes.decode("latin-1").replace("\xb7", "•")
        else:
            text = self._bytes.decode(encoding, "replace")
        self._bytes.clear()
        self._append(text)

    def _append(self, text: str) -> None:
        state = self._state
        collected = self._text.get(state.target)
        if collected is not None and not state.deleted:
            text = clean(text)
            collected.append(mark_hidden(text) if state.hidden and state.target == "body" else text)

    def _take(self, name: str) -> str:
        text = "".join(self._text[name])
        self._text[name].clear()
        return text

    def _end_paragraph(self) -> None:
        text = self._take("body")
        label = " ".join(self._take("listtext").split())
        state = self._state
        if not state.in_table:
            self._end_table()
        level = state.outline + 1 if 0 <= state.outline < 9 else self._styles.get(state.style, 0)
        if level:
            self._writer.heading(f"{label} {text}" if label else text, level)
        elif label:
            self._writer.item(text, depth=state.list_level, label="-" if label in _BULLETS else label)
        else:
            self._writer.paragraph(text)
        for note in self._notes:
            self._writer.paragraph(note)
        self._notes.clear()

    def _end_cell(self) -> None:
        label = " ".join(self._take("listtext").split())
        text = self._take("body").strip()
        self._cells.append(f"{label} {text}" if label and label not in _BULLETS else text)

    def _end_row(self) -> None:
        if self._cells:
            self._header_rows += self._row_is_header and self._header_rows == len(self._rows)
            self._rows.append(self._cells)
            self._cells = []

    def _end_table(self) -> None:
        self._end_row()
        if self._rows:
            if max(map(len, self._rows)) == 1:
                for row in self._rows:
                    self._writer.paragraph(row[0])
            else:
                self._writer.table(self._rows, self._header_rows or None)
            self._rows, self._header_rows = [], 0


def _known(encoding: str, otherwise: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        return otherwise
