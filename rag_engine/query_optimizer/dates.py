"""Days, months, years and spans of time as people write them in English questions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from rag_engine.query_optimizer.patterns import Pattern

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_BY_BEGINNING = {month[:3]: number for number, month in enumerate(_MONTHS, start=1)}
_MONTH = "(?:" + "|".join(f"{month[:3]}(?:{month[3:]})?" if len(month) > 3 else month for month in _MONTHS) + r")\.?"
_ORDINAL = r"\d{1,2}(?:st|nd|rd|th)?"
_DAY = rf"(?:\d{{4}}-\d{{2}}-\d{{2}}|{_ORDINAL}\s+(?:of\s+)?{_MONTH},?\s+\d{{4}}|{_MONTH}\s+{_ORDINAL},?\s+\d{{4}})"
_POINT = rf"(?:{_DAY}|\d{{4}}-\d{{2}}(?!-?\d)|{_MONTH},?\s+\d{{4}}|(?:1\d|20)\d{{2}}(?![\d-]))"
_RELATIVE = (
    r"(?:(?:the\s+)?(?:last|past|previous)\s+\d{1,3}\s+(?:day|week|month|year)s?|(?:last|this|previous)\s+(?:week|month|year)"
    r"|yesterday|today)"
)
_RANGE = Pattern(
    rf"\b(?:between\s+(?P<from>{_POINT})\s+and\s+(?P<to>{_POINT})|from\s+(?P<from2>{_POINT})\s+(?:to|until|till|through)\s+"
    rf"(?P<to2>{_POINT})|(?P<how>in|from|of|during|on|dated|since|after|before|until|till|by|prior\s+to|later\s+than"
    rf"|earlier\s+than|within|over)\s+(?:the\s+year\s+)?(?P<at>{_POINT}|{_RELATIVE})|(?P<bare>{_RELATIVE}))(?!\w)",
    re.IGNORECASE,
)
_FROM_ON = ("since",)
_AFTER = ("after", "later than")
_BEFORE = ("before", "prior to", "earlier than")
_UP_TO = ("until", "till", "by")


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """From ``first`` on, before ``end``; None where it is open. ``start`` to ``stop`` are the characters of it."""

    first: date | None
    end: date | None
    start: int
    stop: int

    @property
    def whole_years(self) -> bool:
        """Whether it begins and ends with a year."""
        return all(day is None or (day.month, day.day) == (1, 1) for day in (self.first, self.end))


def time_spans(text: str, *, today: date) -> Iterator[TimeSpan]:
    """Spans of time that the text names, in order; ``today`` is the day for words such as yesterday."""
    for match in _RANGE.finditer(text):
        begin, until = match["from"] or match["from2"], match["to"] or match["to2"]
        first: date | None
        end: date | None
        try:
            if begin and until:
                first, end = _point(begin, today)[0], _point(until, today)[1]
            else:
                first, end = _open(match["how"], _point(match["at"] or match["bare"], today))
        except (ValueError, OverflowError):  # no such day
            continue
        yield TimeSpan(first, end, match.start(), match.end())


def _open(how: str | None, span: tuple[date, date]) -> tuple[date | None, date | None]:
    word = " ".join((how or "in").lower().split())
    if word in _AFTER:
        return span[1], None
    if word in _FROM_ON:
        return span[0], None
    if word in _BEFORE:
        return None, span[0]
    if word in _UP_TO:
        return None, span[1]
    return span


def _point(text: str, today: date) -> tuple[date, date]:
    words = text.lower().replace(",", " ").replace(".", " ").split()
    words = [word for word in words if word not in ("of", "the")]
    if words[0] in ("yesterday", "today"):
        day = today - timedelta(days=words[0] == "yesterday")
        return day, day + timedelta(days=1)
    if words[0] in ("last", "this", "previous", "past"):
        return _relative(words, today)
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    month = next((_BY_BEGINNING[word[:3]] for word in words if word[:3] in _BY_BEGINNING), 0)
    if month:
        year = numbers[-1]
        return _day(year, month, numbers[0]) if len(numbers) > 1 else _month(year, month)
    if len(numbers) == 3:
        return _day(*numbers)
    return _month(*numbers) if len(numbers) == 2 else (date(numbers[0], 1, 1), date(numbers[0] + 1, 1, 1))


def _relative(words: list[str], today: date) -> tuple[date, date]:
    if words[1].isdigit():
        days = int(words[1]) * {"day": 1, "week": 7, "month": 30, "year": 365}[words[2].rstrip("s")]
        return today - timedelta(days=days), today + timedelta(days=1)
    back = words[0] != "this"
    if words[1] == "year":
        return date(today.year - back, 1, 1), date(today.year - back + 1, 1, 1)
    if words[1] == "month":
        year, month = divmod(today.year * 12 + today.month - 1 - back, 12)
        return _month(year, month + 1)
    monday = today - timedelta(days=today.weekday() + 7 * back)
    return monday, monday + timedelta(days=7)


def _month(year: int, month: int) -> tuple[date, date]:
    return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1)


def _day(year: int, month: int, day: int) -> tuple[date, date]:
    first = date(year, month, day)
    return first, first + timedelta(days=1)
