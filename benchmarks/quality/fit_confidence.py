"""Fits the extractive model's two sets of weights, and says how it does on the groups that were kept out.

    python -m benchmarks.quality.fit_confidence CASES.jsonl

A case is a question with the passages that a search brought for it, as ``confidence_cases`` makes them:
``{"set", "group", "question", "answerable", "spans": [{"document", "start", "end"}], "passages": [...]}``,
a passage being ``{"document_id", "title", "heading_path", "start", "end", "text", "score", "scores"}``; ``spans`` is
empty where the set has none. A third of each set's groups (of its cases, where there is one group) fits, the rest
is held out. The ranking is a conditional logit over the sentences of each question that has spans; the confidence
is a logistic regression with every set, and answerable and unanswerable within it, weighing the same.

The weights in ``rag_engine/llm/evidence.py``, rounded, are from the three sets of ``confidence_cases``. Without the
third, the threshold of one half refuses a third more of what can be answered. Those of the ranking are older: from
the same questions, 8 passages of about 200 tokens each. Fitted anew to the passages of today, they would be nearly the
same, and a little worse on what is held out (answer in citation .827 instead of .833 on squad2).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag_engine.embedding import DEFAULT_MODEL, CachedEmbedder, default_cache, find_model, open_embedder
from rag_engine.llm.evidence import CONFIDENCE, RANKING, rank_features
from rag_engine.llm.providers.extractive import ExtractiveModel
from rag_engine.protocols import SentenceSplitter
from rag_engine.semantic_chunking import split_sentences
from rag_engine.types.generation import NumberedSource, Prompt
from rag_engine.types.retrieval import Passage

Matrix = NDArray[np.float64]
PENALTY = 0.01
THRESHOLD = 0.5


@dataclass(frozen=True)
class Case:
    """One question, its prompt, and whether its group fits or is held out."""

    set: str
    fits: bool
    answerable: bool
    spans: list[tuple[str, int, int]]
    prompt: Prompt

    def holds_answer(self, source: NumberedSource, start: int, end: int) -> bool:
        """Whether the characters hold a gold span."""
        document = source.passage.document_id
        return any(document == name and start <= first and last <= end for name, first, last in self.spans)


def read_cases(file: Path) -> Iterator[Case]:
    """Cases of a JSONL file; the part of each is drawn from its group's name, or its question's, by hash."""
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    groups = {name: {line["group"] for line in lines if line["set"] == name} for name in {x["set"] for x in lines}}
    for line in lines:
        key = line["group"] if len(groups[line["set"]]) > 1 else line["question"]
        sources = tuple(
            NumberedSource(number, _passage(number, fields)) for number, fields in enumerate(line["passages"], start=1)
        )
        yield Case(
            set=line["set"],
            fits=hashlib.sha256(key.encode()).digest()[0] % 3 == 0,
            answerable=line["answerable"],
            spans=[(span["document"], span["start"], span["end"]) for span in line["spans"]],
            prompt=Prompt(line["question"], "", "", sources, 0),
        )


def _passage(rank: int, fields: dict[str, Any]) -> Passage:
    fields["heading_path"] = tuple(fields["heading_path"])
    return Passage(rank=rank, chunk=rank, **fields)


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
    """A weight for each case: every set, and both answers within it, weigh the same."""
    kinds = [(case.set, case.answerable) for case in cases]
    return np.array([1 / kinds.count(kind) for kind in kinds])


def main(file: Path, split_sentences: SentenceSplitter) -> None:
    """Prints fitted weights, then what the weights that stand in the code give on the groups held out."""
    inner = open_embedder(find_model(DEFAULT_MODEL), runtime="auto", cache=default_cache(), batch_size=32)
    embedder = CachedEmbedder(inner, capacity=1 << 17)
    model = ExtractiveModel(embedder=embedder, split_sentences=split_sentences, abstain_below=0.0)
    cases = list(read_cases(file))
    fitting = [case for case in cases if case.fits]

    rows, groups = [], []
    for case in fitting:
        ranked = model.rank(case.prompt)
        rows.append(list(model.features(case.prompt.question, ranked[0]).values()))
        answering = [case.holds_answer(one.evidence.source, one.evidence.start, one.evidence.end) for one in ranked]
        if any(answering):
            features = [list(rank_features(one.evidence, cosine=one.cosine).values()) for one in ranked]
            groups.append((np.array(features), np.array(answering, dtype=float)))
    print("ranking", dict(zip(RANKING, fit_ranking(groups).round(2).tolist(), strict=True)))
    slopes, offset = fit_confidence(
        np.array(rows), np.array([case.answerable for case in fitting], dtype=float), balanced(fitting)
    )
    print("confidence", dict(zip(CONFIDENCE, slopes.round(2).tolist(), strict=True)), round(offset, 2))

    for name in sorted({case.set for case in cases}):
        report(name, [case for case in cases if case.set == name and not case.fits], model)


def report(name: str, cases: Sequence[Case], model: ExtractiveModel) -> None:
    """Prints refusals, and how often the quoted characters hold the answer."""
    completions = [asyncio.run(model.complete(case.prompt)) for case in cases]
    sure = np.array([completion.confidence for completion in completions])
    answerable = np.array([case.answerable for case in cases])
    refused = sure < THRESHOLD
    figures = {
        "questions": len(cases),
        "refusal_precision": (refused & ~answerable).sum() / max(1, refused.sum()),
        "refusal_recall": (refused & ~answerable).sum() / max(1, (~answerable).sum()),
        "AUROC": np.mean(sure[answerable][:, None] > sure[~answerable]),
        "Brier": np.mean((sure - answerable) ** 2),
        "sentences": np.mean([len(completion.quotations) for completion in completions]),
    }
    if any(case.spans for case in cases):
        held = np.array(
            [
                any(
                    case.holds_answer(case.prompt.sources[quotation.marker - 1], quotation.start, quotation.end)
                    for quotation in completion.quotations
                )
                for case, completion in zip(cases, completions, strict=True)
            ]
        )
        figures["answer_in_citation"] = held[answerable].mean()
        figures["answer_in_citation_when_answered"] = held[answerable & ~refused].mean()
    print(name, {key: round(float(value), 3) for key, value in figures.items()})


if __name__ == "__main__":
    main(Path(sys.argv[1]), split_sentences)
