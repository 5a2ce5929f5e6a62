"""Evaluation: gold sets, measures of retrieval, answers and spans, significance, run files and reports."""

from rag_engine.evaluation.answer_measures import AnswerRecord, AnswerScores, score_answers
from rag_engine.evaluation.gold_set import (
    GoldForm,
    GoldQuestion,
    GoldSet,
    GoldSpan,
    check_against,
    check_spans,
    document_ids,
    read_gold_set,
)
from rag_engine.evaluation.report import EvaluationReport
from rag_engine.evaluation.retrieval_measures import (
    DEFAULT_MEASURES,
    RetrievalScores,
    best_chunk_per_document,
    check_run,
    parse_measure,
    score_run,
)
from rag_engine.evaluation.significance import PairedComparison, compare
from rag_engine.evaluation.span_measures import CharacterSpan, SpanScores, precision_omega, score_spans, touching
from rag_engine.evaluation.trec import read_run, write_run

__all__ = [
    "DEFAULT_MEASURES",
    "AnswerRecord",
    "AnswerScores",
    "CharacterSpan",
    "EvaluationReport",
    "GoldForm",
    "GoldQuestion",
    "GoldSet",
    "GoldSpan",
    "PairedComparison",
    "RetrievalScores",
    "SpanScores",
    "best_chunk_per_document",
    "check_against",
    "check_run",
    "check_spans",
    "compare",
    "document_ids",
    "parse_measure",
    "precision_omega",
    "read_gold_set",
    "read_run",
    "score_answers",
    "score_run",
    "score_spans",
    "touching",
    "write_run",
]
