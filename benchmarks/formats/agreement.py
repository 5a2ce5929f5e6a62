"""How well two texts agree, and how well our text of a table or page agrees with its gold."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

_TOKEN = re.compile(r"\w+")


def token_f1(text: str, gold: str) -> float:
    """Harmonic mean of precision and recall over the bags of words, regardless of case; 1 where both have none."""
    ours, theirs = Counter(_TOKEN.findall(text.lower())), Counter(_TOKEN.findall(gold.lower()))
    common = (ours & theirs).total()
    if not common:
        return float(not ours and not theirs)
    return 2 * common / (ours.total() + theirs.total())


def shown_text(markup: str) -> str:
    """All text of a page, as it stands there."""
    from selectolax.lexbor import LexborHTMLParser

    body = LexborHTMLParser(markup).body
    return body.text(deep=True, separator=" ") if body is not None else ""


def cells_said(text: str, gold: Path) -> float:
    """Share of the gold's cells that are not empty which ``text`` says behind the name of their column, row by row."""
    records = json.loads(gold.read_text(encoding="utf-8", errors="replace"))
    rows = records if isinstance(records, list) else [records]
    lines = text.splitlines()
    said = expected = 0
    for number, row in enumerate(rows):
        cells = {f"{name}: {' '.join(str(value).split())}" for name, value in row.items() if str(value).strip()}
        expected += len(cells)
        said += sum(cell in lines[number] for cell in cells) if number < len(lines) else 0
    return said / expected if expected else 1.0


def same_words(texts: Mapping[str, str], reference: str) -> dict[str, float]:
    """Token F1 of every other text against that of ``reference``."""
    return {name: round(token_f1(text, texts[reference]), 4) for name, text in texts.items() if name != reference}


def mean(values: Iterable[float]) -> float:
    """Their mean, 0 without any; rounded to four places."""
    listed = list(values)
    return round(sum(listed) / len(listed), 4) if listed else 0.0
