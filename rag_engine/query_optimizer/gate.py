"""The gate: whether a strategy is expected to help this question, else it is left alone.

What is known of a question before its search is its form (how many words, names, whether it speaks of something by
what it does). After the search its quality is estimated from the scores: how far the legs agree on the best result,
and how far the next document lies below it. The spread of the scores (NQC: Shtok et al., "Predicting query performance
by query-drift estimation", 2012) is noted too, and measured to add nothing. What a strategy gains in each kind of
question is a normal mean, with what was measured on gold sets as the prior, and moved by the experiences in the ledger.
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Mapping, Sequence

from rag_engine.query_optimizer.learning import Belief, Learning
from rag_engine.query_optimizer.names import names, words_of
from rag_engine.types.optimization import StrategyName, TaskType
from rag_engine.types.retrieval import Passage

LOOKED_AT = 10
_RELATIVE = re.compile(r"(?<=[\w,]\s)(?:who|whom|whose|that|which|where|when|what)\b", re.IGNORECASE)
# Logistic weights of ``python -m benchmarks.quality.fit_query_quality``: whether the best passage is relevant. With the
# spread and the agreement among them, sets that it was not fitted on were told worse (AUROC .67 instead of .73).
QUALITY_WEIGHTS: Mapping[str, float] = {"top": 4.86, "lead": 2.718}
QUALITY_OFFSET = -4.206
# Rewriting by a language model costs a second or more: only searches that seem to have failed are worth it.
WEAK = 0.5


def question_features(question: str) -> dict[str, float]:
    """What a question's form says: numbers by name."""
    return {
        "words": float(len(words_of(question))),
        "names": float(len(names(question))),
        "relative": float(_RELATIVE.search(question) is not None),
    }


def result_features(passages: Sequence[Passage]) -> dict[str, float]:
    """What the scores of the first ten results say: ``top``, the best one's score, in hybrid search the nearer to 1 the
    more the legs agree on it; ``lead``, how far the next document lies below; ``spread``, the deviation of the cosines;
    ``agreement``, the share that both legs found. Zeros where there is nothing."""
    seen = passages[:LOOKED_AT]
    if not seen or seen[0].score <= 0:
        return {"top": 0.0, "lead": 0.0, "spread": 0.0, "agreement": 0.0}
    cosines = [passage.scores["dense"] for passage in seen if "dense" in passage.scores]
    both = sum("dense" in passage.scores and "lexical" in passage.scores for passage in seen)
    second = next((passage.score for passage in seen if passage.document_id != seen[0].document_id), 0.0)
    return {
        "top": seen[0].score,
        "lead": 1 - second / seen[0].score,
        "spread": statistics.pstdev(cosines) if len(cosines) > 1 else 0.0,
        "agreement": both / len(seen),
    }


def quality(features: Mapping[str, float]) -> float:
    """The probability that the best result is relevant, from the features of the results; 0 where there is none."""
    if not features["top"]:
        return 0.0
    total = QUALITY_OFFSET + sum(weight * features[name] for name, weight in QUALITY_WEIGHTS.items())
    return 1 / (1 + math.exp(-total))


class Gate:
    """Decides by what is believed of a strategy's gain."""

    def __init__(self, learning: Learning) -> None:
        """``learning`` holds the beliefs."""
        self._learning = learning

    def belief(self, strategy: StrategyName, task: TaskType, features: Mapping[str, float]) -> Belief:
        """The expected gain in such questions, in nDCG, and how probable it is that it is above zero."""
        return self._learning.belief(strategy, task, features)

    def opens(self, strategy: StrategyName, task: TaskType, features: Mapping[str, float]) -> bool:
        """Whether the gain is expected to be above zero."""
        return self.belief(strategy, task, features).gain > 0
