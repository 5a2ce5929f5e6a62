"""Where statements of source code begin, by a scan that knows brackets, strings and indentation, but no language."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rag_engine.semantic_chunking.list_items import indentation

_TOKEN = re.compile(
    r"""
    \"{3} | '{3} | ` | /\* | //[^\n]*+ | (?<!\S)\#[^\n]*+
  | "(?:[^"\\\n]|\\[^\n]){0,100}+" | '(?:[^'\\\n]|\\[^\n]){0,100}+'
  | [(\[] [^()\[\]{}\"'`\#/\n]{0,100}+ [)\]] | [()\[\]{}] | \n
    """,
    re.VERBOSE,
)
_FENCE_LINE = re.compile(r"[ ]{0,3}(?:`{3,}|~{3,})[^\n]*")
_CLOSING_FENCE = re.compile(r"\n[ ]{0,3}(?:`{3,}|~{3,})\s*\Z")
_CLOSERS = {"[": "]", "{": "}"}
_TEMPLATE_CHARACTERS = 4_000  # a back quote is closed within so many, or it is none of a string's
_GOES_ON = re.compile(
    r"[ \t]*(?:[)\]},;.?:+*/&|<=>{]|(?:else|elif|elsif|except|finally|catch|rescue|ensure|then|end|fi|done|esac)\b)"
)
_EXPECTS_MORE = ("\\", " =", "&&", "||", " and", " or", " not", " in")
_INTRODUCES = re.compile(r"[ \t]*(?:@\w|\#\[|\#\s|\#!|//|--\s|/\*|\*)")
_VALUE_BEFORE = ("=", "(", "[", ",", ":", "?", "return")
_ENDS_OVER_LINES = {'"""': '"""', "'''": "'''", "`": "`", "/*": "*/"}
_CLOSES = re.compile(r"[ \t]*[)\]}]")
_OPENS_RECORD = re.compile(r"[ \t]*\{")
_BLANK = re.compile(r"[^\S\n]*+(?:\n|\Z)")
_LOOK_BACK = 60


_Bracket = tuple[str, int, bool]  # what closes it, the indentation of its line, whether statements are inside


class Statement(NamedTuple):
    """A line that begins a statement: where, its columns of indentation, and whether blank lines are before it."""

    start: int
    indentation: int
    after_blank: bool


class Statements:
    """The statements of the code at [start, end) of a text, behind the first one; found in one linear scan."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self._all = list(_scan(text, *_without_fences(text, start, end)))
        self._starts = [statement.start for statement in self._all]

    def outermost(self, _text: str, start: int, end: int) -> list[int]:
        """Starts of the least indented statements in (start, end)."""
        within = self._within(start, end)
        least = min((statement.indentation for statement in within), default=0)
        return [statement.start for statement in within if statement.indentation == least]

    def outermost_after_blank(self, text: str, start: int, end: int) -> list[int]:
        """Those of the least indented statements that come after a blank line."""
        after_blank = {statement.start for statement in self._within(start, end) if statement.after_blank}
        return [position for position in self.outermost(text, start, end) if position in after_blank]

    def every(self, _text: str, start: int, end: int) -> list[int]:
        """Starts of all statements in (start, end)."""
        return [statement.start for statement in self._within(start, end)]

    def _within(self, start: int, end: int) -> Sequence[Statement]:
        return self._all[bisect_right(self._starts, start) : bisect_left(self._starts, end)]


def _without_fences(text: str, start: int, end: int) -> tuple[int, int]:
    opening = _FENCE_LINE.match(text, start, end)
    if opening is None:
        return start, end
    closing = text.rfind("\n", opening.end(), end)
    fenced = closing >= 0 and _CLOSING_FENCE.match(text[closing:end]) is not None
    return min(opening.end() + 1, end), closing if fenced else end


def _scan(text: str, start: int, end: int) -> Iterator[Statement]:
    if text.find("\n", start, end) < 0:
        return
    open_: list[_Bracket] = []
    last_comment_end = text.rfind("*/", start, end)
    line, columns, previous = start, indentation(text, start), ""
    blank = False
    position = start
    while token := _TOKEN.search(text, position, end):
        position = token.end()
        mark = token.group()
        if mark == "\n":
            blank = _BLANK.match(text, line, position) is not None
            introduced = not blank and _INTRODUCES.match(text, line, position) is not None
            if not blank:
                previous = text[max(line, position - 1 - _LOOK_BACK) : position - 1].rstrip()
            line = position
            if line < end and not _BLANK.match(text, line, end):
                columns = indentation(text, line)
                if not _CLOSES.match(text, line):
                    while open_ and not open_[-1][2] and columns <= open_[-1][1]:
                        open_.pop()  # the scan took for a bracket what is none, or lost what closes it
                if not introduced and _begins(text, line, previous, open_):
                    yield Statement(line, columns, blank)
        elif mark == "(":
            open_.append((")", columns, False))
        elif mark in _CLOSERS:
            before = text[max(line, position - 1 - _LOOK_BACK) : position - 1].rstrip()
            opens_body = mark == "{" and not before.endswith(_VALUE_BEFORE)
            is_block = opens_body if before else not open_ or open_[-1][2]
            open_.append((_CLOSERS[mark], columns, is_block))
        elif mark in (")", "]", "}"):
            if open_ and open_[-1][0] == mark:
                open_.pop()
        elif mark in _ENDS_OVER_LINES:
            reach = min(end, position + _TEMPLATE_CHARACTERS) if mark == "`" else end
            known = mark != "/*" or token.start() < last_comment_end
            closed = text.find(_ENDS_OVER_LINES[mark], position, reach) if known else -1
            position = closed + len(mark) if closed >= 0 else position


def _begins(text: str, line: int, previous: str, open_: list[_Bracket]) -> bool:
    """Whether the line begins a statement, after the line that ends in ``previous`` and within the open brackets."""
    if open_ and not open_[-1][2]:
        return False
    within_list = bool(open_) and open_[-1][0] == "]"
    if _GOES_ON.match(text, line) and not (within_list and _OPENS_RECORD.match(text, line)):
        return False
    return not previous.endswith(_EXPECTS_MORE) and (bool(open_) or not previous.endswith(","))
