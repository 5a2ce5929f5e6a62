from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.llm.model_selector.question_features import surface


@given(st.text())
def test_any_text_has_as_many_figures_all_finite(question: str) -> None:
    figures = surface(question)
    assert len(figures) == len(surface("What is it?"))
    assert all(math.isfinite(figure) for figure in figures)


@pytest.mark.parametrize(
    "other",
    [
        "def area(radius):\n    return 3.14 * radius ** 2",
        "If $x^2 = 16$ and $y = 3$, what is \\frac{x}{y}?",
        "Which is it? A) one B) two C) three",
        "Think step by step and explain how far the train went in 3 hours at 50 km/h.",
    ],
)
def test_code_formulae_options_and_instructions_are_seen(other: str) -> None:
    plain = "what " + "w" * (len(other) - 6) + "?"
    differ = sum(abs(a - b) > 0.05 for a, b in zip(surface(plain), surface(other), strict=True))
    assert differ >= 5
