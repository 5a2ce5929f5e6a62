"""Records of what was repaired in a question, so that every step can be told and taken back."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from enum import StrEnum


class RepairReason(StrEnum):
    """Why characters of a question were changed, or words are asked for besides."""

    SPELLING = "spelling"
    DIACRITICS = "diacritics"
    KEYBOARD_LAYOUT = "keyboard layout"
    RUN_TOGETHER = "run together"
    TORN_APART = "torn apart"
    SHORTENED = "shortened"
    LONG_FORM = "long form"
    SHORT_FORM = "short form"


@dataclass(frozen=True, slots=True)
class RepairChange:
    """``before``, the characters from ``start`` to ``end`` of the question as it was asked (0-based, end exclusive),
    became ``after``. ``confidence``, from 0 to 1, is how likely this was meant."""

    before: str
    after: str
    confidence: float
    reason: RepairReason
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RepairAddition:
    """Words to ask for besides, which count for ``weight`` of what the question's own do; the characters from ``start``
    to ``end`` of the question as it was asked brought them."""

    text: str
    weight: float
    reason: RepairReason
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Repair:
    """A question as it was asked and as it is searched; ``changes`` stand in their order and do not overlap."""

    original: str
    text: str
    changes: tuple[RepairChange, ...] = ()
    additions: tuple[RepairAddition, ...] = ()

    def without(self, taken_back: Container[RepairChange]) -> Repair:
        """The same repair with some changes taken back: with all of them, the text is the original again."""
        return repaired(
            self.original,
            tuple(change for change in self.changes if change not in taken_back),
            additions=self.additions,
        )


def repaired(original: str, changes: tuple[RepairChange, ...], *, additions: tuple[RepairAddition, ...] = ()) -> Repair:
    """A question with changes made, which stand in their order and do not overlap."""
    parts: list[str] = []
    end = 0
    for change in changes:
        parts += [original[end : change.start], change.after]
        end = change.end
    return Repair(original, "".join([*parts, original[end:]]), changes, additions)
