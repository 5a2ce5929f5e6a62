"""What is seen of a question at a glance: its length, its signs, how it opens, what it asks to be written.

Sentence vectors tell what a question is about; they say little of how hard it is. Length, figures, code and formulae
do, and models differ in what they make of them.
"""

from __future__ import annotations

import math
import re

_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_CODE = re.compile(r"\bdef |\breturn\b|\bclass \w+|\bimport \w|```|\"\"\"|'''|\bSELECT\b|#include|[;{}]\s*$|\w\(", re.M)
_FORMULA = re.compile(r"\\[a-zA-Z]+|\$[^$\n]+\$|\^\{?\w|\b[a-z]\s*=")
_OPTION = re.compile(r"(?:^|\s)\(?[A-E][).:]\s", re.M)
_STEPS = frozenset(("think", "step", "steps", "explain", "reason", "careful", "carefully", "final"))
_ORDERS = frozenset(
    ("write", "find", "calculate", "compute", "solve", "determine", "list", "give", "prove", "translate")
)
_ASKS = ("what", "who", "when", "where", "which", "why", "how", "if")
_READ = 2_000  # characters; what follows is as the beginning
_SIGNS = frozenset("$\\{}^=+*/<>|~_")


def surface(question: str) -> list[float]:
    """Figures of a question's surface, always as many, each of a moderate size."""
    whole, question = question, question[:_READ]
    length = max(1, len(question))
    words = _WORD.findall(question.lower())
    count = max(1, len(words))
    asks = words[0] if words else ""
    stripped = whole.strip()
    return [
        math.log1p(len(whole)),
        math.log1p(len(words)),
        sum(map(len, words)) / count,
        len(set(words)) / count,
        max(map(len, words), default=0) / 10,
        sum(map(str.isdigit, question)) / length,
        sum(map(str.isupper, question)) / length,
        sum(map(_SIGNS.__contains__, question)) / length,
        question.count(",") / count,
        math.log1p(question.count("\n")),
        math.log1p(len(_NUMBER.findall(question))),
        math.log1p(len(_CODE.findall(question))),
        math.log1p(len(_FORMULA.findall(question))),
        math.log1p(len(_OPTION.findall(question))),
        math.log1p(sum(map(_STEPS.__contains__, words))),
        math.log1p(sum(map(_ORDERS.__contains__, words))),
        math.log1p(question.count("?")),
        math.log1p(question.count(". ")),
        float(stripped.endswith("?")),
        float(stripped.endswith(".")),
        float(stripped[:1].isupper()),
        float(question[:1].isspace()),
        float(whole[-1:].isspace()),
        0.0 if question.isascii() else sum(ord(character) > 127 for character in question) / length,
        *(float(asks == one) for one in _ASKS),
    ]
