"""The numbers of lists as office programs count and show them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NumberedLevel:
    """One level of a list: ``text`` is what an item begins with, ``%1`` in it the number of the first level.

    ``number_format`` is one of ``number_text``, or ``bullet`` or ``none``; ``legal`` shows Arabic digits on all levels.
    """

    start: int
    number_format: str
    text: str
    legal: bool = False


class ListCounter:
    """Counts the items of a document's lists as they are met.

    ``levels`` are the kinds of lists with their levels from 0. ``lists`` are the lists by the name that items call them
    by: each with its kind, and with the numbers with which some of its levels begin anew. Lists of one kind count on
    from each other.
    """

    def __init__(
        self, levels: Mapping[str, Mapping[int, NumberedLevel]], lists: Mapping[str, tuple[str, Mapping[int, int]]]
    ) -> None:
        self._levels = levels
        self._lists = lists
        self._counts: dict[str, dict[int, int]] = {}
        self._begun: set[tuple[str, int]] = set()

    def label(self, name: str, level: int) -> str:
        """The next item's number as it is shown, such as ``2.1``; a dash for a bullet, nothing where it has none."""
        kind, starts = self._lists.get(name, ("", {}))
        levels = self._levels.get(kind, {})
        if level not in levels:
            return "-"
        counts = self._counts.setdefault(kind, {})
        if level in starts and (name, level) not in self._begun:
            counts[level] = starts[level]
        else:
            counts[level] = counts[level] + 1 if level in counts else levels[level].start
        self._begun.add((name, level))
        for deeper in [other for other in counts if other > level]:
            del counts[deeper]
        for above in range(level):  # a level that was skipped counts as begun
            if above in levels:
                counts.setdefault(above, levels[above].start)
        return _shown(level, levels, counts)


def _shown(level: int, levels: Mapping[int, NumberedLevel], counts: Mapping[int, int]) -> str:
    own = levels[level]
    if own.number_format in ("bullet", "none"):
        return "-" if own.number_format == "bullet" else ""

    def number(match: re.Match[str]) -> str:
        at = int(match[1]) - 1
        if at not in levels or levels[at].number_format == "none":
            return ""
        return number_text(counts.get(at, levels[at].start), "decimal" if own.legal else levels[at].number_format)

    return re.sub(r"%([1-9])", number, own.text).strip()


def number_text(number: int, number_format: str) -> str:
    """A number as lists show it (ECMA-376 part 1, section 17.18.59); formats other than these in Arabic digits."""
    if number_format in ("lowerLetter", "upperLetter") and 0 < number <= 780:
        text = chr(97 + (number - 1) % 26) * ((number - 1) // 26 + 1)
    elif number_format in ("lowerRoman", "upperRoman") and 0 < number < 4000:
        text = _roman(number)
    elif number_format == "decimalZero":
        return f"{number:02}"
    else:
        return str(number)
    return text.upper() if number_format.startswith("upper") else text


def _roman(number: int) -> str:
    parts = []
    for value, digits in zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        ("m", "cm", "d", "cd", "c", "xc", "l", "xl", "x", "ix", "v", "iv", "i"),
        strict=True,
    ):
        parts.append(digits * (number // value))
        number %= value
    return "".join(parts)
