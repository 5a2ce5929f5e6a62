"""The fitted weights over runs of words, and the run that is expected to agree best with the answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from rag_engine.llm.answer_spans import GROUPS, span_features
from rag_engine.llm.asked import Asked

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag_engine.llm.answer_spans import SpanFeatures

    Matrix = NDArray[np.float64]

# Beyond the likeliest so many runs nothing adds to an expectation.
_COMPARED = 60
WEIGHTS_FILE = "span_weights.json"


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """Characters of a sentence that answer by themselves; ``agreement`` is the F1 with the answer to be expected, were
    the sentence the one that answers, in [0, 1]."""

    start: int
    end: int
    agreement: float


def best_span(asked: Asked, sentence: str) -> AnswerSpan | None:
    """The run of ``sentence`` that agrees best with all others, each as much as it is likely to be the answer.

    That is the decision of least Bayes risk (Kumar and Byrne, 2004), under F1 over characters in the place of the loss.
    None where the sentence holds no run that could answer.
    """
    import numpy as np

    found = span_features(asked, sentence)
    if found is None:
        return None
    scores = span_scores(asked, found)
    likely = np.exp(scores - scores.max())
    likely /= likely.sum()
    kept = np.argsort(-likely, kind="stable")[:_COMPARED]
    starts, ends = np.array(found.characters, dtype=np.int64)[kept].T
    shared = np.minimum(ends[:, None], ends) - np.maximum(starts[:, None], starts)
    sizes = ends - starts
    expected = (2 * np.maximum(0, shared) / (sizes[:, None] + sizes)) @ likely[kept]
    best = int(expected.argmax())
    return AnswerSpan(int(starts[best]), int(ends[best]), float(expected[best]))


def span_scores(asked: Asked, found: SpanFeatures) -> Matrix:
    """The logit of each run, shape (runs,), among those of its sentence."""
    edges, values = _weights(GROUPS.get(asked.kind, 0))
    scores: Matrix = found.values @ values
    for position in range(edges.shape[0]):
        scores = scores + edges[position][found.edges[:, position]]
    return scores


@cache
def _weights(group: int) -> tuple[Matrix, Matrix]:
    """Weights of a group of kinds, what is common to all included: of edges, shape (4, classes), and of features."""
    import numpy as np

    kept = json.loads(resources.files("rag_engine.llm").joinpath(WEIGHTS_FILE).read_text(encoding="utf-8"))
    edges, values = np.array(kept["edges"], dtype=np.float64), np.array(kept["features"], dtype=np.float64)
    own = float(group > 0)
    return edges[0] + own * edges[group], values[0] + own * values[group]
