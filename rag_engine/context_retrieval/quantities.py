"""Numbers and dates that an English sentence states, in units that can be compared: ``two weeks`` is ``14 days``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_MONTH_NAMES = """
    january jan, february feb, march mar, april apr, may, june jun, july jul, august aug, september sep sept,
    october oct, november nov, december dec
"""
MONTHS = {
    name: number for number, names in enumerate(_MONTH_NAMES.split(","), start=1) for name in names.strip().split()
}
_ONES = re.findall(
    r"\S+",
    """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen
    """,
)
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
NUMBER_WORDS = {word: float(value) for value, word in enumerate(_ONES)} | {
    ten + one: 10.0 * place + value
    for place, ten in enumerate(_TENS, start=2)
    for value, one in enumerate(["", *(f"-{word}" for word in _ONES[1:10])])
}
_MAGNITUDES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_DAY = 86_400.0
_UNITS = {
    word: (kind, factor)
    for kind, units in {
        "time": {
            "second seconds sec": 1.0,
            "minute minutes min mins": 60.0,
            "hour hours hr hrs h": 3600.0,
            "day days": _DAY,
            "week weeks": 7 * _DAY,
            "month months": 30.4 * _DAY,
            "year years yr yrs": 365.0 * _DAY,
            "decade decades": 3650.0 * _DAY,
        },
        "length": {
            "mm millimetre millimetres millimeter millimeters": 1e-3,
            "cm centimetre centimetres centimeter centimeters": 1e-2,
            "m metre metres meter meters": 1.0,
            "km kilometre kilometres kilometer kilometers": 1e3,
            "inch inches": 0.0254,
            "ft foot feet": 0.3048,
            "mile miles mi": 1609.344,
        },
        "mass": {
            "mg milligram milligrams": 1e-6,
            "g gram grams": 1e-3,
            "kg kilogram kilograms": 1.0,
            "tonne tonnes": 1e3,
            "lb lbs pound pounds": 0.4536,
        },
        "data": {"kb kilobyte kilobytes": 1e3, "mb megabyte megabytes": 1e6, "gb gigabyte gigabytes": 1e9, "tb": 1e12},
        "share": {"% percent": 1.0},
        "dollars": {"$ usd dollar dollars": 1.0, "cent cents": 0.01},
        "euros": {"€ eur euro euros": 1.0},
        "sterling": {"£ gbp": 1.0},
    }.items()
    for words, factor in units.items()
    for word in words.split()
}
UNIT_WORDS = frozenset(_UNITS)
# A number behind one of these, or behind a capitalised word, is part of a name: type 2, Python 3.11, Figure 4.
_DESIGNATORS = frozenset(
    re.findall(
        r"\S+",
        """
    appendix article category chapter class clause day equation example experiment fig figure figures grade
    group item level line no number page pages paragraph part phase question room route section sections stage
    step study table tables task tier type verse version vol volume week
    """,
    )
)
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_MEASURED = "|".join(word for word in _UNITS if len(word) > 1)
_DATE = re.compile(
    rf"\b(?P<iso>(?P<y1>[12]\d{{3}})-(?P<m1>\d{{2}})-(?P<d1>\d{{2}}))\b"
    rf"|\b(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?[ ](?:of[ ])?(?P<m2>{_MONTH})\b\.?(?:,?[ ](?P<y2>[12]\d{{3}})\b)?"
    rf"|\b(?P<m3>{_MONTH})\b\.?[ ](?P<d3>\d{{1,2}})(?:st|nd|rd|th)?\b(?!\d)(?:,?[ ](?P<y3>[12]\d{{3}})\b)?"
    rf"|\b(?P<m4>{_MONTH})\b\.?,?[ ](?P<y4>[12]\d{{3}})\b"
    rf"|(?<![\w.,$€£-])(?P<y5>1[0-9]\d\d|20\d\d)(?![\w%-]|[.,]\d|[ ](?:%|(?:{_MEASURED})\b))",
    re.IGNORECASE,
)
# Capitalised only because a sentence begins with them.
_OPENING = frozenset(
    re.findall(
        r"\S+",
        """
    a about after all almost an and any approximately around as at before between but by each every exactly for
    from if in its just less more most nearly no of on only or our over some than that the their then these they
    this those to under until up upon we when while with within
    """,
    )
)
_REFERENCE = re.compile(r"\[\d+(?:[ ,–-]+\d+)*\]|^\s*(?:\(?\d{1,3}[.)]|[-*•])\s+")
_NUMBER = re.compile(
    rf"(?<![\w.,/-])(?P<sign>[$€£])?[ ]?(?P<value>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?"
    rf"|(?:{'|'.join(sorted(NUMBER_WORDS, key=len, reverse=True))})\b)(?![\d/:]|[-–][ ]?\d)"
    rf"(?:[ -]?(?P<power>{'|'.join(_MAGNITUDES)})\b)?(?:[ -]?(?P<unit>%|[a-z]+\b))?(?![\w])",
    re.IGNORECASE,
)
_WORD_BEFORE = re.compile(r"([^\W\d_][\w-]*)[ .]*$")
# Of a month's or a year's length in days.
_SAME = 0.035


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in the basic unit of its ``kind``: seconds, metres, kilograms, bytes, per cent, money, or what is
    counted."""

    value: float
    kind: str


@dataclass(frozen=True, slots=True)
class Day:
    """A date as far as it is said; what is not said is None."""

    year: int | None
    month: int | None
    day: int | None

    def contradicts(self, other: Day) -> bool:
        """Whether no day could be both."""
        pairs = ((self.year, other.year), (self.month, other.month), (self.day, other.day))
        return any(own is not None and its is not None and own != its for own, its in pairs)


@dataclass(frozen=True, slots=True)
class Stated:
    """What a sentence states, in its order, and the names that end in a number, such as ``type 2``."""

    quantities: tuple[Quantity, ...]
    days: tuple[Day, ...]
    designators: frozenset[str]


def stated(sentence: str) -> Stated:
    """The numbers and dates of a sentence; numbers of references and list items are none."""
    text = _REFERENCE.sub(" ", sentence)
    days: list[Day] = []
    designators: set[str] = set()

    def take(match: re.Match[str]) -> str:
        before = _WORD_BEFORE.search(text, 0, match.start()) if match["y5"] else None
        if before is not None and _names(before[1]):  # Model 1840, Copyright 2017
            designators.add(f"{before[1]} {match[0]}".lower())
            return " " * len(match[0])
        found = {key[0]: value for key, value in match.groupdict().items() if value and key != "iso"}
        month = found.get("m")
        number = None if month is None else int(month) if month.isdigit() else MONTHS[month.lower()]
        days.append(Day(_number(found.get("y")), number, _number(found.get("d"))))
        return " " * len(match[0])

    text = _DATE.sub(take, text)
    quantities = []
    for match in _NUMBER.finditer(text):
        unit = (match["unit"] or "").lower()
        before = _WORD_BEFORE.search(text, 0, match.start())
        counts = bool(match["sign"]) or unit in UNIT_WORDS or before is None
        if before is not None and not counts and _names(before[1]):
            designators.add(f"{before[1]} {match['value']}".lower())
        else:
            quantities.append(_quantity(match, unit))
    return Stated(tuple(quantities), tuple(days), frozenset(designators))


def differing(first: Sequence[Quantity], second: Sequence[Quantity]) -> Iterator[tuple[Quantity, Quantity]]:
    """Pairs of the same place and kind whose values differ by more than a month's length does."""
    for own, its in zip(first, second, strict=True):
        if own.kind == its.kind and own.value != its.value:
            inexact = own.kind in ("time", "length", "mass")
            if not inexact or abs(own.value - its.value) > _SAME * max(own.value, its.value):
                yield own, its


def _quantity(match: re.Match[str], unit: str) -> Quantity:
    written = match["value"].replace(",", "").lower()
    value = NUMBER_WORDS[written] if written in NUMBER_WORDS else float(written)
    value *= _MAGNITUDES.get((match["power"] or "").lower(), 1.0)
    kind, factor = _UNITS.get(match["sign"] or unit, (unit.removesuffix("s") if len(unit) > 3 else "", 1.0))
    return Quantity(value * factor, kind)


def _names(word: str) -> bool:
    """Whether a number behind this word is part of a name."""
    return word.lower() in _DESIGNATORS or (word[0].isupper() and word.lower() not in _OPENING)


def _number(digits: str | None) -> int | None:
    return None if digits is None else int(digits)
