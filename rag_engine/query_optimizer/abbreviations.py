"""Short forms and long forms that the corpus defines, asked for besides what the question says."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag_engine.protocols import Vocabulary
from rag_engine.types.repair import RepairAddition, RepairReason

# Of what the question's own words count.
LONG_FORM_WEIGHT, SHORT_FORM_WEIGHT = 0.2, 0.1
# A form that is defined in several ways says too little, unless one of them is so common.
_LEAST_SHARE, _LEAST_TIMES = 0.6, 2
_MOST_WORDS = 5
_MOST_LOOKED_AT = 40
_TOKEN = re.compile(r"[^\W_](?:[\w./&-]*[^\W_])?")
_CAPITAL_BESIDES_FIRST = re.compile(r"^.+[A-Z]|^[A-Z]+\d|\d[A-Z]")


def additions(question: str, vocabulary: Vocabulary) -> Iterator[RepairAddition]:
    """For each short form its long form, for each long form its short form, where the corpus defines it clearly and the
    question does not say it already."""
    tokens = list(_TOKEN.finditer(question))[:_MOST_LOOKED_AT]
    lowered = question.lower()
    for token in tokens:
        short = token.group()
        if not _CAPITAL_BESIDES_FIRST.search(short):
            continue
        exact = [(long, count) for form, long, count in vocabulary.long_forms(short) if form == short]
        best = _clear(exact)
        if best is not None and best not in lowered:
            yield RepairAddition(best, LONG_FORM_WEIGHT, RepairReason.LONG_FORM, token.start(), token.end())
    end = 0
    for first in range(len(tokens)):
        if tokens[first].start() < end:
            continue
        for last in range(min(len(tokens), first + _MOST_WORDS) - 1, first, -1):
            start, stop = tokens[first].start(), tokens[last].end()
            found = vocabulary.short_forms(" ".join(lowered[start:stop].split()))
            best = _clear([(short, count) for short, _, count in found])
            if best is not None and best.lower() not in lowered.split():
                yield RepairAddition(best, SHORT_FORM_WEIGHT, RepairReason.SHORT_FORM, start, stop)
                end = stop
                break


def _clear(forms: list[tuple[str, int]]) -> str | None:
    """The form that nearly all definitions give; forms come by frequency."""
    if not forms:
        return None
    (best, times), total = forms[0], sum(count for _, count in forms)
    return best if times >= _LEAST_TIMES and times >= _LEAST_SHARE * total else None
