"""What in a document may be meant to mislead a reader or a model: flagged and shown, never obeyed, never removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rag_engine.types.document import JsonValue, Metadata

# The metadata key that holds them: a list of mappings with the fields of Suspicion.
SUSPICIOUS = "suspicious"


class SuspicionKind(StrEnum):
    """What is suspicious: text that a reader of the original does not see, characters without a glyph, characters
    that show text in another order, words that instruct a model, and the markers between turns of a chat."""

    HIDDEN_TEXT = "hidden_text"
    INVISIBLE_CHARACTERS = "invisible_characters"
    BIDIRECTIONAL_CONTROLS = "bidirectional_controls"
    INSTRUCTIONS = "instructions"
    CHAT_MARKUP = "chat_markup"


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Something suspicious: what, in words, and where in the document's text, in characters, 0-based, end exclusive.

    ``start`` and ``end`` are None for what is told of the document as a whole, such as hidden text that is left
    out of its text.
    """

    kind: SuspicionKind
    note: str
    start: int | None = None
    end: int | None = None

    def touches(self, start: int, end: int) -> bool:
        """Whether it concerns the characters ``start`` to ``end``."""
        if self.start is None or self.end is None:
            return True
        return self.start < end and start < self.end

    def to_json(self) -> dict[str, JsonValue]:
        """As metadata hold it."""
        return {"kind": self.kind.value, "note": self.note, "start": self.start, "end": self.end}


@dataclass(frozen=True, slots=True)
class SuspiciousDocument:
    """A document that holds something suspicious."""

    document: str
    suspicious: tuple[Suspicion, ...]


def suspicions_in(metadata: Metadata) -> tuple[Suspicion, ...]:
    """The suspicions that a document's metadata hold; what else a file may say under that key is passed over."""
    entries = metadata.get(SUSPICIOUS)
    return tuple(filter(None, map(_suspicion, entries))) if isinstance(entries, list) else ()


def suspicions_between(metadata: Metadata, start: int, end: int) -> tuple[Suspicion, ...]:
    """Those of ``suspicions_in`` that concern the characters ``start`` to ``end``."""
    return tuple(suspicion for suspicion in suspicions_in(metadata) if suspicion.touches(start, end))


def with_suspicions(metadata: Metadata, found: Sequence[Suspicion]) -> Metadata:
    """The metadata with ``found`` added to the suspicions that they hold."""
    if not found:
        return metadata
    entries: list[JsonValue] = [suspicion.to_json() for suspicion in (*suspicions_in(metadata), *found)]
    return {**metadata, SUSPICIOUS: entries}


def _suspicion(entry: JsonValue) -> Suspicion | None:
    if not isinstance(entry, dict):
        return None
    kind, note, start, end = (entry.get(key) for key in ("kind", "note", "start", "end"))
    if kind not in set(SuspicionKind) or not isinstance(note, str):
        return None
    if type(start) is not int or type(end) is not int:
        start = end = None
    return Suspicion(SuspicionKind(str(kind)), note, start, end)
