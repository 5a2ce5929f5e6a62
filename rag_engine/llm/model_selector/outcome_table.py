"""Outcomes as arrays: which model made what of which question. Not every model need have answered every question."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag_engine.errors import UsageError
from rag_engine.types.models import ModelTask
from rag_engine.types.routing import ModelOutcome

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Matrix = NDArray[np.float64]

# As many answers as these count what is known of all models, beside what is known of one.
PRIOR_ANSWERS = 4.0


@dataclass(frozen=True, slots=True)
class OutcomeTable:
    """Answers, sorted by question: ``question``, ``model`` and ``quality`` have shape (answers,), ``starts`` is where
    each question's begin, shape (questions + 1,). ``means`` is each model's quality on average, a little nearer to all
    models' than its answers alone say, ``answered`` how many it gave, ``costs`` its average price in US dollars, NaN
    where unknown; shape (models,)."""

    questions: tuple[tuple[str, ModelTask], ...]
    models: tuple[str, ...]
    question: Numbers
    model: Numbers
    quality: Matrix
    starts: Numbers
    means: Matrix
    answered: Numbers
    costs: Matrix


def outcome_table(outcomes: Sequence[ModelOutcome]) -> OutcomeTable:
    """The outcomes by question.

    Raises:
        UsageError: a quality is no number from 0 to 1, or a cost is negative or no number.
    """
    import numpy as np

    rows: dict[tuple[str, ModelTask], int] = {}
    columns: dict[str, int] = {}
    question = np.zeros(len(outcomes), dtype=np.int64)
    model = np.zeros(len(outcomes), dtype=np.int64)
    quality = np.zeros(len(outcomes))
    cost = np.full(len(outcomes), np.nan)
    for number, outcome in enumerate(outcomes):
        _check(outcome)
        question[number] = rows.setdefault((outcome.question, outcome.task), len(rows))
        model[number] = columns.setdefault(outcome.model, len(columns))
        quality[number] = outcome.quality
        if outcome.cost is not None:
            cost[number] = outcome.cost
    answered = np.bincount(model, minlength=len(columns))
    overall = (quality.sum() + PRIOR_ANSWERS / 2) / (len(outcomes) + PRIOR_ANSWERS)
    sums = np.bincount(model, quality, minlength=len(columns))
    priced = np.bincount(model, ~np.isnan(cost), minlength=len(columns))
    spent = np.bincount(model, np.nan_to_num(cost), minlength=len(columns))
    order = np.argsort(question, kind="stable")
    return OutcomeTable(
        questions=tuple(rows),
        models=tuple(columns),
        question=question[order],
        model=model[order],
        quality=quality[order],
        starts=np.concatenate([[0], np.cumsum(np.bincount(question, minlength=len(rows)))]),
        means=(sums + PRIOR_ANSWERS * overall) / (answered + PRIOR_ANSWERS),
        answered=answered,
        costs=np.divide(spent, priced, out=np.full(len(columns), np.nan), where=priced > 0),
    )


def _check(outcome: ModelOutcome) -> None:
    if not 0 <= outcome.quality <= 1:  # NaN is not either
        raise UsageError(
            f"an outcome of {outcome.model} has the quality {outcome.quality}",
            hint="a quality is a number from 0, useless, to 1, as good as can be",
        )
    if outcome.cost is not None and not 0 <= outcome.cost < math.inf:
        raise UsageError(
            f"an outcome of {outcome.model} has the cost {outcome.cost}",
            hint="a cost is in US dollars, 0 or more; None where it is not known",
        )
