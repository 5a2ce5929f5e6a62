"""Examples: questions that were asked before, resemble this one and went well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from rag_engine.query_optimizer.names import words_of
from rag_engine.query_optimizer.strategy import Context, Proposal
from rag_engine.types.optimization import PastQuestion, StrategyName

FindQuestions: TypeAlias = Callable[[Sequence[str], int], Sequence[PastQuestion]]
MOST_EXAMPLES = 3
WENT_WELL = 0.5  # quality of a search from which it is an example
LEAST_LIKENESS = 0.3
_LOOKED_AT = 20
_SHORTEST = 4  # letters: shorter words are mostly those that every question has
_MOST_WORDS = 24


class Examples:
    """Finds them by the words that they share."""

    name = StrategyName.EXAMPLES

    def __init__(self, find: FindQuestions) -> None:
        """``find`` gives questions that have some of the words, at most so many."""
        self._find = find

    def propose(self, question: str, context: Context) -> Proposal | None:  # noqa: ARG002
        """Up to three of them, the most alike first; None where there is none. The search stays what it is."""
        asked = _telling(question)
        if not asked:
            return None
        found = [
            (len(asked & words) / len(asked | words), past)
            for past in self._find(sorted(asked)[:_MOST_WORDS], _LOOKED_AT)
            if past.quality >= WENT_WELL and past.text != question and (words := _telling(past.text))
        ]
        alike = sorted((one for one in found if one[0] >= LEAST_LIKENESS), key=lambda one: (-one[0], one[1].text))
        if not alike:
            return None
        examples = tuple(past for _, past in alike[:MOST_EXAMPLES])
        return Proposal(question, f"{len(examples)} like it went well", alike[0][0], examples=examples)


def _telling(text: str) -> set[str]:
    return {word for word in words_of(text) if len(word) >= _SHORTEST}
