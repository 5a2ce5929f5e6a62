"""Learns from a gold set what each strategy of the optimiser does for which questions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from rag_engine import tracing
from rag_engine.context_retrieval import OptimizedRetriever
from rag_engine.evaluation import GoldQuestion, GoldSet, best_chunk_per_document, score_run
from rag_engine.protocols import ExperienceLedger, Retriever
from rag_engine.types.optimization import OptimizedQuery, PastQuestion, QueryExperience, StrategyName
from rag_engine.types.retrieval import Query, SearchMode

MEASURE = "nDCG@10"
_CHUNKS, _DOCUMENTS = 100, 10


class LearnJob:
    """Searches for every question without the optimiser and with each strategy alone, and records what it gained."""

    def __init__(
        self,
        *,
        plain: Retriever,
        optimized: OptimizedRetriever,
        ledger: ExperienceLedger,
        progress: Callable[[str, int, int], None] = lambda _stage, _done, _total: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``optimized`` is a retriever around ``plain``; ``clock`` gives seconds since 1970."""
        self._plain = plain
        self._optimized = optimized
        self._ledger = ledger
        self._progress = progress
        self._clock = clock

    def learn(self, gold: GoldSet, *, mode: SearchMode) -> dict[str, int]:
        """How many experiences were recorded of each strategy; only where a strategy did something there is one."""
        judged = [question for question in gold.questions if question.id in gold.qrels]
        with tracing.span("learn"):
            experiences, went = self._tried(gold, judged, mode)
            self._ledger.record(experiences)
            self._ledger.record_questions(went)
        counts = {strategy.value: 0 for strategy in StrategyName}
        for experience in experiences:
            counts[experience.strategy.value] += 1
        return {name: count for name, count in counts.items() if count}

    def _tried(
        self, gold: GoldSet, judged: Sequence[GoldQuestion], mode: SearchMode
    ) -> tuple[list[QueryExperience], list[PastQuestion]]:
        runs: dict[str, dict[str, list[tuple[str, float]]]] = {"": {}}
        plans: dict[tuple[str, str], OptimizedQuery] = {}
        for done, question in enumerate(judged, start=1):
            query = Query(question.text, k=_CHUNKS, mode=mode)
            runs[""][question.id] = list(best_chunk_per_document(self._plain.retrieve(query)))[:_DOCUMENTS]
            for strategy in StrategyName:
                outcome = self._optimized.search(query, only=frozenset((strategy,)))
                plan = outcome.optimized
                if plan is not None and any(step.applied for step in plan.steps):
                    ranked = list(best_chunk_per_document(outcome.passages))[:_DOCUMENTS]
                    runs.setdefault(strategy.value, {})[question.id] = ranked
                    plans[strategy.value, question.id] = plan
            self._progress("learn", done, len(judged))
        scores = {name: _scored(gold, run) for name, run in runs.items()}
        now = self._clock()
        experiences = [
            QueryExperience(
                plan.task, StrategyName(name), plan.features, scores[name][identifier] - scores[""][identifier], now
            )
            for (name, identifier), plan in plans.items()
        ]
        went = [
            PastQuestion(
                question.text,
                scores[""][question.id],
                tuple(document for document, grade in gold.qrels[question.id].items() if grade > 0),
            )
            for question in judged
        ]
        return experiences, went


def _scored(gold: GoldSet, run: Mapping[str, list[tuple[str, float]]]) -> dict[str, float]:
    """nDCG@10 of each question of the run."""
    qrels = {identifier: gold.qrels[identifier] for identifier in run}
    per_query = score_run(qrels, dict(run), [MEASURE]).per_query if run else {}
    return {identifier: per_query.get(identifier, {}).get(MEASURE, 0.0) for identifier in run}
