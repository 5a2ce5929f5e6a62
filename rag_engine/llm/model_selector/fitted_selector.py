"""What is learnt of a set of outcomes, made once, then only read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rag_engine.llm.model_selector.calibration import Calibration, fit_calibration
from rag_engine.llm.model_selector.feature_space import FeatureSpace
from rag_engine.llm.model_selector.forest import Forest
from rag_engine.llm.model_selector.held_out_gain import held_out_gain
from rag_engine.llm.model_selector.outcome_table import PRIOR_ANSWERS, OutcomeTable
from rag_engine.llm.model_selector.pooling import Pooled, interval, pool, shrunk
from rag_engine.llm.model_selector.standing import Standing
from rag_engine.types.models import ModelTask
from rag_engine.types.routing import QualityEstimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]
    Numbers = NDArray[np.int64]
    Vectors = NDArray[np.float32]

# Below so many questions there are no neighbourhoods to speak of.
FEWEST_QUESTIONS = 50
# How many answers a model's mean counts in a neighbourhood; which, is told by held-out answers.
_PRIORS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
_CELLS = 4_000_000  # held in memory at once
# Of more questions times models a ledger holds too few answers each to learn from, and the sums would take gigabytes.
_MOST_CELLS = 8_000_000
_MOST_TARGETS = 24


@dataclass(frozen=True, slots=True)
class Growth:
    """How the forest is grown: ``trees`` of them, leaves of about ``smallest`` questions, and at each node a ``share``
    of the columns tried."""

    trees: int = 100
    smallest: int = 8
    share: float = 0.15


class Judged(NamedTuple):
    """The quality to be expected, the interval that holds it with a probability of 90 %, and the answers that speak for
    it; each of shape (questions, models)."""

    quality: Matrix
    low: Matrix
    high: Matrix
    observations: Matrix


class FittedSelector:
    """Estimates of one state of the outcomes."""

    def __init__(self, table: OutcomeTable, vectors: Vectors, *, growth: Growth | None = None, seed: int = 0) -> None:
        """``vectors`` are unit rows for the table's questions."""
        self._table = table
        self._column = {name: column for column, name in enumerate(table.models)}
        self._forest: Forest | None = None
        self._prior = _PRIORS[-1]
        self._calibration = Calibration()
        best = int(table.means.argmax()) if table.models else None
        gain = None
        if best is not None and _worth_learning(table):
            growth = growth or Growth()
            self._space = FeatureSpace(table.questions, vectors)
            self._forest = Forest(
                self._space.own,
                learnt_targets(table),
                trees=growth.trees,
                smallest=growth.smallest,
                share=growth.share,
                seed=seed,
            )
            gain = held_out_gain(table, self._learn_from_held_out(self._forest), best)
        self.standing = Standing(
            questions=len(table.questions),
            answers=len(table.question),
            best_fixed=None if best is None else table.models[best],
            gain=None if gain is None else gain.mean,
            gain_low=None if gain is None else gain.low,
        )

    def estimates(
        self, question: str, vector: Vectors, *, task: ModelTask, models: Sequence[str]
    ) -> dict[str, QualityEstimate]:
        """By model, for those of which an answer is known; ``vector`` has shape (dimension,)."""
        if self._forest is None or self.standing.stays_with_best_fixed:
            return self.averages(models)
        judged = self.by_question([(question, task)], vector[None, :])
        known, columns = self._known(models)
        return _by_name(known, *(figures[0, columns] for figures in judged))

    def averages(self, models: Sequence[str]) -> dict[str, QualityEstimate]:
        """The same for every question: how good each model is on average."""
        known, columns = self._known(models)
        quality, answered = self._table.means[columns], self._table.answered[columns].astype(np.float64)
        return _by_name(known, quality, *interval(quality, answered + PRIOR_ANSWERS), answered)

    def _known(self, models: Sequence[str]) -> tuple[list[str], Numbers]:
        known = [name for name in models if name in self._column]
        return known, np.array([self._column[name] for name in known], dtype=np.int64)

    def by_question(self, questions: Sequence[tuple[str, ModelTask]], vectors: Vectors) -> Judged:
        """What the neighbourhoods say, whether or not they may be followed.

        Raises:
            LookupError: there are too few outcomes for neighbourhoods.
        """
        if self._forest is None:
            raise LookupError("there are too few outcomes for neighbourhoods")
        likeness = self._forest.like(self._space.features(questions, vectors))
        pooled = pool(self._table, likeness, len(questions))
        means = self._table.means
        raw = shrunk(pooled, means, self._prior)
        # The bounds are stretched as the estimate is: what makes more of a difference makes more of chance too.
        low, high = (self._calibration(bound, means) for bound in interval(raw, pooled.worth + self._prior))
        return Judged(self._calibration(raw, means), low, high, pooled.observations)

    def _learn_from_held_out(self, forest: Forest) -> Matrix:
        """Sets the prior and the calibration by answers that the estimates do not know; gives the estimates."""
        table, step = self._table, max(1, _CELLS // len(self._table.questions))
        parts = [
            pool(table, forest.held_out(first, min(first + step, len(table.questions))), rows)
            for first in range(0, len(table.questions), step)
            if (rows := min(step, len(table.questions) - first))
        ]
        pooled = Pooled(*(np.concatenate(part) for part in zip(*parts, strict=True)))
        cells = table.question, table.model
        errors = [float(((shrunk(pooled, table.means, prior)[cells] - table.quality) ** 2).mean()) for prior in _PRIORS]
        self._prior = _PRIORS[errors.index(min(errors))]
        estimates = shrunk(pooled, table.means, self._prior)
        self._calibration = fit_calibration(estimates[cells], table.means[table.model], table.quality)
        return self._calibration(estimates, table.means)


def _worth_learning(table: OutcomeTable) -> bool:
    questions, models = len(table.questions), len(table.models)
    return models > 1 and questions >= FEWEST_QUESTIONS and questions * models <= _MOST_CELLS


def _by_name(
    names: Sequence[str], quality: Matrix, low: Matrix, high: Matrix, observations: Matrix
) -> dict[str, QualityEstimate]:
    numbers = zip(quality.tolist(), low.tolist(), high.tolist(), observations.tolist(), strict=True)
    return {
        name: QualityEstimate(mean, least, most, observations=int(seen))
        for name, (mean, least, most, seen) in zip(names, numbers, strict=True)
    }


def learnt_targets(table: OutcomeTable) -> NDArray[np.float32]:
    """What the forest is to tell apart: how much better or worse than its mean each model did at each question, shape
    (questions, models); 0 where it did not answer. Of many models, as many random projections, which keep distances
    (Johnson and Lindenstrauss, 1984)."""
    off = table.quality - table.means[table.model]
    models = len(table.models)
    if models <= _MOST_TARGETS:
        cell = table.question * models + table.model
        sums = np.bincount(cell, off, minlength=len(table.questions) * models)
        seen = np.bincount(cell, minlength=len(table.questions) * models)
        return (sums / np.maximum(seen, 1)).reshape(-1, models).astype(np.float32)
    directions = np.random.default_rng(0).standard_normal((models, _MOST_TARGETS)) / _MOST_TARGETS**0.5
    targets = np.zeros((len(table.questions), _MOST_TARGETS), dtype=np.float32)
    for target in range(_MOST_TARGETS):
        targets[:, target] = np.bincount(
            table.question, off * directions[table.model, target], minlength=len(table.questions)
        )
    return targets
