"""Asks an index every question of a gold set and scores what comes back."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from rag_engine import tracing
from rag_engine.evaluation import (
    AnswerRecord,
    Baseline,
    BaselineComparison,
    CharacterSpan,
    EvaluationReport,
    GoldQuestion,
    GoldSet,
    Ranks,
    Run,
    Side,
    best_chunk_per_document,
    check_against,
    check_spans,
    compare,
    document_ids,
    family_values,
    find_losses,
    fingerprint,
    gold_ranks,
    precision_recall,
    read_baseline,
    risk_coverage,
    score_answers,
    score_run,
)
from rag_engine.index import Catalog
from rag_engine.prompt_engineering import Verdict, verify_citation
from rag_engine.protocols import Embedder, Retriever
from rag_engine.types.generation import Answer
from rag_engine.types.retrieval import Query, SearchMode

# Chunks fetched for a ranking of 100 documents: long documents bring several each.
RANKED_CHUNKS = 300
RANKED_DOCUMENTS = 100
_MARKER = re.compile(r"\s*\[\d+\]")

Scores: TypeAlias = Mapping[str, Mapping[str, float]]
ReportQuestions: TypeAlias = Callable[[str, int, int], None]
AskQuestion: TypeAlias = Callable[[str, SearchMode], Answer]


class EvaluateJob:
    """Scores retrieval, and answers where the gold set has them."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        retriever: Retriever,
        embedder: Embedder,
        ask: AskQuestion,
        progress: ReportQuestions = lambda _stage, _done, _total: None,
    ) -> None:
        """``embedder`` remembers the questions' vectors, so that all are embedded at once."""
        self._catalog = catalog
        self._retriever = retriever
        self._embedder = embedder
        self._ask = ask
        self._progress = progress

    def evaluate(
        self, gold: GoldSet, *, mode: SearchMode, answers: bool | None = None, baseline: Path | None = None
    ) -> EvaluationReport:
        """The measures of ``gold`` on this index; ``baseline`` is an earlier run or evaluation to compare with.

        ``answers`` says whether every question is asked; by default where the gold set has answers.

        Raises:
            GoldSetError: the gold set names documents or characters that the index does not hold, or the
                baseline is of another gold set or has no measure that this evaluation has.
        """
        started = time.perf_counter()
        # A document of the corpus that could not be ingested (an empty one, say) is known, and never found.
        known = set(document_ids(gold.corpus) if gold.corpus else self._catalog.document_ids())
        check_against(gold, known)
        check_spans(gold, self._catalog.text)
        earlier = (
            None if baseline is None else read_baseline(baseline, gold, known_documents=known, depth=RANKED_DOCUMENTS)
        )
        if mode is not SearchMode.LEXICAL:
            self._embed_questions(gold.questions)
        with tracing.span("evaluate retrieval"):
            run = self._rank(gold, mode)
        scores = score_run(gold.qrels, run) if gold.qrels else None
        metrics: dict[str, float | None] = dict(scores.metrics) if scores else {}
        per_query = {key: dict(values) for key, values in scores.per_query.items()} if scores else {}
        if answers is None:
            answers = any(question.answers or question.answerable is False for question in gold.questions)
        if answers:
            with tracing.span("evaluate answers"):
                answered = score_answers(gold.questions, self._answers(gold, mode))
            metrics.update(answered.metrics)
            for key, values in answered.per_query.items():
                per_query.setdefault(key, {}).update(values)
        ranks = gold_ranks(gold.qrels, run, depth=RANKED_DOCUMENTS)
        return EvaluationReport(
            gold=gold.name,
            form=gold.form,
            mode=mode,
            metrics=metrics,
            per_query=per_query,
            queries=len(gold.questions),
            significance=None if earlier is None else _compared(gold, earlier, per_query, ranks, run),
            seconds=time.perf_counter() - started,
            run=run,
            fingerprint=fingerprint(gold),
            ranks=ranks,
            precision_recall=precision_recall(gold.qrels, ranks),
        )

    def _embed_questions(self, questions: Iterable[GoldQuestion]) -> None:
        self._embedder.embed_queries([question.text for question in questions])

    def _rank(self, gold: GoldSet, mode: SearchMode) -> dict[str, list[tuple[str, float]]]:
        run: dict[str, list[tuple[str, float]]] = {}
        judged = [question for question in gold.questions if question.id in gold.qrels]
        for done, question in enumerate(judged, start=1):
            passages = self._retriever.retrieve(Query(question.text, k=RANKED_CHUNKS, mode=mode))
            run[question.id] = list(best_chunk_per_document(passages))[:RANKED_DOCUMENTS]
            self._progress("search", done, len(judged))
        return run

    def _answers(self, gold: GoldSet, mode: SearchMode) -> dict[str, AnswerRecord]:
        records: dict[str, AnswerRecord] = {}
        for done, question in enumerate(gold.questions, start=1):
            answer = self._ask(question.text, mode)
            records[question.id] = AnswerRecord(
                text=_MARKER.sub("", answer.text),
                abstained=answer.abstained,
                confidence=answer.confidence,
                citations=tuple(CharacterSpan(c.document, c.start, c.end) for c in answer.citations),
                intact=self._intact(answer),
                short=answer.short,
            )
            self._progress("ask", done, len(gold.questions))
        return records

    def _intact(self, answer: Answer) -> int:
        """How many citations equal the stored characters, read once more from the catalog."""
        verdicts = [
            verify_citation(start=c.start, end=c.end, text=c.text, stored_text=self._catalog.text(c.document)).verdict
            for c in answer.citations
        ]
        return verdicts.count(Verdict.INTACT)


def _compared(gold: GoldSet, earlier: Baseline, per_query: Scores, ranks: Ranks, run: Run) -> BaselineComparison:
    """Every measure against the baseline's, and why the questions that lost most did."""
    before = Side(family_values(gold.questions, earlier.per_query), earlier.per_query, earlier.ranks)
    now = Side(family_values(gold.questions, per_query), per_query, ranks)
    metrics = compare(before.values, now.values)
    names = [compared.metric for compared in metrics]
    return BaselineComparison(
        baseline=earlier.name,
        metrics=metrics,
        losses=find_losses(gold, before=before, now=now, run=run, depth=RANKED_DOCUMENTS),
        differences={
            name: {query: value - before.values[name][query] for query, value in now.values[name].items()}
            for name in names
        },
        precision_recall=precision_recall(gold.qrels, earlier.ranks),
        risk_coverage=risk_coverage(earlier.per_query),
    )
