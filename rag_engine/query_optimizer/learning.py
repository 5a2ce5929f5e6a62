"""Learning from outcomes: what a strategy gains in questions of a kind, as a normal mean with a prior.

The prior is worth so many experiences; with each experience the mean moves towards what was seen (the conjugate
posterior of a normal mean of known variance: Gelman et al., "Bayesian Data Analysis", 2.5). A strategy that did harm
often enough is thus switched off by itself, in questions of that kind only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rag_engine.types.optimization import Gains, StrategyName, TaskType, kind_of_question

# Gains in nDCG of single questions scatter so much (standard deviation over the questions of six gold sets).
_SCATTER = 0.15
# The mean gain that is expected where the strategy does something, and how many experiences that is worth.
# Decomposition: half of what ``python -m benchmarks.quality.strategies`` measured where it did something on
# hotpotqa_200; on the other sets it did nothing. The gold sets have next to no questions for the other strategies:
# theirs are assumptions, a little above zero, so that a few bad outcomes are enough to close the gate.
PRIORS: Mapping[StrategyName, tuple[float, float]] = {
    StrategyName.CLARIFICATION: (0.05, 20.0),
    StrategyName.EXPANSION: (0.01, 20.0),
    StrategyName.SIMPLIFICATION: (0.005, 20.0),
    StrategyName.EXAMPLES: (0.001, 20.0),
    StrategyName.CONSTRAINTS: (0.01, 20.0),
    StrategyName.DECOMPOSITION: (0.03, 30.0),
    StrategyName.HYDE: (0.01, 10.0),
    StrategyName.STEP_BACK: (0.005, 10.0),
    StrategyName.MULTI_QUERY: (0.01, 10.0),
}
# From here on a question counts as harmed, in nDCG.
LOSS = 0.05


@dataclass(frozen=True, slots=True)
class Belief:
    """An expected ``gain``, the probability that it is no loss (above -.05), and how many experiences it rests on."""

    gain: float
    harmless: float
    experiences: int


class Learning:
    """Beliefs from experiences, which are read when first needed."""

    def __init__(self, gains: Callable[[], Sequence[Gains]] = tuple) -> None:
        """``gains`` is asked once."""
        self._gains = gains
        self._seen: dict[tuple[StrategyName, TaskType, str], tuple[int, float]] | None = None

    def belief(self, strategy: StrategyName, task: TaskType, features: Mapping[str, float]) -> Belief:
        """What is believed of the strategy in such questions."""
        if self._seen is None:
            self._seen = {(one.strategy, one.task, one.kind): (one.count, one.total) for one in self._gains()}
        count, total = self._seen.get((strategy, task, kind_of_question(features)), (0, 0.0))
        mean, strength = PRIORS[strategy]
        gain = (strength * mean + total) / (strength + count)
        deviation = _SCATTER / math.sqrt(strength + count)
        return Belief(gain, 0.5 * (1 + math.erf((gain + LOSS) / deviation / math.sqrt(2))), count)
