"""Patterns as they stand in a .gitignore (https://git-scm.com/docs/gitignore), as regular expressions.

Written here and tested against git: pathspec, the known library, also lets a pattern match what lies below its match,
so that the common ``*``, ``!*/``, ``!*.md`` leaves out everything. Here a pattern matches an entry itself, and a
folder that is left out is not looked into, as git does it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_CLASS = re.compile(r"\[([!^]?)(\]?(?:\[:\w+:\]|\\.|[^\]\\])*)\]")
_NAMED_CLASSES = {"alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z"} | {
    "space": " \\t-\\r",
    "blank": " \\t",
    "xdigit": "0-9A-Fa-f",
    "punct": r"!-/:-@\[-`{-~",
    "cntrl": "\\x00-\\x1f\\x7f",
    "graph": "!-~",
    "print": " -~",
}


@dataclass(frozen=True, slots=True)
class IgnorePattern:
    """One pattern: ``leaves_out`` is False where it begins with ``!`` and takes in again what it matches."""

    expression: re.Pattern[str]
    leaves_out: bool
    only_folders: bool

    def matches(self, path: str, *, folder: bool) -> bool:
        """Whether it matches an entry, whose path is seen from the pattern's folder and has no slash at its end."""
        return (folder or not self.only_folders) and self.expression.fullmatch(path) is not None


def ignore_pattern(line: str) -> IgnorePattern | None:
    """The pattern of one line; None where the line is empty or a comment.

    Raises:
        ValueError: it is no pattern; says which.
    """
    # Spaces at the end do not count unless a backslash stands before them.
    line = line.rstrip("\r\n")
    body = line.rstrip(" ")
    body += " " if body.endswith("\\") and len(body) < len(line) else ""
    if not body or body.startswith("#"):
        return None
    leaves_out = not body.startswith("!")
    path = body if leaves_out else body[1:]
    only_folders = path.endswith("/")
    path = path.rstrip("/") if only_folders else path
    try:
        # With a slash anywhere but at the end it is seen from its folder, else it is a name in any folder below.
        anywhere = "" if "/" in path else "(?:.*/)?"
        expression = re.compile(anywhere + _expression(path.removeprefix("/")), re.DOTALL)
    except (ValueError, KeyError, re.error) as error:
        raise ValueError(f"{line!a} is no pattern") from error
    return IgnorePattern(expression, leaves_out, only_folders)


def _expression(path: str) -> str:
    # What stands before a wildcard is matched where it first can be, for good: with other places to try, a few
    # wildcards and a long name would take for ever.
    parts: list[str] = []
    anywhere = False
    while True:
        while path.startswith("**/"):
            path, anywhere = path[3:], True
        here, between, path = path.partition("/**/")
        if not between:
            return "".join((*parts, "(?:.*/)?" if anywhere else "", _ending(here)))
        parts.append(f"(?>(?:[^/]*/)*?{_without_folders(here)}/)" if anywhere else f"{_without_folders(here)}/")
        anywhere = True


def _ending(path: str) -> str:
    if not path:
        raise ValueError
    if path == "**":
        return ".*"
    return _without_folders(path[:-3]) + "/.+" if path.endswith("/**") else _without_folders(path)


def _without_folders(path: str) -> str:
    """The expression of a path in which ``**`` means no more than ``*``."""
    chunks: list[list[str]] = [[]]  # what stands between asterisks
    position = 0
    while position < len(path):
        character = path[position]
        if character == "\\":
            if position + 1 == len(path):
                raise ValueError
            chunks[-1].append(re.escape(path[position + 1]))
            position += 2
        elif character == "[":
            bracket = _CLASS.match(path, position)
            if bracket is None:
                raise ValueError
            chunks[-1].append(f"(?!/)[{'^' if bracket[1] else ''}{_members(bracket[2])}]")
            position = bracket.end()
        else:
            if character == "*":
                chunks.append([])
            else:
                chunks[-1].append("[^/]" if character == "?" else re.escape(character))
            position += 1
    first, *others = map("".join, chunks)
    if not others:
        return first
    return first + "".join(f"(?>[^/]*?{chunk})" for chunk in others[:-1]) + f"[^/]*{others[-1]}"


def _members(members: str) -> str:
    """What stands in a bracket expression, as a regular expression has it."""
    members = re.sub(r"\[:(\w+):\]", lambda match: _NAMED_CLASSES[match[1]], members)
    return re.sub(r"(\\.)|([\[\]&~|^])", lambda match: match[1] or "\\" + match[2], members)
