"""Patterns that are compiled when first used: most questions need few of them, and a command asks one question."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property


class Pattern:
    """A regular expression; as ``re.compile``, later."""

    def __init__(self, pattern: str, flags: int = 0) -> None:
        self._source = pattern
        self._flags = flags

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The expression itself."""
        return re.compile(self._source, self._flags)

    def search(self, text: str) -> re.Match[str] | None:
        """The first place where it matches."""
        return self.compiled.search(text)

    def match(self, text: str, start: int = 0) -> re.Match[str] | None:
        """Whether it matches from ``start`` on."""
        return self.compiled.match(text, start)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """All places where it matches."""
        return self.compiled.finditer(text)

    def sub(self, replacement: str, text: str) -> str:
        """The text with every match replaced."""
        return self.compiled.sub(replacement, text)
