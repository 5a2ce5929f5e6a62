"""Fits the extractive model's two sets of weights, of which sentence answers and of whether any does.

    python -m benchmarks.quality.fit_confidence CASES.jsonl

CASES are what ``confidence_cases`` prints. The groups of one half fit (of the cases, where a set has one group), and
``held_out`` scores the other. The ranking is a conditional logit over the sentences of each question that has spans;
the confidence is a logistic regression in which answerable and unanswerable questions of a set weigh the same. The
weights in ``rag_engine/llm/evidence.py`` are what this prints. The ranking says which sentences are candidates, too, so
its weights move a little when they are fitted again: by .03 at most in the last round.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.answer_cases import Case, read_cases
from rag_engine.embedding import DEFAULT_MODEL, CachedEmbedder, default_cache, find_model, open_embedder
from rag_engine.llm.asked import read_question
from rag_engine.llm.evidence import CONFIDENCE, RANKING, rank_features
from rag_engine.llm.providers.extractive import ExtractiveModel
from rag_engine.protocols import SentenceSplitter
from rag_engine.semantic_chunking import split_sentences

Matrix = NDArray[np.float64]
PENALTY = 0.01
# Where the whole subject is missing, anything tells; with more weight that set makes the confidence too sure of itself
# where questions are written to mislead (expected calibration error on squad2 .12 instead of .05, all three the same).
SET_WEIGHTS = {"squad2": 4.0, "clapnq": 1.0, "absent": 0.2}


def fit_ranking(groups: Sequence[tuple[Matrix, Matrix]], *, steps: int = 600) -> Matrix:
    """Weights of a conditional logit (McFadden, 1974): per group, features (n, f) and which of the n answer."""
    scale = np.concatenate([features for features, _ in groups]).std(axis=0) + 1e-9
    solution, velocity = np.zeros(len(scale)), np.zeros(len(scale))
    for _ in range(steps):
        gradient = PENALTY * solution / 10
        for features, answers in groups:
            scaled = features / scale
            likely = np.exp(scaled @ solution - (scaled @ solution).max())
            gradient = gradient + scaled.T @ (likely / likely.sum() - answers / answers.sum()) / len(groups)
        velocity = 0.9 * velocity - 0.3 * gradient
        solution = solution + 0.5 * velocity
    weights: Matrix = solution / scale
    return weights


def fit_confidence(features: Matrix, answerable: Matrix, weight: Matrix) -> tuple[Matrix, float]:
    """Weights and offset of a ridge logistic regression, by Newton's method."""
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-9
    design = np.column_stack([np.ones(len(features)), (features - mean) / scale])
    penalty = PENALTY * np.diag([0.0] + [1.0] * features.shape[1])
    solution = np.zeros(design.shape[1])
    for _ in range(50):
        likely = 1 / (1 + np.exp(-design @ solution))
        gradient = design.T @ (weight * (likely - answerable)) / weight.sum() + penalty @ solution
        curvature = (design * (weight * likely * (1 - likely))[:, None]).T @ design / weight.sum() + penalty
        solution = solution - np.linalg.solve(curvature, gradient)
    slopes = solution[1:] / scale
    return slopes, float(solution[0] - slopes @ mean)


def balanced(cases: Sequence[Case]) -> Matrix:
    """A weight for each case: both answers within a set weigh the same, and the sets as ``SET_WEIGHTS`` has it."""
    kinds = [(case.set, case.answerable) for case in cases]
    return np.array([SET_WEIGHTS[case.set] / kinds.count((case.set, case.answerable)) for case in cases])


def main(file: Path, split_sentences: SentenceSplitter) -> None:
    """Prints fitted weights, the ranking first: the confidence is about the sentence that the ranking in the code puts
    first, so it is fitted again once the ranking is."""
    model = extractive_model(split_sentences)
    rows, groups, fitting = [], [], []
    for case in read_cases(file):
        if not case.fits:
            continue
        asked = read_question(case.prompt.question)
        ranked = model.rank(case.prompt, asked)
        if not ranked:
            continue
        fitting.append(case)
        rows.append(list(model.features(asked, ranked).values()))
        answering = [case.holds_answer(one.evidence.source, one.evidence.start, one.evidence.end) for one in ranked]
        if any(answering) and case.set == "squad2":
            features = [list(rank_features(one.evidence, cosine=one.cosine).values()) for one in ranked]
            groups.append((np.array(features), np.array(answering, dtype=float)))
    print("ranking", dict(zip(RANKING, fit_ranking(groups).round(2).tolist(), strict=True)))
    slopes, offset = fit_confidence(
        np.array(rows), np.array([case.answerable for case in fitting], dtype=float), balanced(fitting)
    )
    print("confidence", dict(zip(CONFIDENCE, slopes.round(2).tolist(), strict=True)), round(offset, 2))


def extractive_model(split_sentences: SentenceSplitter) -> ExtractiveModel:
    """The extractive model over the default embedder, which never abstains."""
    inner = open_embedder(find_model(DEFAULT_MODEL), runtime="auto", cache=default_cache(), batch_size=32)
    embedder = CachedEmbedder(inner, capacity=1 << 17)
    return ExtractiveModel(embedder=embedder, split_sentences=split_sentences, abstain_below=0.0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), split_sentences)
