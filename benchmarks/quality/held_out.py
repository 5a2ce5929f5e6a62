"""Scores the extractive model on the questions that none of its weights were fitted on.

    python -m benchmarks.quality.held_out CASES.jsonl
    python -m benchmarks.quality.held_out SQUAD2 CLAPNQ

CASES are what ``confidence_cases`` prints; of the two gold sets themselves they are made first. For each set, of the
half that is held out: how often an answer's text contains a gold answer, F1 of the answer proper, both over the
answerable questions and an abstention counting as a miss; the share of citations that hold a gold span; refusals at the
default threshold and at others; AUROC; the area under the risk-coverage curve of all answers (a risk being one that
contains no gold answer, or an answer to what has none; where gold answers are whole sentences, one that agrees with
none of them by half); the expected calibration error of the confidence, as ``rag eval`` measures it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.quality.answer_cases import Case, read_cases
from benchmarks.quality.confidence_cases import all_cases
from benchmarks.quality.fit_confidence import extractive_model
from rag_engine import load_settings
from rag_engine.evaluation.answer_measures import contains_answer, f1
from rag_engine.evaluation.confidence_measures import area_under_risk_coverage, expected_calibration_error
from rag_engine.semantic_chunking import split_sentences
from rag_engine.types.generation import Completion

THRESHOLDS = (0.20, 0.25, 0.30, 0.35, 0.40, 0.45, 0.50, 0.55)
AGREES = 0.5


@dataclass(frozen=True, slots=True)
class Scored:
    """One answer that was given whatever its confidence."""

    answerable: bool
    confidence: float
    contains: bool
    f1: float
    f1_text: float
    agrees: bool
    citations: int
    right_citations: int


def main(file: Path) -> None:
    """Prints one JSON object: figures of each set."""
    model = extractive_model(split_sentences)
    scored: dict[str, list[Scored]] = {}
    for case in read_cases(file):
        if not case.fits:
            completion = asyncio.run(model.complete(case.prompt))
            scored.setdefault(case.set, []).append(_score(case, completion))
    default = load_settings().answering.abstain_below
    print(json.dumps({name: _figures(found, default) for name, found in scored.items()}))


def _score(case: Case, completion: Completion) -> Scored:
    sources = case.prompt.sources
    right = [case.holds_answer(sources[one.marker - 1], one.start, one.end) for one in completion.quotations]
    whole = f1(completion.text, case.answers) if case.answers else 0.0
    contains = contains_answer(completion.text, case.answers)
    return Scored(
        answerable=case.answerable,
        confidence=completion.confidence or 0.0,
        contains=contains,
        f1=f1(completion.short, case.answers) if completion.short and case.answers else whole,
        f1_text=whole,
        agrees=contains if case.spans else whole >= AGREES,
        citations=len(right),
        right_citations=sum(right),
    )


def _figures(scored: list[Scored], default: float) -> dict[str, object]:
    sure = np.array([one.confidence for one in scored])
    answerable = np.array([one.answerable for one in scored])
    pairs = sure[answerable][:, None] - sure[~answerable]
    return {
        "questions": len(scored),
        "default": _at(scored, default),
        "AUROC": round(float(np.mean(pairs > 0) + np.mean(pairs == 0) / 2), 4),
        "AURC": area_under_risk_coverage((one.confidence, float(not one.agrees)) for one in scored),
        "ECE": expected_calibration_error(zip(sure.tolist(), answerable.tolist(), strict=True)),
        "rows": [_at(scored, threshold) for threshold in THRESHOLDS],
    }


def _at(scored: list[Scored], threshold: float) -> dict[str, float]:
    refused = [one for one in scored if one.confidence < threshold]
    answered = [one for one in scored if one.answerable and one.confidence >= threshold]
    answerable = sum(one.answerable for one in scored)
    rightly = sum(not one.answerable for one in refused)
    return {
        "threshold": threshold,
        "contains_answer": _share(sum(one.contains for one in answered), answerable),
        "f1": _share(sum(one.f1 for one in answered), answerable),
        "f1_text": _share(sum(one.f1_text for one in answered), answerable),
        "citation_precision": _share(
            sum(one.right_citations for one in answered), sum(one.citations for one in answered)
        ),
        "refusal_precision": _share(rightly, len(refused)),
        "refusal_recall": _share(rightly, len(scored) - answerable),
        "wrongly_refused": _share(len(refused) - rightly, answerable),
    }


def _share(part: float, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _ask_first(squad: Path, clapnq: Path) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        for case in all_cases(squad, clapnq):
            file.write(json.dumps(case) + "\n")
        file.flush()
        main(Path(file.name))


if __name__ == "__main__":
    paths = [Path(argument) for argument in sys.argv[1:]]
    main(*paths) if len(paths) == 1 else _ask_first(*paths)
