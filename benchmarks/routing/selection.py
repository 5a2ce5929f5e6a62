"""How well a selector chooses among nine models, on recorded scores, by nested cross-validation.

    python -m benchmarks.routing.selection [--recorded ../shared/recorded] [--json] [--plot FILE.svg]

Protocol. The questions are drawn into five outer folds. For each, every contender's setting, and then the contender
(row ``selected``), is chosen by cross-validation within the other four alone (three inner folds, by the score of the
models chosen), fitted on the four with that setting, and asked once about the fifth; so is ``shipped``, the package's
selector with its defaults, where nothing is chosen. All figures are of the five test folds together. Before the
protocol was run, ideas were compared on six in ten of the questions; ``held_back`` has the figures on the other four,
at which nobody had looked. The best fixed model is that of the four folds; the oracle knows the scores. Intervals are
of 95 %, by resampling questions, in pairs with the best fixed model.

Prices are not recorded. Assumed are US dollars for a million tokens, in or out, by a model's size: ``tiers`` (0.20 up
to 16 billion parameters, 0.90 above) and ``linear`` (0.015 a billion); each times the question's tokens and 256 for the
answer. Nothing is fitted to them: a curve's points are the models of the highest estimate less price, as quality is
worth more or less; ``least_margin`` is the least that any lies above the best random mix of single models, which is
known in hindsight, and above the best fixed model where that costs less.

Exit status 2 where the recorded outcomes are absent.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.routing.selection_contenders import CONTENDERS, chosen_quality, fitted, told
from benchmarks.routing.selection_measures import (
    accuracy,
    calibration,
    curve,
    margins,
    price_of_best_fixed,
    random_mix,
)
from benchmarks.routing.selection_plot import draw
from benchmarks.routing.selection_record import ANSWER_TOKENS, FILE_NAME, PRICES, Record, folds, held_back, read_record

RECORDED = Path(__file__).parents[3] / "shared" / "recorded"
OUTER, INNER, SEED = 5, 3, 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0: measured; 2: no recorded outcomes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recorded", type=Path, default=RECORDED, help=f"folder of {FILE_NAME}")
    parser.add_argument("--json", action="store_true", help="print one JSON object in the place of the table")
    parser.add_argument("--plot", type=Path, help="write the curves as SVG")
    options = parser.parse_args(arguments)
    if not (options.recorded / FILE_NAME).is_file():
        print(f"{options.recorded / FILE_NAME} is not there: nothing was measured", file=sys.stderr)
        return 2
    started = time.monotonic()
    record = read_record(options.recorded)
    found = _measured(record)
    found["seconds"] = round(time.monotonic() - started, 1)
    print(json.dumps(_rounded(found)) if options.json else _table(found))
    if options.plot:
        options.plot.write_text(draw(found["curves"]), encoding="utf-8")
    return 0


def _measured(record: Record) -> dict[str, Any]:
    estimates = {name: np.zeros_like(record.scores) for name in (*CONTENDERS, "selected", "shipped")}
    fixed, chosen, standings = np.zeros(len(record.scores)), [], []
    for number, (fit, test) in enumerate(folds(np.arange(len(record.scores)), OUTER, SEED), 1):
        print(f"fold {number} of {OUTER} ...", file=sys.stderr, flush=True)
        fixed[test] = record.scores[test, record.scores[fit].mean(axis=0).argmax()]
        within = {}
        for name in CONTENDERS:
            before = time.monotonic()
            within[name] = _choose(record, fit, name)
            print(f"  {name}: {time.monotonic() - before:.0f} s", file=sys.stderr, flush=True)
        for name, (setting, _) in within.items():
            estimates[name][test] = CONTENDERS[name].predict(record, fit, test, setting)
        best = max(within, key=lambda name: within[name][1])
        estimates["selected"][test] = estimates[best][test]
        selector = fitted(record, fit)
        estimates["shipped"][test] = told(selector, record, test)
        standings.append({"gain_low": selector.standing.gain_low, "stays": selector.standing.stays_with_best_fixed})
        chosen.append({"contender": best, **{name: f"{setting}" for name, (setting, _) in within.items()}})
    apart = held_back(record)
    return {
        "questions": len(record.questions),
        "models": len(record.models),
        "mean_model": float(record.scores.mean()),
        "best_fixed": float(fixed.mean()),
        "oracle": float(record.scores.max(axis=1).mean()),
        "contenders": {
            name: {
                **accuracy(told_by, record.scores, fixed),
                **calibration(told_by, record.scores, record.models),
                "held_back": accuracy(told_by[apart], record.scores[apart], fixed[apart]),
            }
            for name, told_by in estimates.items()
        },
        "chosen": chosen,
        "standings": standings,
        "answer_tokens": ANSWER_TOKENS,
        "curves": {schedule: _curves(record, estimates, schedule) for schedule in PRICES},
    }


def _choose(record: Record, fit: Any, name: str) -> tuple[Any, float]:
    """The setting that scores best within the rows to fit on, and its score there."""
    contender = CONTENDERS[name]
    scores = []
    for setting in contender.settings:
        got = [
            chosen_quality(contender.predict(record, inner, test, setting), record.scores[test])
            for inner, test in folds(fit, INNER, SEED)
        ]
        scores.append(float(np.concatenate(got).mean()))
    best = int(np.argmax(scores))
    return contender.settings[best], scores[best]


def _curves(record: Record, estimates: dict[str, Any], schedule: str) -> dict[str, Any]:
    costs = record.costs(schedule)
    mix = random_mix(record.scores, costs)
    points = curve(estimates["shipped"], record.scores, costs)
    return {
        "random_mix": mix,
        "best_fixed": mix[-1],
        "points": points,
        "oracle": curve(record.scores, record.scores, costs),
        "least_margin": min(margins(points, mix)),
        "mean_margin": float(np.mean(margins(points, mix))),
        "share_of_price_for_best_fixed": price_of_best_fixed(points, mix),
    }


def _table(found: dict[str, Any]) -> str:
    lines = [
        f"{found['questions']} questions, {found['models']} models; mean model {found['mean_model']:.4f}, "
        f"best fixed {found['best_fixed']:.4f}, oracle {found['oracle']:.4f}",
        "",
        f"{'':18} {'accuracy':>8} {'95 %':>16} {'gain':>7} {'95 %':>16} {'gap closed':>10} {'95 %':>15} "
        f"{'ECE':>6} {'chosen':>6} {'held back':>9}",
    ]
    for name, row in found["contenders"].items():
        spans = [f"{row[key][0]:.4f} to {row[key][1]:.4f}" for key in ("accuracy_interval", "gain_interval")]
        gap = row["gap_closed_interval"]
        lines.append(
            f"{name:18} {row['accuracy']:8.4f} {spans[0]} {row['gain']:+7.4f} {spans[1]} {row['gap_closed']:10.1%} "
            f"{gap[0]:6.1%} to {gap[1]:5.1%} {row['ece']:6.3f} {row['ece_of_chosen']:6.3f} "
            f"{row['held_back']['gap_closed']:9.1%}"
        )
    lines += ["", "chosen by the inner folds: " + json.dumps(found["chosen"])]
    lines.append("shipped, in each fold: " + json.dumps(_rounded(found["standings"])))
    for schedule, row in found["curves"].items():
        lines += [
            "",
            f"prices {schedule} (assumed; {found['answer_tokens']} tokens an answer): least margin over the random mix "
            f"{row['least_margin']:+.4f}, mean {row['mean_margin']:+.4f}; the best fixed model's score at "
            f"{row['share_of_price_for_best_fixed']:.0%} of its price",
            "  US dollars a 1,000 questions: score  "
            + ", ".join(f"{price:.3f}: {score:.4f}" for price, score in _thinned(row["points"])),
            "  random mix  " + ", ".join(f"{price:.3f}: {score:.4f}" for price, score in row["random_mix"]),
        ]
    return "\n".join([*lines, "", f"{found['seconds']} s"])


def _thinned(points: list[tuple[float, float]], most: int = 10) -> list[tuple[float, float]]:
    step = max(1, len(points) // most)
    return [*points[:-1][::step], points[-1]]


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, (list, tuple)) else value


if __name__ == "__main__":
    sys.exit(main())
