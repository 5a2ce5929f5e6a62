"""What a document may hold to mislead a reader or a model: found, flagged in its metadata, and left as it is.

Runs in the sandbox, on every document, whatever its format. It is a pure function of the document. What is legitimate
in some script is left alone there: joiners in Persian and in emoji, marks of direction in Hebrew, flags made of tags.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

from rag_engine.ingestion.instruction_patterns import CHAT_MARKUP, IN_LATIN, IN_OTHER_SCRIPTS, REACH, Patterns
from rag_engine.types.document import Document, Metadata
from rag_engine.types.suspicion import Suspicion, SuspicionKind, with_suspicions

# A loader's hint: spans of the text, ``[start, end]`` in characters, that a reader of the original does not see.
HIDDEN_TEXT = "hidden_text"
MOST_TOLD = 50  # places of one document
_SHOWN_CHARACTERS = 80

_ZERO_WIDTH = "\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff\u180e\u115f\u1160\u3164\uffa0"
# Any of the characters that the next patterns are about; most texts hold none.
_ANY = re.compile(f"[{_ZERO_WIDTH}\u202a-\u202e\u2066-\u2069\ufe00-\ufe0f\U000e0000-\U000e01ef]")
# Unicode Technical Standard 51: tags spell a flag's region behind a black flag, up to the cancel tag.
_TAGS = re.compile("(\U0001f3f4)?([\U000e0000-\U000e007f]+)")
# One selector may follow a character; four and more carry bytes (16 + 240 of them make a byte's values).
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4,}")
_LONG_RUN = re.compile(f"[{_ZERO_WIDTH}]{{8,}}")
# Between small letters, where no line breaks and nothing joins; word breaks in identifiers stand before capitals.
_IN_WORD = re.compile("[a-z][\u200b\u200d\u2060\ufeff](?=[a-z])")
_MANY_IN_WORDS = 8
_ZERO_WIDTH_ONE = re.compile(f"[{_ZERO_WIDTH}\u00ad]")
# CVE-2021-42574 (Boucher and Anderson 2021, "Trojan Source"): overrides, and right-to-left runs where nothing is
# written from right to left.
_OVERRIDES = re.compile("[\u202d\u202e][^\u202c\n]*")
_EMBEDDINGS = re.compile("[\u202b\u2067][^\u202c\u2069\n]*")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]")
_FLAG_CHARACTERS = 8


def examined(document: Document) -> Document:
    """The document with what is suspicious in it added to its metadata, under ``suspicious``; its text is unchanged.

    A loader's hint ``hidden_text`` goes from the metadata into these.
    """
    text, hidden = document.text, _hidden_spans(document.metadata, document.text)
    metadata = {key: value for key, value in document.metadata.items() if key != HIDDEN_TEXT or not hidden}
    found = sorted(
        chain(_hidden(text, hidden), _unusual_characters(text), _instructions(text)),
        key=lambda suspicion: (suspicion.start or 0, suspicion.end or 0, suspicion.kind),
    )
    found += [replace(told, note=f"in the title: {told.note}", start=None, end=None) for told in _in(document.title)]
    if not found and not hidden:
        return document
    if len(found) > MOST_TOLD:
        left = len(found) - MOST_TOLD
        found[MOST_TOLD:] = [replace(found[-1], note=f"and at {left:,} more places", start=None, end=None)]
    return replace(document, metadata=with_suspicions(metadata, found))


def _in(title: str) -> Iterator[Suspicion]:
    yield from _unusual_characters(title)
    yield from _instructions(title)


def _hidden_spans(metadata: Metadata, text: str) -> list[tuple[int, int]]:
    spans = metadata.get(HIDDEN_TEXT)
    if not isinstance(spans, list):
        return []
    pairs = [tuple(span) for span in spans if isinstance(span, list) and len(span) == 2]
    return [
        (start, end)
        for start, end in pairs
        if isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(text)
    ]


def _hidden(text: str, spans: Sequence[tuple[int, int]]) -> Iterator[Suspicion]:
    for start, end in spans:
        note = f"the original does not show: {shown(text[start:end])}"
        yield Suspicion(SuspicionKind.HIDDEN_TEXT, note, start, end)


def _unusual_characters(text: str) -> Iterator[Suspicion]:
    if text.isascii() or not _ANY.search(text):
        return
    for match in _TAGS.finditer(text):
        if not (match[1] and len(match[2]) <= _FLAG_CHARACTERS):
            spelt = "".join(chr(ord(character) - 0xE0000) for character in match[2])
            yield _invisible(match, f"tag characters, which no one sees, spell {shown(spelt)}", group=2)
    for match in _SELECTORS.finditer(text):
        yield _invisible(match, f"{len(match[0]):,} variation selectors in a row, which can carry a hidden text")
    for match in _LONG_RUN.finditer(text):
        yield _invisible(match, f"{len(match[0]):,} characters without a width in a row")
    in_words = list(_IN_WORD.finditer(text))
    if len(in_words) >= _MANY_IN_WORDS:
        yield _invisible(in_words[0], f"characters without a width within words, at {len(in_words):,} places")
    yield from _reordered(text, _OVERRIDES)
    yield from _reordered(text, _EMBEDDINGS)


def _reordered(text: str, controls: re.Pattern[str]) -> Iterator[Suspicion]:
    """What controls have shown in another order, where no letter before their end, in the line, asks for that."""
    line_end = right_to_left = -1
    for match in controls.finditer(text):
        if match.start() > line_end:  # a long line is looked through once, however many controls it holds
            line_start = text.rfind("\n", line_end + 1, match.start()) + 1 or line_end + 1
            line_end = text.find("\n", match.end())
            line_end = len(text) if line_end < 0 else line_end
            letter = _RIGHT_TO_LEFT.search(text, line_start, line_end)
            right_to_left = letter.start() if letter else len(text)
        if right_to_left >= match.end():
            note = f"is shown in another order than it is written: {shown(match[0][1:])}"
            yield Suspicion(SuspicionKind.BIDIRECTIONAL_CONTROLS, note, match.start(), match.end())


def _invisible(match: re.Match[str], note: str, *, group: int = 0) -> Suspicion:
    return Suspicion(SuspicionKind.INVISIBLE_CHARACTERS, note, match.start(group), match.end(group))


def _instructions(text: str) -> Iterator[Suspicion]:
    """Words that instruct a model, also where characters without a width part them, and marks of a chat's turns."""
    visible, before = text, list[int]()
    if not text.isascii() and _ZERO_WIDTH_ONE.search(text):
        visible = _ZERO_WIDTH_ONE.sub("", text)
        # How much of what is visible stands before each character that is not.
        before = [match.start() - number for number, match in enumerate(_ZERO_WIDTH_ONE.finditer(text))]
    lowered = visible.lower()
    if len(lowered) != len(visible):  # a letter whose small form is two characters
        lowered = "".join(small if len(small := character.lower()) == 1 else character for character in visible)
    for kind, found in (
        (SuspicionKind.INSTRUCTIONS, _matches(lowered, IN_LATIN)),
        (SuspicionKind.INSTRUCTIONS, [] if lowered.isascii() else _matches(lowered, IN_OTHER_SCRIPTS)),
        (SuspicionKind.CHAT_MARKUP, _matches(lowered, CHAT_MARKUP)),
    ):
        words = "marks of a chat with a model" if kind is SuspicionKind.CHAT_MARKUP else "words for a model"
        for start, end in found:
            first, last = start + bisect_right(before, start), end + bisect_right(before, end - 1)
            yield Suspicion(kind, f"{words}: {shown(text[first:last])}", first, last)


def _matches(lowered: str, patterns: Patterns) -> list[tuple[int, int]]:
    """Spans of what matches, in order; of those that overlap, the first."""
    found: set[tuple[int, int]] = set()
    for anchor, belonging in patterns.items():
        for begin, end in _surroundings(lowered, anchor):
            for pattern in belonging:
                found.update(match.span() for match in re.compile(pattern).finditer(lowered, begin, end))
    spans: list[tuple[int, int]] = []
    for span in sorted(found):
        if not spans or span[0] >= spans[-1][1]:
            spans.append(span)
    return spans


def _surroundings(lowered: str, anchor: str) -> Iterator[tuple[int, int]]:
    """Where the patterns of an anchor are tried; what lies around several of them is one stretch, tried once."""
    begin = end = -1
    place = lowered.find(anchor)
    while place >= 0:
        if end < 0:
            begin = max(0, place - REACH)
        elif place - REACH > end:
            yield begin, end
            begin = place - REACH
        end = place + REACH
        place = lowered.find(anchor, place + len(anchor))
    if end >= 0:
        yield begin, end


def shown(text: str) -> str:
    """The beginning of a text in quotation marks, on one line, with nothing in it that a terminal would obey."""
    words = " ".join(text[: 4 * _SHOWN_CHARACTERS].split())
    words = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in words)
    return f"“{words}”" if len(words) <= _SHOWN_CHARACTERS else f"“{words[: _SHOWN_CHARACTERS - 1]}…”"
