"""What estimates are worth: accuracy beside the best fixed model and the oracle, calibration, and quality by price."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.routing.selection_contenders import chosen_quality
from rag_engine.evaluation.confidence_measures import expected_calibration_error

RESAMPLED = 4_000
# How much quality a dollar is worth, from nothing to so much that only the price counts.
WORTHS = (0.0, *np.geomspace(1.0, 1e6, 60))


def accuracy(estimates: Any, scores: Any, fixed: Any, seed: int = 1) -> dict[str, Any]:
    """The chosen models' score, its gain over ``fixed``, the score of the best fixed model at each question, with 95 %
    intervals by resampling questions, and the share of the gap between that model and the oracle that is closed."""
    got, best = chosen_quality(estimates, scores), scores.max(axis=1)
    drawn = np.random.default_rng(seed).integers(len(got), size=(RESAMPLED, len(got)))
    gains = (got - fixed)[drawn].mean(axis=1)
    gaps = gains / (best - fixed)[drawn].mean(axis=1)
    return {
        "accuracy": float(got.mean()),
        "accuracy_interval": _interval(got[drawn].mean(axis=1)),
        "gain": float((got - fixed).mean()),
        "gain_interval": _interval(gains),
        "gap_closed": float((got - fixed).mean() / (best - fixed).mean()),
        "gap_closed_interval": _interval(gaps),
    }


def _interval(values: Any) -> list[float]:
    return [float(bound) for bound in np.quantile(values, (0.025, 0.975))]


def calibration(estimates: Any, scores: Any, models: list[str]) -> dict[str, float]:
    """Expected calibration errors: of all estimates, of those of the chosen models, and of the worst model's own; and
    the mean squared error."""
    rows = np.arange(len(scores))
    chosen = estimates.argmax(axis=1)
    return {
        "ece": _error(estimates.ravel(), scores.ravel()),
        "ece_of_chosen": _error(estimates[rows, chosen], scores[rows, chosen]),
        "ece_of_worst_model": max(_error(estimates[:, one], scores[:, one]) for one in range(len(models))),
        "squared_error": float(((estimates - scores) ** 2).mean()),
    }


def _error(estimates: Any, scores: Any) -> float:
    clipped = np.clip(estimates, 0, 1)
    return expected_calibration_error(zip(clipped.tolist(), scores.tolist(), strict=True)) or 0.0


def curve(estimates: Any, scores: Any, costs: Any) -> list[tuple[float, float]]:
    """(US dollars a thousand questions, score) as a dollar is worth more and more quality, ascending in price."""
    rows = np.arange(len(scores))
    points = set()
    for worth in WORTHS:
        named = (estimates - worth * costs).argmax(axis=1)
        points.add((1000 * float(costs[rows, named].mean()), float(scores[rows, named].mean())))
    return sorted(points)


def random_mix(scores: Any, costs: Any) -> list[tuple[float, float]]:
    """The best that drawing a model at random can do at each price, knowing in hindsight how good each is: the corners
    of the upper hull of the single models, ascending; beyond the last, the best fixed model."""
    single = sorted(zip((1000 * costs.mean(axis=0)).tolist(), scores.mean(axis=0).tolist(), strict=True))
    hull: list[tuple[float, float]] = []
    for price, score in single:
        if hull and score <= max(height for _, height in hull):
            continue
        if hull and price == hull[-1][0]:
            hull.pop()
        while len(hull) > 1 and _rise(hull[-2], (price, score)) >= _rise(hull[-2], hull[-1]):
            hull.pop()
        hull.append((price, score))
    return hull


def _rise(low: tuple[float, float], high: tuple[float, float]) -> float:
    return (high[1] - low[1]) / (high[0] - low[0])


def margins(points: list[tuple[float, float]], mix: list[tuple[float, float]]) -> list[float]:
    """How far each point lies above what the mix gives for as much; the best fixed model where that costs less."""
    prices, heights = zip(*mix, strict=True)
    return [height - float(np.interp(price, prices, heights)) for price, height in points]


def price_of_best_fixed(points: list[tuple[float, float]], mix: list[tuple[float, float]]) -> float:
    """The share of the best fixed model's price at which the curve first reaches its score; 1 or more where never."""
    price, height = mix[-1]
    return min((at for at, got in points if got >= height), default=price) / price
