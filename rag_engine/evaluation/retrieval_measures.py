"""Retrieval measures by ir_measures, over documents ranked by their best chunk."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from rag_engine.errors import GoldSetError, UsageError
from rag_engine.types.retrieval import Passage

Ranking: TypeAlias = Sequence[tuple[str, float]]
Run: TypeAlias = Mapping[str, Ranking]

DEFAULT_MEASURES = ("nDCG@10", "R@100", "RR@10", "AP", "P@5", "Success@5")

_NAMES = {
    "ndcg": "nDCG",
    "r": "R",
    "recall": "R",
    "rr": "RR",
    "mrr": "RR",
    "ap": "AP",
    "map": "AP",
    "p": "P",
    "precision": "P",
    "success": "Success",
    "hit_rate": "Success",
    "rprec": "Rprec",
    "r-precision": "Rprec",
}
_NEEDS_CUTOFF = frozenset({"R", "P", "Success"})
_TAKES_NO_CUTOFF = frozenset({"Rprec"})


@dataclass(frozen=True, slots=True)
class RetrievalScores:
    """``metrics`` are means over all judged queries; ``per_query`` maps query to measure to value."""

    metrics: dict[str, float]
    per_query: dict[str, dict[str, float]]


def parse_measure(name: str) -> str:
    """The name by which ir_measures knows a measure: ``ndcg@10`` (ranx) and ``nDCG@10`` both give ``nDCG@10``.

    Raises:
        UsageError: no such measure, or its cutoff is missing or no whole number above 0.
    """
    family, at, cutoff = name.strip().partition("@")
    known = _NAMES.get(family.lower())
    if known is None:
        raise UsageError(
            f"unknown measure {name!r}",
            hint="known are nDCG@k, R@k (recall), RR@k (mrr), AP@k (map), P@k, Success@k (hit_rate) and Rprec",
        )
    if known in _NEEDS_CUTOFF and not at:
        raise UsageError(f"the measure {known} needs a cutoff", hint=f"write it like: {known}@10")
    if at and (known in _TAKES_NO_CUTOFF or not cutoff.isdecimal() or int(cutoff) == 0):
        raise UsageError(f"the measure {name!r} has an unfit cutoff", hint="write it like: nDCG@10; Rprec takes none")
    return f"{known}@{int(cutoff)}" if at else known


def best_chunk_per_document(passages: Iterable[Passage]) -> list[tuple[str, float]]:
    """Documents in the order of their first, best passage, each with that passage's score."""
    ranking: dict[str, float] = {}
    for passage in passages:
        ranking.setdefault(passage.document_id, passage.score)
    return list(ranking.items())


def check_run(run: Run, questions: Container[str]) -> None:
    """Raises GoldSetError where a run answers questions that the gold set does not have: it is another set's."""
    strangers = [query for query in run if query not in questions]
    if strangers:
        raise GoldSetError(
            f"the run answers questions that the gold set does not have ({len(strangers)}): {', '.join(strangers[:5])}",
            hint="give a run of the same gold set",
        )


def score_run(
    qrels: Mapping[str, Mapping[str, int]], run: Run, measures: Iterable[str] = DEFAULT_MEASURES
) -> RetrievalScores:
    """Scores rankings, best first, against judged documents and their grades, by query.

    The order of a ranking counts, not its scores. A judged query without a result scores 0 and counts;
    a query that is not judged does not. Grades are gains as they stand (trec_eval's nDCG); from grade 1
    a document is relevant to the binary measures.

    Raises:
        GoldSetError: nothing is judged, or a ranking names a document twice.
        UsageError: a measure is unknown.
    """
    import ir_measures

    if not qrels:
        raise GoldSetError("no query is judged, so nothing can be scored")
    names = list(dict.fromkeys(parse_measure(name) for name in measures))
    parsed = [ir_measures.parse_measure(name) for name in names]
    ranked = {query: _scores_by_rank(query, run.get(query, ())) for query in qrels}
    per_query = {query: dict.fromkeys(names, 0.0) for query in qrels}
    for metric in ir_measures.iter_calc(parsed, _plain(qrels), ranked):
        per_query[metric.query_id][str(metric.measure)] = float(metric.value)
    means = {name: sum(scores[name] for scores in per_query.values()) / len(per_query) for name in names}
    return RetrievalScores(means, per_query)


def _scores_by_rank(query: str, ranking: Ranking) -> dict[str, float]:
    # trec_eval sorts by score and breaks ties by document id; scores made from ranks keep our order.
    scores = {document: float(len(ranking) - rank) for rank, (document, _) in enumerate(ranking)}
    if len(scores) < len(ranking):
        raise GoldSetError(f"the ranking for query {query} names a document twice", hint="rank each document once")
    return scores


def _plain(qrels: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, Any]]:
    return {query: dict(grades) for query, grades in qrels.items()}
