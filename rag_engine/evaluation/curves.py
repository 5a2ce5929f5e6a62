"""The curves that a report draws: precision against recall, and risk against coverage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from rag_engine.evaluation.confidence_measures import reactions, selective_risks
from rag_engine.evaluation.retrieval_measures import Run

# Points (x, y), both in [0, 1], from left to right.
Curve: TypeAlias = tuple[tuple[float, float], ...]
# Ranks, from 1, of the relevant documents that were found, by question.
Ranks: TypeAlias = Mapping[str, Mapping[str, int]]
Judgements: TypeAlias = Mapping[str, Mapping[str, int]]

RECALL_LEVELS = tuple(level / 10 for level in range(11))


def gold_ranks(qrels: Judgements, run: Run, *, depth: int) -> dict[str, dict[str, int]]:
    """Where each judged question's relevant documents stand among the first ``depth``."""
    return {
        query: {
            document: rank
            for rank, (document, _) in enumerate(run.get(query, ())[:depth], start=1)
            if grades.get(document, 0) >= 1
        }
        for query, grades in qrels.items()
    }


def precision_recall(qrels: Judgements, ranks: Ranks) -> Curve:
    """Interpolated precision at the 11 standard levels of recall, mean over questions with a relevant document.

    At each level it is the highest precision at any rank with that recall or more, 0 where there is none (Manning,
    Raghavan and Schütze, 2008, section 8.4). Empty where no question has a relevant document.
    """
    curves = [
        _interpolated(sorted(ranks.get(query, {}).values()), relevant)
        for query, grades in qrels.items()
        if (relevant := sum(grade >= 1 for grade in grades.values()))
    ]
    if not curves:
        return ()
    means = (sum(values) / len(curves) for values in zip(*curves, strict=True))
    return tuple(zip(RECALL_LEVELS, means, strict=True))


def risk_coverage(per_query: Mapping[str, Mapping[str, float]]) -> Curve:
    """Share of wrong reactions among the most confident, against their share of all questions of known outcome."""
    risks = selective_risks(reactions(per_query.values()))
    return tuple((number / len(risks), risk) for number, risk in enumerate(risks, start=1))


def answered_share(per_query: Mapping[str, Mapping[str, float]]) -> float:
    """The coverage at which the engine stops answering, of the questions of known outcome; 0 where there are none."""
    known: Iterable[Mapping[str, float]] = [scores for scores in per_query.values() if "right" in scores]
    answered = [not scores["abstained"] for scores in known]
    return sum(answered) / len(answered) if answered else 0.0


def _interpolated(ranks: list[int], relevant: int) -> list[float]:
    precisions = [found / rank for found, rank in enumerate(ranks, start=1)]
    # Which of the found documents is the first with the level's recall, found / relevant, in whole numbers.
    firsts = [max(1, -(-level * relevant // 10)) for level in range(11)]
    return [max(precisions[first - 1 :], default=0.0) for first in firsts]
