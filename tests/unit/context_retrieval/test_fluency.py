"""The dense leg's share by how a model's tokenizer reads the question."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.context_retrieval.fluency import EVEN, LEAST, dense_share


class _TokensOfBytes:
    """A tokenizer whose tokens have so many bytes."""

    name, exact, special_tokens, separators = "bytes", True, 2, ""

    def __init__(self, size: float) -> None:
        self._size = size

    def count(self, texts: Sequence[str]) -> list[int]:
        return [2 + round(len(text.replace(" ", "").encode("utf-8", "surrogatepass")) / self._size) for text in texts]

    def encode(self, text: str) -> object:
        raise NotImplementedError

    def vocabulary(self) -> list[str]:
        return []


GERMAN = "Wie viele Punkte gab die Verteidigung der Panthers in der Saison ab?"
CHINESE = "黑豹队的防守在那个赛季丢了多少分数呢"


def share(text: str, size: float) -> float:
    return dense_share(text, _TokensOfBytes(size))  # type: ignore[arg-type]


@pytest.mark.parametrize("question", [GERMAN, CHINESE])
def test_a_model_that_knows_the_words_has_half_and_one_that_reads_fragments_the_least(question: str) -> None:
    assert share(question, 4.6) == EVEN
    assert share(question, 2.5) == pytest.approx(LEAST)


def test_a_short_question_moves_the_share_less_than_a_long_one() -> None:
    assert LEAST < share("Panthers ab", 2.5) < EVEN
    assert share("Panthers ab", 2.5) > share(GERMAN, 2.5)


@pytest.mark.parametrize("question", ["", "308", "?! 14,3 %"])
def test_a_question_without_words_says_nothing(question: str) -> None:
    assert share(question, 1.0) == EVEN


@given(st.text(max_size=100), st.floats(0.5, 10))
def test_the_share_lies_between_the_least_and_half(text: str, size: float) -> None:
    assert LEAST - 1e-9 <= share(text, size) <= EVEN
