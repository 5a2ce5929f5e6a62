"""Where commands print: what comes from documents and names of files cannot make a terminal obey."""

from __future__ import annotations

import sys
import unicodedata
from typing import Any

from rich.console import Console
from rich.text import Text

# Control characters are shown: those of ASCII by the picture that Unicode has of each, the others as unknown ones.
_SHOWN = {
    code: 0x2421 if code == 0x7F else 0x2400 + code if code < 0x20 else 0xFFFD
    for code in range(0xA0)
    if unicodedata.category(chr(code)) == "Cc" and chr(code) not in "\n\t"
}


def visible(text: str) -> str:
    """The text with every control character but line ends and tabs in a form that can be seen, one for one."""
    return text.translate(_SHOWN)


def in_one_line(name: str) -> str:
    """A name of a document or file, whose line ends and tabs are shown too."""
    return visible(name).replace("\n", "\u240a").replace("\t", "\u2409")


class _Terminal(Console):
    """A console that shows the control characters in what it is given to print."""

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*map(_visible, objects), **options)


def _visible(printed: Any) -> Any:
    if isinstance(printed, str):
        return visible(printed)
    if isinstance(printed, Text):
        shown = printed.copy()
        shown.plain = visible(printed.plain)  # as long as before: the styles stay where they were
        return shown
    return printed


def console() -> Console:
    """Standard output; lines are not wrapped where it is no terminal."""
    wide = None if sys.stdout.isatty() else 10_000
    return _Terminal(file=sys.stdout, width=wide, highlight=False, soft_wrap=wide is not None)


def error_console() -> Console:
    """Standard error, whose lines are not wrapped."""
    return _Terminal(stderr=True, highlight=False, soft_wrap=True)


def print_error(message: str) -> None:
    """Tells of a failure in one line of standard error."""
    sys.stderr.write(f"rag: {visible(' '.join(message.split()))}\n")
