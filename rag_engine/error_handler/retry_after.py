"""How long a provider asks to wait, in every form in which providers say it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|us|µs|μs|ns|h|m|s))+", re.ASCII)
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|μs|ns|h|m|s)", re.ASCII)
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}
_IN_WORDS = re.compile(r"(?:retry|try again) (?:in|after) (\d+(?:\.\d+)?)( seconds?|[a-z][0-9a-z.]*)", re.ASCII | re.I)

# Numbers above are moments since 1970, below seconds from now: three years of waiting or the year 1973.
_FIRST_MOMENT = 1e8


def retry_after(
    headers: Mapping[str, str], *, now: datetime | None = None, body_delay: float | None = None
) -> float | None:
    """Seconds, in [0, infinity); None where nothing usable is said.

    In this order: ``retry-after-ms`` and ``x-ms-retry-after-ms``; ``retry-after`` as a number or a date of HTTP (seen
    from the answer's own ``date``, so that our clock does not matter; a date that has passed is 0); ``body_delay``,
    what the body says in seconds (Google's RetryInfo); and the reset of a limit of which nothing remains, as OpenAI
    (``6m0s``) and Anthropic (RFC 3339) tell it. What is negative, no number or infinite counts as not said. A wait
    without measure is kept: whether it fits is for the deadline to say.

    ``headers`` have lower-case names. ``now`` is the time without which a date says nothing, the clock's by default.
    """
    moment = _moment(headers.get("date", "")) or now or datetime.now(UTC)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        milliseconds = _number(headers.get(name, ""))
        if milliseconds is not None:
            return milliseconds / 1000
    said = headers.get("retry-after", "")
    seconds = _number(said)
    if seconds is None:
        seconds = _until(_moment(said), moment)
    if seconds is None and body_delay is not None:
        seconds = _usable(body_delay)
    if seconds is None:
        resets = [wait for wait in (_reset(value, moment) for value in _spent(headers)) if wait is not None]
        seconds = max(resets) if resets else None
    return seconds


def seconds_until_reset(said: str, headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Seconds until the reset that one of the headers names: as seconds, as Go's ``6m0s``, as seconds since 1970 or as
    a date, which is seen from the answer's own ``date``, else from ``now``; None where it says nothing usable."""
    wait = _number(said)
    if wait is not None and wait < _FIRST_MOMENT:
        return wait
    wait = _duration(said)
    return _reset(said, _moment(headers.get("date", "")) or now) if wait is None else wait


def should_retry(headers: Mapping[str, str]) -> bool | None:
    """What ``x-should-retry`` says, the provider's own opinion; None where it has none."""
    return {"true": True, "false": False}.get(headers.get("x-should-retry", "").strip().lower())


def delay_in_words(message: str) -> float | None:
    """Seconds, where a message says *retry after 20 seconds* or *try again in 6m0s*: the last resort."""
    found = _IN_WORDS.search(message)
    if found is None:
        return None
    number, unit = found.groups()
    return _number(number) if unit.lower().startswith(" second") else _duration((number + unit).rstrip("."))


def _usable(seconds: float) -> float | None:
    """The number, unless it is negative or none; one too large for a float becomes the largest."""
    return seconds if 0.0 <= seconds < float("inf") else None


def _number(text: str) -> float | None:
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        return None
    return _usable(min(float(text), sys.float_info.max))


def _duration(text: str) -> float | None:
    """Go's form, such as ``1h2m3.5s`` or ``17ms``."""
    text = text.strip()
    if not _DURATION.fullmatch(text):
        return None
    total = sum(float(number) * _SECONDS[unit] for number, unit in _DURATION_PART.findall(text))
    return min(total, sys.float_info.max)


@lru_cache(maxsize=64)  # an answer's date and resets are read several times, and answers of one second share theirs
def _moment(text: str) -> datetime | None:
    """A date of HTTP or of RFC 3339."""
    text = text.strip()
    if not text or len(text) > 64:
        return None
    from email.utils import parsedate_to_datetime

    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _until(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def _spent(headers: Mapping[str, str]) -> Iterator[str]:
    """The resets of limits of which nothing remains."""
    for name, value in headers.items():
        if "ratelimit" in name and "remaining" in name and _number(value) == 0.0:
            yield headers.get(name.replace("remaining", "reset"), "")


def _reset(text: str, now: datetime) -> float | None:
    number = _number(text)
    if number is not None:
        return number if number < _FIRST_MOMENT else max(0.0, number - now.timestamp())
    wait = _duration(text)
    return wait if wait is not None else _until(_moment(text), now)
