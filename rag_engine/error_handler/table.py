"""The one table of faults: what a provider said, the error that it means, and what to do about it."""

from __future__ import annotations

import functools
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from fnmatch import translate
from importlib import resources
from re import Pattern
from re import compile as compile_pattern
from typing import Any, NamedTuple

from rag_engine.error_handler.actions import Action, Verdict, verdict_of
from rag_engine.error_handler.forks import across_forks
from rag_engine.error_handler.signal import FaultSignal, Phase
from rag_engine.errors import LanguageModelError, RoutingError

UNKNOWN_KEPT = 256
LONGEST_WORD = 64
# Providers say in the first lines what the matter is; a page of HTML is not searched through.
LONGEST_MESSAGE = 2000


@dataclass(frozen=True, slots=True)
class Row:
    """One line of ``faults.toml``. An empty field fits anything; ``says`` and ``messages`` are patterns for text in
    lower case.

    ``says`` looks at the type, the code and each reason alike: servers that speak OpenAI's form put the same word now
    here, now there.
    """

    name: str
    error: type[LanguageModelError]
    verdict: Verdict
    providers: frozenset[str] = frozenset()
    statuses: tuple[range, ...] = ()
    unless_statuses: tuple[range, ...] = ()
    says: Pattern[str] | None = None
    messages: Pattern[str] | None = None
    needs_header: str = ""
    lacks_header: str = ""
    phases: frozenset[Phase] = frozenset()
    unforeseen: bool = False

    def fits(self, signal: FaultSignal, words: Iterable[str], message: str) -> bool:
        """Whether the row is about this fault; ``words`` and ``message`` are the signal's, in lower case."""
        if self.providers and signal.provider not in self.providers:
            return False
        status = -1 if signal.status is None else signal.status  # a range looks for None number by number
        if self.statuses and not any(status in statuses for statuses in self.statuses):
            return False
        if self.unless_statuses and any(status in statuses for statuses in self.unless_statuses):
            return False
        if self.phases and signal.phase not in self.phases:
            return False
        if self.needs_header and not any(self.needs_header in name for name in signal.headers):
            return False
        if self.lacks_header and any(self.lacks_header in name for name in signal.headers):
            return False
        if self.says and not any(self.says.fullmatch(word) for word in words):
            return False
        return self.messages is None or self.messages.fullmatch(message) is not None


class UnknownSignal(NamedTuple):
    """What a provider named a fault for which no row has the name; kept in few characters."""

    provider: str
    status: int | None
    type: str
    code: str
    reason: str


_unknown: Counter[UnknownSignal] = Counter()
_unknown_lock = threading.Lock()


def row_for(signal: FaultSignal) -> Row:
    """The first row that fits. Where the provider named the fault and only its status decided, that is counted."""
    words = _words(signal)
    message = signal.message[:LONGEST_MESSAGE].lower()
    row = next(row for row in rows() if row.fits(signal, words, message))
    named = any(not word.isdigit() for word in words)
    if row.unforeseen or (named and row.says is None and row.messages is None):
        _count(signal)
    return row


def unknown_signals() -> Mapping[UnknownSignal, int]:
    """How often each fault came that a provider named and no row knows, in this process: what the table lacks. At most
    256 different ones are kept."""
    with _unknown_lock:
        return dict(_unknown)


@functools.cache
def rows() -> tuple[Row, ...]:
    """The whole table, in the order in which it is read."""
    import tomllib

    text = resources.files("rag_engine.error_handler").joinpath("faults.toml").read_text(encoding="utf-8")
    return tuple(read_row(**row) for row in tomllib.loads(text)["rows"])


def read_row(
    *,
    name: str,
    error: str,
    statuses: Iterable[int | str] = (),
    unless_statuses: Iterable[int | str] = (),
    says: Iterable[str] = (),
    messages: Iterable[str] = (),
    providers: Iterable[str] = (),
    phases: Iterable[str] = (),
    needs_header: str = "",
    lacks_header: str = "",
    unforeseen: bool = False,
    **verdict: Any,
) -> Row:
    """A row as its line of TOML says it.

    Raises:
        KeyError, TypeError, ValueError: the line is not one of this table. It is ours: no user writes into it.
    """
    kind = error_classes()[error]
    unknown = set(verdict) - {field.name for field in fields(Verdict)} | set(verdict) & {"retry_after"}
    if unknown:
        raise TypeError(f"row {name} of the table of faults has unknown keys: {', '.join(sorted(unknown))}")
    if "action" in verdict:
        verdict["action"] = Action(verdict["action"])
    return Row(
        name=name,
        error=kind,
        verdict=replace(verdict_of(kind), **verdict),
        providers=frozenset(providers),
        statuses=tuple(map(_statuses, statuses)),
        unless_statuses=tuple(map(_statuses, unless_statuses)),
        says=_pattern(says),
        messages=_pattern(messages),
        needs_header=needs_header,
        lacks_header=lacks_header,
        phases=frozenset(map(Phase, phases)),
        unforeseen=unforeseen,
    )


@functools.cache
def error_classes() -> Mapping[str, type[LanguageModelError]]:
    """Every error of a call of a language model, by its code. Those of routes are told of several calls."""
    found: dict[str, type[LanguageModelError]] = {}
    waiting = [LanguageModelError]
    while waiting:
        kind = waiting.pop()
        if kind.__module__ == LanguageModelError.__module__ and kind is not RoutingError:
            found[kind.code] = kind
            waiting.extend(kind.__subclasses__())
    return found


def _words(signal: FaultSignal) -> list[str]:
    named = (signal.type[:LONGEST_MESSAGE], signal.code[:LONGEST_MESSAGE], *signal.reason[:LONGEST_MESSAGE].split(","))
    return [word.strip().lower() for word in named if word.strip()]


def _statuses(text: int | str) -> range:
    first, _, last = str(text).partition("-")
    return range(int(first), int(last or first) + 1)


def _pattern(patterns: Iterable[str]) -> Pattern[str] | None:
    """One expression for all of them: as in a shell, in lower case."""
    parts = [translate(pattern.lower()) for pattern in patterns]
    return compile_pattern("|".join(parts)) if parts else None


def _count(signal: FaultSignal) -> None:
    short = (text[:LONGEST_WORD] for text in (signal.type, signal.code, signal.reason))
    key = UnknownSignal(signal.provider, signal.status, *short)
    with _unknown_lock:
        if key in _unknown or len(_unknown) < UNKNOWN_KEPT:
            _unknown[key] += 1


def _begin_anew(_: object) -> None:
    global _unknown_lock  # noqa: PLW0603 - in the child of a fork the parent's may be held for ever
    _unknown_lock = threading.Lock()


across_forks(unknown_signals, begin_anew=_begin_anew)
