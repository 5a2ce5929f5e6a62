"""Which files are left out: the patterns of .ragignore files, and those that a person gives.

Patterns mean what they mean in a .gitignore, see ``ignore_patterns``.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from rag_engine.errors import UnreadableSourceError, UsageError
from rag_engine.ingestion.ignore_patterns import IgnorePattern, ignore_pattern

FILE_NAME = ".ragignore"
_LARGEST_FILE = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class _Patterns:
    """Patterns as seen from ``folder``, which ends with a slash."""

    folder: str
    patterns: tuple[IgnorePattern, ...]

    def verdict(self, location: str, *, folder: bool) -> bool | None:
        """True where the last pattern that matches leaves the location out, False where it takes it in again."""
        path = location.removeprefix(self.folder)
        for pattern in reversed(self.patterns):
            if pattern.matches(path, folder=folder):
                return pattern.leaves_out
        return None

    def takes_in(self, location: str) -> bool:
        """Whether the patterns match a file, or a folder above it."""
        verdict = self.verdict(location, folder=False)
        while verdict is None and len(location := os.path.dirname(location)) >= len(self.folder):  # noqa: PTH120
            verdict = self.verdict(location, folder=True)
        return bool(verdict)


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The rules for what lies in one folder; ``within`` gives those for a folder below it.

    A .ragignore file in a deeper folder overrules one above it, and ``exclude`` overrules them all. Where there is
    an ``include``, only files that it matches are taken. A folder that is left out is not looked into, so nothing in
    it can be taken in again.
    """

    _files: tuple[_Patterns, ...] = ()  # the deepest last
    _include: _Patterns | None = None
    _exclude: _Patterns | None = None

    @classmethod
    def of(cls, root: Path, *, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> Self:
        """The rules for what lies in ``root``, with those of .ragignore files in the folders above it.

        ``root`` itself was asked for: rules that leave it out do not count.

        Raises:
            UsageError: a pattern of ``include`` or ``exclude`` is none.
            UnreadableSourceError: a .ragignore file cannot be read, or a pattern in it is none.
        """
        rules = cls()
        for folder in reversed(root.parents):
            rules = rules.within(str(folder))
        if rules.leave_out(str(root), folder=True):
            rules = cls()
        given = cls.given(root, include=include, exclude=exclude)
        return replace(given, _files=rules._files).within(str(root))

    @classmethod
    def given(cls, root: Path, *, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> Self:
        """The rules that a person gives, as seen from ``root``, without those of any file.

        Raises:
            UsageError: a pattern is none.
        """
        return cls(_include=_given(root, include), _exclude=_given(root, exclude))

    def within(self, folder: str) -> Self:
        """The rules for what lies in ``folder``: these, and its own where it has a .ragignore file.

        Raises:
            UnreadableSourceError: that file cannot be read, or a pattern in it is none.
        """
        file = os.path.join(folder, FILE_NAME)  # noqa: PTH118 - one of very many
        try:
            # Without waiting: it may be a pipe, or lead to a device.
            with open(file, "rb", opener=_open_at_once) as opened:
                content = opened.read(_LARGEST_FILE + 1) if stat.S_ISREG(os.fstat(opened.fileno()).st_mode) else None
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return self
        except OSError as error:
            raise UnreadableSourceError(f"{file} cannot be read: {error.strerror}") from error
        if content is None or len(content) > _LARGEST_FILE:
            raise UnreadableSourceError(f"{file} is no file of patterns", hint="remove it and ingest again")
        # As file names come: bytes that are no UTF-8 match the same bytes.
        lines = content.decode("utf-8-sig", "surrogateescape").split("\n")
        try:
            patterns = _compiled(folder, lines)
        except ValueError as error:
            raise UnreadableSourceError(f"{file}: {error}", hint="mend the pattern and ingest again") from error
        return replace(self, _files=(*self._files, patterns)) if patterns else self

    def leave_out(self, location: str, *, folder: bool = False) -> bool:
        """Whether what lies at ``location`` is left out, within a folder that is not."""
        if self._exclude is not None and self._exclude.verdict(location, folder=folder):
            return True
        verdicts = (patterns.verdict(location, folder=folder) for patterns in reversed(self._files))
        if next((verdict for verdict in verdicts if verdict is not None), False):
            return True
        return self._include is not None and not folder and not self._include.takes_in(location)


def _open_at_once(file: str, flags: int) -> int:
    return os.open(file, flags | getattr(os, "O_NONBLOCK", 0))


def _given(root: Path, patterns: Sequence[str]) -> _Patterns | None:
    try:
        return _compiled(str(root), patterns)
    except ValueError as error:
        raise UsageError(str(error), hint="write patterns as in a .gitignore") from error


def _compiled(folder: str, lines: Sequence[str]) -> _Patterns | None:
    """The patterns of ``lines``; None where there are none. Raises ValueError, which names the line that is none."""
    patterns = tuple(pattern for line in lines if (pattern := ignore_pattern(line)) is not None)
    return _Patterns(os.path.join(folder, ""), patterns) if patterns else None  # noqa: PTH118 - with its slash
