"""Fits the weights by which the extractive model finds the few words of a sentence that answer, and writes them.

    python -m benchmarks.quality.fit_spans CASES.jsonl

CASES are what ``confidence_cases`` prints; those of squad2 in the half that fits are used, each with the first of its
ranked sentences that holds a gold answer. A conditional logit over the runs of words of that sentence: likely shall be
those that match a gold answer exactly, or where none does, those that agree with it best. Weights common to all kinds
of questions and weights of each kind's own are penalised, the latter twice. Prints how well the runs agree with the
gold answers on the half that is held out, the sentence being given.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.quality.answer_cases import read_cases
from benchmarks.quality.fit_confidence import extractive_model
from rag_engine.evaluation.answer_measures import exact_match, f1
from rag_engine.llm import span_model
from rag_engine.llm.answer_spans import FEATURES, GROUP_COUNT, GROUPS, SpanFeatures, span_features
from rag_engine.llm.asked import Asked, read_question
from rag_engine.llm.words import CLASSES
from rag_engine.semantic_chunking import split_sentences

PENALTY = 6e-4
STEPS = 150
LEAST_AGREEMENT = 0.5  # a sentence of which no run agrees better teaches nothing


@dataclass(frozen=True)
class Example:
    """The runs of a sentence that answers, and the F1 and the exact match of each."""

    asked: Asked
    sentence: str
    answers: tuple[str, ...]
    found: SpanFeatures
    agreement: np.ndarray[tuple[int], np.dtype[np.float64]]
    exact: np.ndarray[tuple[int], np.dtype[np.float64]]


def main(file: Path) -> None:
    """Writes the weights of the half that fits, then prints F1 and exact match on the other."""
    model = extractive_model(split_sentences)
    fitting: list[Example] = []
    held_out: list[Example] = []
    for case in read_cases(file):
        if case.set != "squad2" or not case.answerable:
            continue
        asked = read_question(case.prompt.question)
        for one in model.rank(case.prompt, asked):
            if case.holds_answer(one.evidence.source, one.evidence.start, one.evidence.end):
                (fitting if case.fits else held_out).extend(_example(asked, one.evidence.text, case.answers))
                break
    edges, features = fit([one for one in fitting if one.agreement.max() >= LEAST_AGREEMENT])
    target = Path(span_model.__file__).with_name(span_model.WEIGHTS_FILE)
    kept = {"edges": edges.numpy().round(2).tolist(), "features": features.numpy().round(2).tolist()}
    target.write_text(json.dumps(kept, separators=(",", ":")) + "\n", encoding="utf-8")
    scores = [_scored(one) for one in held_out]
    figures = {"f1": float(np.mean([one for one, _ in scores])), "exact": float(np.mean([one for _, one in scores]))}
    print(json.dumps({"fitted": len(fitting), "held_out": len(held_out), **figures}))


def _example(asked: Asked, sentence: str, answers: tuple[str, ...]) -> list[Example]:
    found = span_features(asked, sentence)
    if found is None:
        return []
    runs = [sentence[start:end] for start, end in found.characters]
    agreement = np.array([f1(run, answers) for run in runs])
    return [Example(asked, sentence, answers, found, agreement, np.array([exact_match(run, answers) for run in runs]))]


def fit(examples: list[Example]) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights of edges, shape (groups, 4, classes), and of features, (groups, features); group 0 is common to all."""
    own = torch.tensor(np.concatenate([np.full(len(one.exact), n) for n, one in enumerate(examples)]))
    group = torch.tensor(np.concatenate([np.full(len(one.exact), GROUPS.get(one.asked.kind, 0)) for one in examples]))
    edge = torch.tensor(np.concatenate([one.found.edges for one in examples]))
    value = torch.tensor(np.concatenate([one.found.values for one in examples]))
    target = torch.tensor(np.concatenate([_target(one) for one in examples]))
    edges = torch.zeros(GROUP_COUNT, 4, len(CLASSES), dtype=torch.double, requires_grad=True)
    features = torch.zeros(GROUP_COUNT, len(FEATURES), dtype=torch.double, requires_grad=True)
    optimizer = torch.optim.LBFGS([edges, features], max_iter=STEPS, line_search_fn="strong_wolfe")
    grouped = (group > 0).double()

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        logits = (value * (features[0] + grouped[:, None] * features[group])).sum(1)
        for position in range(4):
            chosen = edge[:, position]
            logits = logits + edges[0, position][chosen] + grouped * edges[group, position, chosen]
        highest = torch.full((len(examples),), -torch.inf, dtype=torch.double)
        highest = highest.scatter_reduce(0, own, logits.detach(), "amax")
        sums = torch.zeros(len(examples), dtype=torch.double).index_add(0, own, (logits - highest[own]).exp())
        likelihood = (target * (logits - (sums.log() + highest)[own])).sum() / len(examples)
        penalty = sum((each[0] ** 2).sum() + 2 * (each[1:] ** 2).sum() for each in (edges, features))
        result = PENALTY * penalty - likelihood
        result.backward()  # type: ignore[no-untyped-call]
        return result

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return edges.detach(), features.detach()


def _target(one: Example) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    best = one.exact > 0 if one.exact.any() else one.agreement >= one.agreement.max() - 1e-9
    share: np.ndarray[tuple[int], np.dtype[np.float64]] = best / best.sum()
    return share


def _scored(one: Example) -> tuple[float, float]:
    span = span_model.best_span(one.asked, one.sentence)
    text = one.sentence[span.start : span.end] if span else one.sentence
    return f1(text, one.answers), exact_match(text, one.answers)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
