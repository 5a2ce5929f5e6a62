"""Outcomes of known structure: two kinds of questions, told apart by their vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rag_engine.types.models import ModelTask
from rag_engine.types.routing import ModelOutcome

TASK = ModelTask.QUESTION_ANSWERING
DIMENSION = 24


class HeldOutcomes:
    """An OutcomeLedger in memory."""

    def __init__(self, outcomes: Sequence[ModelOutcome] = ()) -> None:
        self.kept = list(outcomes)
        self.read = 0

    def record_outcomes(self, outcomes: Sequence[ModelOutcome]) -> None:
        self.kept.extend(outcomes)

    def outcomes(self) -> Sequence[ModelOutcome]:
        self.read += 1
        return list(self.kept)


class TopicVectors:
    """Unit vectors whose first figure is the kind of the question: 0 or 1, the number it begins with modulo 2."""

    identity: Any = None
    tokenizer: Any = None

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed(self, texts: Sequence[str]) -> Any:
        return self.embed_queries(texts)

    def embed_queries(self, texts: Sequence[str]) -> Any:
        self.embedded.extend(texts)
        rows = np.array([self._row(int(text.split()[0])) for text in texts], dtype=np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    @staticmethod
    def _row(number: int) -> Any:
        row = np.random.default_rng(number).standard_normal(DIMENSION)
        row[0] = 6.0 if number % 2 else -6.0
        return row


def asked(number: int) -> str:
    return f"{number} is the number of this question"


def made(
    questions: int,
    quality: Mapping[str, tuple[float, float]],
    *,
    seed: int = 0,
    answered: float = 1.0,
    costs: Mapping[str, float] | None = None,
    shuffled: bool = False,
) -> list[ModelOutcome]:
    """Right or wrong answers; ``quality`` is each model's share of right ones by the kind of question. Each model has
    answered a share of the questions; ``shuffled``, scores belong to any question."""
    generator = np.random.default_rng(seed)
    outcomes = []
    for model, right in quality.items():
        scores = [float(generator.random() < right[number % 2]) for number in range(questions)]
        if shuffled:
            scores = generator.permutation(scores).tolist()
        outcomes += [
            ModelOutcome(asked(number), TASK, model, score, cost=None if costs is None else costs[model])
            for number, score in enumerate(scores)
            if generator.random() < answered
        ]
    return outcomes
