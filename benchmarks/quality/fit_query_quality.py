"""Fits the estimate of a search's quality, and says how it does on gold sets that it was not fitted on.

    python -m benchmarks.quality.fit_query_quality [--indexes FOLDER] GOLD...

The estimate is the probability that the best passage is of a relevant document, by a logistic regression over
``rag_engine.query_optimizer.gate.result_features`` in which every gold set weighs the same. Of each set a third of the
questions, drawn by hash, fits and the rest is held out. What is printed: the weights from all sets, for the code; and
for each set the area under the ROC curve and the Brier score on its held-out questions, once with those weights and
once with weights fitted on the other sets alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag_engine.assembly import Assembly
from rag_engine.config import load_settings
from rag_engine.engine import Engine
from rag_engine.evaluation import read_gold_set
from rag_engine.query_optimizer.gate import LOOKED_AT, QUALITY_WEIGHTS, result_features
from rag_engine.types.retrieval import Query

Matrix = NDArray[np.float64]
INDEXES = Path(__file__).parents[1] / "results" / "indexes"
PENALTY = 0.01
STEPS = 50


@dataclass(frozen=True, slots=True)
class Cases:
    """Questions of one set: features (n, f), whether the best passage was relevant (n,), and which of them fit (n,)."""

    features: Matrix
    relevant: Matrix
    fits: NDArray[np.bool_]


def main() -> None:
    """Prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", type=Path, nargs="+")
    parser.add_argument("--indexes", type=Path, default=INDEXES, help="folder of the indexes, named gold-NAME")
    arguments = parser.parse_args()
    sets = {folder.name: _cases(folder, arguments.indexes) for folder in arguments.gold}
    weights, offset = fit([(one.features[one.fits], one.relevant[one.fits]) for one in sets.values()])
    rows = {}
    for name, one in sets.items():
        others = [
            (other.features[other.fits], other.relevant[other.fits]) for key, other in sets.items() if key != name
        ]
        held = ~one.fits
        rows[name] = {
            "questions": int(held.sum()),
            "relevant": round(float(one.relevant[held].mean()), 3),
            "all_sets": _figures(one, held, weights, offset),
            "other_sets": _figures(one, held, *fit(others)) if others else None,
        }
    named = dict(zip(QUALITY_WEIGHTS, weights.round(3).tolist(), strict=True))
    print(json.dumps({"weights": named, "offset": round(offset, 3), "sets": rows}))


def _cases(folder: Path, indexes: Path) -> Cases:
    gold = read_gold_set(folder)
    features, relevant, fits = [], [], []
    settings = load_settings(overrides={"query_optimizer": {"enabled": False}})
    assembly = Assembly(indexes / f"gold-{gold.name}", settings=settings, create=True)
    with Engine(assembly) as engine:
        if gold.corpus is not None:
            engine.ingest(gold.corpus)
        for question in gold.questions:
            if question.id not in gold.qrels:
                continue
            passages = assembly.hybrid_retriever.retrieve(Query(question.text, k=LOOKED_AT))
            if passages:
                features.append(list(_ordered(result_features(passages))))
                relevant.append(gold.qrels[question.id].get(passages[0].document_id, 0) > 0)
                fits.append(hashlib.sha256(question.text.encode()).digest()[0] % 3 == 0)
    return Cases(np.array(features, dtype=float), np.array(relevant, dtype=float), np.array(fits))


def _ordered(features: Mapping[str, float]) -> list[float]:
    return [features[name] for name in QUALITY_WEIGHTS]


def fit(sets: Sequence[tuple[Matrix, Matrix]]) -> tuple[Matrix, float]:
    """Weights and offset of a ridge logistic regression by Newton's method; every set weighs the same."""
    features = np.concatenate([one for one, _ in sets])
    relevant = np.concatenate([one for _, one in sets])
    weight = np.concatenate([np.full(len(one), 1 / len(one) / len(sets)) for one, _ in sets])
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-9
    design = np.column_stack([np.ones(len(features)), (features - mean) / scale])
    penalty = PENALTY * np.diag([0.0] + [1.0] * features.shape[1])
    solution = np.zeros(design.shape[1])
    for _ in range(STEPS):
        likely = 1 / (1 + np.exp(-design @ solution))
        gradient = design.T @ (weight * (likely - relevant)) + penalty @ solution
        curvature = (design * (weight * likely * (1 - likely))[:, None]).T @ design + penalty
        solution = solution - np.linalg.solve(curvature, gradient)
    slopes = solution[1:] / scale
    return slopes, float(solution[0] - slopes @ mean)


def _figures(cases: Cases, held: NDArray[np.bool_], weights: Matrix, offset: float) -> dict[str, float | None]:
    likely = 1 / (1 + np.exp(-(cases.features[held] @ weights + offset)))
    relevant = cases.relevant[held]
    good, bad = likely[relevant == 1], likely[relevant == 0]
    above = (good[:, None] > bad).mean() + (good[:, None] == bad).mean() / 2 if len(good) and len(bad) else None
    return {
        "AUROC": None if above is None else round(float(above), 3),
        "Brier": round(float(((likely - relevant) ** 2).mean()), 3),
        "mean_estimate": round(float(likely.mean()), 3),
    }


if __name__ == "__main__":
    main()
