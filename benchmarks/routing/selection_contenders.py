"""Ways to tell from some questions' scores what models will score at others, each with the settings to choose among."""

from __future__ import annotations

import itertools
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from benchmarks.routing.selection_record import Record
from rag_engine.llm.model_selector.fitted_selector import FittedSelector, Growth
from rag_engine.llm.model_selector.outcome_table import outcome_table
from rag_engine.llm.model_selector.question_features import surface
from rag_engine.types.models import ModelTask
from rag_engine.types.routing import ModelOutcome

TASK = ModelTask.QUESTION_ANSWERING
Predict = Callable[[Record, Any, Any, Any], Any]
_WORDS = 4096
_TOGETHER = 64


class Contender(NamedTuple):
    """``predict(record, rows to fit on, rows to tell, setting)`` gives the estimates, shape (rows, models)."""

    predict: Predict
    settings: Sequence[Any]


def fitted(record: Record, fit: Any, growth: Growth | None = None) -> FittedSelector:
    """The package's selector, fitted on some rows."""
    outcomes = [
        ModelOutcome(record.questions[row], TASK, model, float(record.scores[row, column]))
        for row in fit
        for column, model in enumerate(record.models)
    ]
    return FittedSelector(outcome_table(outcomes), record.vectors[fit], growth=growth)


def told(selector: FittedSelector, record: Record, rows: Any) -> Any:
    """What it expects, whether or not it would stay with the best fixed model."""
    return np.concatenate(
        [
            selector.by_question([(record.questions[row], TASK) for row in part], record.vectors[part]).quality
            for part in np.array_split(rows, max(1, len(rows) // _TOGETHER))
        ]
    )


def _forest(record: Record, fit: Any, rows: Any, growth: Growth) -> Any:
    return told(fitted(record, fit, growth), record, rows)


def _neighbours(record: Record, fit: Any, rows: Any, count: int) -> Any:
    return _nearest(record.vectors[rows] @ record.vectors[fit].T, record.scores[fit], count)


def _word_neighbours(record: Record, fit: Any, rows: Any, count: int) -> Any:
    """By the words and pairs of words that are rare among the questions fitted on (hashed TF-IDF)."""
    counts = _counts(tuple(record.questions))
    known, new = counts[fit], counts[rows]
    rarity = np.log((1 + len(fit)) / (1 + (known > 0).sum(axis=0))) + 1
    known, new = (np.log1p(part) * rarity.astype(np.float32) for part in (known, new))
    known, new = (part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-9) for part in (known, new))
    return _nearest(new @ known.T, record.scores[fit], count)


@cache
def _counts(questions: tuple[str, ...]) -> Any:
    counts = np.zeros((len(questions), _WORDS), dtype=np.float32)
    for row, question in enumerate(questions):
        words = re.findall(r"\w+", question.lower())
        for term in (*words, *map(" ".join, itertools.pairwise(words))):
            counts[row, zlib.crc32(term.encode()) % _WORDS] += 1
    return counts


@cache
def _surfaces(questions: tuple[str, ...]) -> Any:
    return np.array([surface(question) for question in questions])


def _nearest(likeness: Any, scores: Any, count: int) -> Any:
    nearest = np.argpartition(-likeness, count, axis=1)[:, :count]
    weights = np.maximum(np.take_along_axis(likeness, nearest, axis=1), 0) + 1e-6
    return (weights[:, :, None] * scores[nearest]).sum(axis=1) / weights.sum(axis=1)[:, None]


def _kernel_ridge(record: Record, fit: Any, rows: Any, setting: tuple[float, float]) -> Any:
    """Smooth functions of the vectors and of the surface; each direction in which scores vary has the same penalty."""
    sharpness, penalty = setting
    seen = _surfaces(tuple(record.questions))[np.concatenate([fit, rows])]
    seen = (seen - seen[: len(fit)].mean(axis=0)) / np.maximum(seen[: len(fit)].std(axis=0), 1e-6)
    seen = np.clip(seen, -5, 5)
    known, new = seen[: len(fit)], seen[len(fit) :]

    def kernel(vectors: Any, figures: Any) -> Any:
        apart = (figures**2).sum(axis=1)[:, None] + (known**2).sum(axis=1) - 2 * figures @ known.T
        meaning = np.exp(sharpness * (vectors @ record.vectors[fit].T - 1))
        return meaning + np.exp(-0.5 * apart / known.shape[1])

    mean = record.scores[fit].mean(axis=0)
    weights = np.linalg.solve(
        kernel(record.vectors[fit], known) + penalty * np.eye(len(fit)), record.scores[fit] - mean
    )
    return mean + kernel(record.vectors[rows], new) @ weights


CONTENDERS: Mapping[str, Contender] = {
    "word_neighbours": Contender(_word_neighbours, (15, 30, 60, 120)),
    "vector_neighbours": Contender(_neighbours, (15, 30, 60, 120)),
    "kernel_ridge": Contender(
        _kernel_ridge, [(sharpness, penalty) for sharpness in (2.0, 4.0) for penalty in (3.0, 10.0)]
    ),
    "forest": Contender(_forest, [Growth(smallest=smallest) for smallest in (4, 8, 16)]),
}


def chosen_quality(estimates: Any, scores: Any) -> Any:
    """The score of the model with the highest estimate, for each row."""
    return scores[np.arange(len(scores)), estimates.argmax(axis=1)]
