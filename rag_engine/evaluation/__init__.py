"""Evaluation: gold sets, measures of retrieval, answers and spans, baselines, significance, run files and reports."""

from rag_engine.evaluation.answer_measures import AnswerRecord, AnswerScores, score_answers
from rag_engine.evaluation.baseline import Baseline, read_baseline
from rag_engine.evaluation.calibration_report import CalibrationReport
from rag_engine.evaluation.comparison import BaselineComparison, MeasureComparison, compare, family_values
from rag_engine.evaluation.curves import Curve, Ranks, gold_ranks, precision_recall, risk_coverage
from rag_engine.evaluation.fingerprint import fingerprint
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
from rag_engine.evaluation.html_report import html_report
from rag_engine.evaluation.junit import junit_report
from rag_engine.evaluation.losses import Loss, Side, find_losses
from rag_engine.evaluation.report import EvaluationReport
from rag_engine.evaluation.retrieval_measures import (
    DEFAULT_MEASURES,
    RetrievalScores,
    Run,
    best_chunk_per_document,
    check_run,
    parse_measure,
    score_run,
)
from rag_engine.evaluation.risk_plot import write_risk_plot
from rag_engine.evaluation.span_measures import CharacterSpan, SpanScores, precision_omega, score_spans, touching
from rag_engine.evaluation.trec import read_run, write_run
from rag_engine.evaluation.whole_files import check_place, write_whole

__all__ = [
    "DEFAULT_MEASURES",
    "AnswerRecord",
    "AnswerScores",
    "Baseline",
    "BaselineComparison",
    "CalibrationReport",
    "CharacterSpan",
    "Curve",
    "EvaluationReport",
    "GoldForm",
    "GoldQuestion",
    "GoldSet",
    "GoldSpan",
    "Loss",
    "MeasureComparison",
    "Ranks",
    "RetrievalScores",
    "Run",
    "Side",
    "SpanScores",
    "best_chunk_per_document",
    "check_against",
    "check_place",
    "check_run",
    "check_spans",
    "compare",
    "document_ids",
    "family_values",
    "find_losses",
    "fingerprint",
    "gold_ranks",
    "html_report",
    "junit_report",
    "parse_measure",
    "precision_omega",
    "precision_recall",
    "read_baseline",
    "read_gold_set",
    "read_run",
    "risk_coverage",
    "score_answers",
    "score_run",
    "score_spans",
    "touching",
    "write_risk_plot",
    "write_run",
    "write_whole",
]
