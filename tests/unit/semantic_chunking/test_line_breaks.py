from __future__ import annotations

import textwrap
from itertools import pairwise

from rag_engine.semantic_chunking.line_breaks import paragraph_breaks

PROSE = "The lift is inspected twice a year, and a report of each inspection is kept for ten years in the office. " * 4


def pieces(text: str) -> list[str]:
    cuts = [0, *paragraph_breaks(text, 0, len(text)), len(text)]
    return [text[first:last].strip() for first, last in pairwise(cuts)]


def test_long_lines_are_paragraphs() -> None:
    lines = [f"{PROSE}{number}" for number in range(3)]
    assert pieces("\n".join(lines)) == lines


def test_wrapped_lines_are_not() -> None:
    wrapped = textwrap.fill(PROSE, 72)
    assert pieces(wrapped) == [wrapped]


def test_a_line_that_ends_early_ends_a_paragraph_of_wrapped_text() -> None:
    first, second = (
        textwrap.fill(PROSE + "It ends there, and nothing more was said.", 72),
        textwrap.fill("And so " + PROSE, 72),
    )
    assert len(first.splitlines()[-1]) < 50
    assert pieces(f"{first}\n{second}") == [first, second]


def test_a_single_line_has_no_breaks() -> None:
    assert pieces("one line") == ["one line"]
