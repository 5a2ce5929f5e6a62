"""Expansion by words near in meaning: a second wording with them, at a low weight.

Off by default: the row quality/strategies-synonyms of benchmarks/README.md says what it costs and brings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from rag_engine.query_optimizer.names import names, words_of
from rag_engine.query_optimizer.strategy import Context, Proposal
from rag_engine.types.optimization import StrategyName, WeightedQuery

NearWords: TypeAlias = Callable[[Sequence[str]], Sequence[Sequence[tuple[str, float]]]]
WEIGHT = 0.25
LEAST_LIKENESS = 0.75
_SHORTEST = 4
_MOST_WORDS = 12


class Synonyms:
    """Adds the nearest words of the question's own words."""

    name = StrategyName.EXPANSION

    def __init__(self, near: NearWords) -> None:
        """``near`` gives for each word others with their likeness, in [-1, 1], best first."""
        self._near = near

    def propose(self, question: str, context: Context) -> Proposal | None:  # noqa: ARG002
        """The question with words of at least 0.75 likeness behind it, as another wording; None where there is none."""
        named = {word for name in names(question) for word in words_of(name)}
        asked = [word for word in dict.fromkeys(words_of(question)) if len(word) >= _SHORTEST and word.isalpha()]
        asked = [word for word in asked if word not in named][:_MOST_WORDS]
        added = [
            other
            for likely in (self._near(asked) if asked else ())
            for other, likeness in likely
            if likeness >= LEAST_LIKENESS and other not in asked
        ]
        if not added:
            return None
        text = f"{question} {' '.join(dict.fromkeys(added))}"
        return Proposal(
            question, f"{len(added)} words near in meaning", 0.5, alternatives=(WeightedQuery(text, WEIGHT),)
        )
