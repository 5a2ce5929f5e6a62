"""Turns of transcripts, chats and subtitles, found only where there are several of them.

Read are ``Speaker: text``, ``[00:01:02] Speaker: text``, ``Speaker (00:12)`` on a line of its own, cues of WebVTT and
SubRip, chat exports such as ``2024-05-01, 10:22 - Ana: hi``, and message objects such as ``{"role": "user", ...``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

_FEWEST_TURNS = 3
_LONGEST_TURN = 6_000  # characters; a longer one ends the run
_PARAGRAPHS_OF_A_TURN = 5  # a speaker without a time who says more ends the run
_LONGEST_SPEAKER = 40  # characters
_STAMP = r"(?:\d{1,3}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?(?:[ ]?[AaPp]\.?[Mm]\b\.?)?(?![\d:])"
_DATE = r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}"
_WORD = r"[^\W\d_][\w.'’&\#-]{0,30}+"
_NAME = rf"{_WORD}(?:[ ](?:{_WORD}|\d{{1,3}}(?![\d:]))){{0,3}}+(?:[ ]\([^\W\d][\w .]{{0,20}}+\))?+"
_TURN = re.compile(
    rf"""
    \n[ \t]{{0,8}}+(?:
        (?P<cue> {_STAMP}[ \t]+-->[ \t]+{_STAMP}[^\n]*+ )
      | [\[(<]? (?:{_DATE},?[T \t]{{1,2}})? (?P<stamp> {_STAMP} ) [\])>]? [ \t]{{0,3}}+ (?:[-–—:][ \t]+)?
        (?: (?P<stamped> {_NAME} ) [ \t]?[:：] )?
      | (?:\*\*|__)? (?P<named> {_NAME} )
        (?:
            (?:[ \t]?[\[(](?P<in_brackets> {_STAMP} )[\])])? (?:[:](?:\*\*|__)?(?=\s)|(?:\*\*|__)[:](?=\s)|：)
          | [ \t]{{1,3}}[\[(]?(?P<behind> {_STAMP} )[\])]?[ \t]*+(?=\r?\n|\Z)
        )
    )
    """,
    re.VERBOSE,
)
_MESSAGE = re.compile(r"\[?\{\s{0,20}['\"](?:role|content|speaker|author|sender|from)['\"]\s{0,5}:")
_CUE_NUMBER = re.compile(r"(?:\A|\n)[ \t]*(\d{1,6})[ \t]*\r?\n\Z")
_VOICE = re.compile(r"\s*<v(?:\.[^\s>]*)?[ \t]+([^>\n]{1,40})>")
_CUE_NUMBER_CHARACTERS = 10
_LETTER = re.compile(r"[^\W\d_]")
_LOOK_AHEAD = 20  # characters behind a label without a time: what is said begins there
# Words before a colon that head a remark and speak no turn.
_NO_SPEAKERS = frozenset(
    """
    abstract address age args attention attn author authors background by caution cc city company conclusion
    conclusions country date default department design doi e-mail editor editors email example examples fax fig
    figure from hint http https important isbn issn its keyword keywords license method methods name note notes
    objective objectives organization parameters participants phone pmid print raises re remark result results
    return returns see setting signature signed source sources state status step subject summary table tel
    telephone time tip title to todo type url value version warning website witness witnesses yields
    """.split()  # noqa: SIM905 - words, not a program's strings
)


class Turn(NamedTuple):
    """What one speaker says, at [start, end) of the text; ``speaker`` is empty where the text names none."""

    start: int
    end: int
    speaker: str


class _Mark(NamedTuple):
    """What may open a turn: where, where its label ends, who speaks, and whether a time or an object says so.

    What is no turn, but the field of a record or a note, ends the run.
    """

    start: int
    end: int
    speaker: str
    is_certain: bool
    is_turn: bool = True


def find_turns(text: str) -> list[Turn]:
    """Turns in order. A run of them has three at least; without times it has two speakers, one of them twice.

    What runs count as is decided by their own lines, so that an edit changes no turn far from it. Time is linear.
    """
    turns: list[Turn] = []
    run: list[_Mark] = []
    for mark in _marks(text):
        if not mark.is_turn or (run and _ends_run(text, run[-1], mark)):
            turns += _turns(text, run, mark.start)
            run = []
        if mark.is_turn:
            run.append(mark)
    return turns + _turns(text, run, len(text))


def _marks(text: str) -> list[_Mark]:
    marks: list[_Mark] = []
    # The line break in front makes every line begin with one: a search for it is fast.
    for match in _TURN.finditer("\n" + text):
        mark = _mark(text, match)
        if mark is None:
            continue
        if marks and mark.speaker and not marks[-1].speaker and not text[marks[-1].end : mark.start].strip():
            marks[-1] = _Mark(marks[-1].start, mark.end, mark.speaker, is_certain=True)  # a time above its line
        else:
            marks.append(mark)
    messages = [_Mark(match.start(), match.end(), "", is_certain=True) for match in _MESSAGE.finditer(text)]
    return sorted(marks + messages) if messages else marks


def _mark(text: str, match: re.Match[str]) -> _Mark | None:
    name = match.group("stamped") or match.group("named") or ""
    is_certain = any(match.group(stamp) for stamp in ("cue", "stamp", "in_brackets", "behind"))
    end = match.end() - 1
    start = end - len(match.group().lstrip())
    if name and not is_certain:
        if name[0].islower() or len(name) > _LONGEST_SPEAKER:
            return None
        is_field = not _NO_SPEAKERS.isdisjoint(name.casefold().split()[-1:])
        says_nothing = _LETTER.search(text, end, end + _LOOK_AHEAD) is None
        return _Mark(start, end, name + ":", is_certain=False, is_turn=not (is_field or says_nothing))
    if match.group("cue"):
        number = _CUE_NUMBER.search(text, max(0, start - _CUE_NUMBER_CHARACTERS), start)
        voice = _VOICE.match(text, end)
        return _Mark(number.start(1) if number else start, end, voice.group(1).strip() + ":" if voice else "", True)
    return _Mark(start, end, name + ":" if name else "", is_certain)


def _ends_run(text: str, last: _Mark, mark: _Mark) -> bool:
    if mark.start - last.start > _LONGEST_TURN or last.is_certain != mark.is_certain:
        return True
    return not mark.is_certain and text.count("\n\n", last.start, mark.start) > _PARAGRAPHS_OF_A_TURN


def _turns(text: str, run: Sequence[_Mark], limit: int) -> list[Turn]:
    """The turns of a run, if it is one; the last goes on to the next blank line, but not behind ``limit``."""
    if len(run) < _FEWEST_TURNS or not (run[0].is_certain or _converse([mark.speaker for mark in run])):
        return []
    limit = min(limit, run[-1].end + _LONGEST_TURN)
    blank = text.find("\n\n", run[-1].end, limit)
    ends = [*(mark.start for mark in run[1:]), blank if blank >= 0 else limit]
    return [Turn(mark.start, end, mark.speaker) for mark, end in zip(run, ends, strict=True)]


def _converse(speakers: Sequence[str]) -> bool:
    """Whether these labels are speakers who answer each other, and not the names of a record's fields.

    Speakers return, and they take turns. So do the fields of records, but three or more of them in one order: each
    has one that follows it.
    """
    names = len(set(speakers))
    if not 1 < names <= len(speakers) / 2 + 1 or names == len(speakers):
        return False
    pairs = list(pairwise(speakers))
    taken = sum(speaker != following for speaker, following in pairs)
    return 2 * taken >= len(pairs) and (names == 2 or len(set(pairs)) > names)
