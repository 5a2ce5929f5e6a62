"""Measures of answers: exact match and F1 as SQuAD defines them, citations against gold spans, and abstention."""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from rag_engine.evaluation.confidence_measures import (
    area_under_risk_coverage,
    expected_calibration_error,
    reactions,
)
from rag_engine.evaluation.gold_set import GoldQuestion
from rag_engine.evaluation.span_measures import CharacterSpan, contains

# Characters of scripts written without spaces are tokens of their own (MLQA's mixed segmentation):
# Thai, Lao, Myanmar, Khmer, kana, Han and its extensions.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_TOKEN = re.compile(f"[{_UNSPACED}]|[^\\s{_UNSPACED}]+")
_ARTICLE = re.compile(r"\b(a|an|the)\b")


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """What the engine answered, as far as it is scored.

    ``intact`` is how many of the citations equal the stored characters, None where nobody looked. ``short`` is the
    answer proper, empty where all of ``text`` is.
    """

    text: str
    abstained: bool
    confidence: float
    citations: tuple[CharacterSpan, ...] = ()
    intact: int | None = None
    short: str = ""


@dataclass(frozen=True, slots=True)
class AnswerScores:
    """``metrics`` are None where nothing could be counted; ``per_query`` maps question to measure to value."""

    metrics: dict[str, float | None]
    per_query: dict[str, dict[str, float]]


NO_ANSWER = AnswerRecord(text="", abstained=False, confidence=0.0)


def normalize_answer(text: str) -> str:
    """Lower case, no punctuation, no English articles, single spaces (SQuAD's evaluate-v2.0).

    Punctuation is Unicode's, as in MLQA's; on ASCII both are the same.
    """
    text = "".join(character for character in text.lower() if not _is_punctuation(character))
    return " ".join(_ARTICLE.sub(" ", text).split())


def exact_match(answer: str, gold_answers: Sequence[str]) -> float:
    """1 where the normalised answer equals a normalised gold answer, else 0; spaces between ideographs do not count."""
    tokens = _tokens(answer)
    return float(any(tokens == _tokens(gold) for gold in gold_answers))


def f1(answer: str, gold_answers: Sequence[str]) -> float:
    """The best F1 of the answer's tokens against a gold answer's, as bags."""
    tokens = _tokens(answer)
    return max((_bag_f1(tokens, _tokens(gold)) for gold in gold_answers), default=0.0)


def contains_answer(text: str, gold_answers: Sequence[str]) -> bool:
    """Whether a gold answer's words occur in the text, in order and next to each other, after normalisation.

    Punctuation separates words here, so that a text with ``10th-century`` contains ``10th``.
    """
    words = _words(text)
    return any(gold and _occurs(gold, words) for gold in map(_words, gold_answers))


def citation_covers_gold(citations: Sequence[CharacterSpan], gold_spans: Iterable[CharacterSpan]) -> bool:
    """Whether the cited characters, taken together, contain a whole gold span."""
    return any(contains(citations, span) for span in gold_spans)


def score_answers(questions: Iterable[GoldQuestion], answers: Mapping[str, AnswerRecord]) -> AnswerScores:
    """Scores answers, by question id. A question without an answer counts as answered wrongly.

    ``exact_match`` and ``f1`` are SQuAD 2.0's: over all questions, where an unanswerable one scores 1 for an
    abstention, both of the ``short`` answer where there is one; ``exact_match_answerable`` and ``f1_answerable``
    leave the unanswerable out. Answerable questions that were abstained from score 0 in all four and in
    ``answer_in_citation`` (the cited characters contain a whole gold span) and ``answer_in_text`` (the answer
    contains a gold answer). ``refusal_precision`` is the share of abstentions on unanswerable questions,
    ``refusal_recall`` the share of unanswerable questions abstained from. ``citation_intact`` is the share of
    citations that equal the stored characters. ``area_under_risk_coverage`` is over answered questions, a risk being
    an answer that is neither cited (questions with gold spans) nor given (questions with gold answers only).

    ``AURC`` is the same area over all questions, an abstention coming after every answer: a reaction is ``right``
    where the question is answerable, was answered, and the citation (the answer, where there are no gold spans) holds
    the gold; any answer to an unanswerable question is wrong. ``ECE`` compares the confidence, which is to be the
    probability that the evidence is there, with whether the question is answerable, in 15 bins of equal mass.

    Questions of which the set does not say whether they are answerable only count for ``abstention_rate``
    and ``citation_intact``. ``per_query`` also holds each question's ``confidence`` and, where the gold tells it,
    ``right``.
    """
    questions = list(questions)
    records = {question.id: answers.get(question.id, NO_ANSWER) for question in questions}
    per_query = {question.id: _score(question, records[question.id]) for question in questions}
    answerable = [per_query[question.id] for question in questions if question.answerable]
    unanswerable = [per_query[question.id] for question in questions if question.answerable is False]
    refusals = [
        float(question.answerable is False)
        for question in questions
        if question.answerable is not None and records[question.id].abstained
    ]
    checked = [record for record in records.values() if record.intact is not None]
    risks = [
        (scores["confidence"], 1.0 - scores["right"])
        for scores in per_query.values()
        if "right" in scores and not scores["abstained"]
    ]
    metrics = {
        "exact_match": _mean(per_query.values(), "exact_match"),
        "f1": _mean(per_query.values(), "f1"),
        "exact_match_answerable": _mean(answerable, "exact_match"),
        "f1_answerable": _mean(answerable, "f1"),
        "answer_in_text": _mean(answerable, "answer_in_text"),
        "answer_in_citation": _mean(answerable, "answer_in_citation"),
        "refusal_precision": _share(sum(refusals), len(refusals)),
        "refusal_recall": _mean(unanswerable, "abstained"),
        "abstention_rate": _mean(per_query.values(), "abstained"),
        "citation_intact": _share(
            sum(record.intact or 0 for record in checked), sum(len(record.citations) for record in checked)
        ),
        "area_under_risk_coverage": area_under_risk_coverage(risks),
        "AURC": area_under_risk_coverage(reactions(per_query.values())),
        "ECE": expected_calibration_error(
            (records[question.id].confidence, float(question.answerable))
            for question in questions
            if question.answerable is not None
        ),
    }
    return AnswerScores(metrics, per_query)


def _score(question: GoldQuestion, record: AnswerRecord) -> dict[str, float]:
    """The measures that apply to one question."""
    scores = {"abstained": float(record.abstained), "confidence": record.confidence}
    if question.answerable is False:
        return scores | dict.fromkeys(("exact_match", "f1"), float(record.abstained)) | {"right": 0.0}
    if question.answerable is None:
        return scores
    given = NO_ANSWER if record.abstained else record
    if question.answers:
        scores["exact_match"] = exact_match(given.short or given.text, question.answers)
        scores["f1"] = f1(given.short or given.text, question.answers)
        scores["answer_in_text"] = float(contains_answer(given.text, question.answers))
    if question.spans:
        gold_spans = [span.characters for span in question.spans]
        scores["answer_in_citation"] = float(citation_covers_gold(given.citations, gold_spans))
    right = scores.get("answer_in_citation", scores.get("answer_in_text"))
    return scores if right is None else scores | {"right": right}


def _mean(scores: Iterable[Mapping[str, float]], measure: str) -> float | None:
    values = [score[measure] for score in scores if measure in score]
    return _share(sum(values), len(values))


def _share(part: float, whole: int) -> float | None:
    return part / whole if whole else None


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(normalize_answer(text))


def _words(text: str) -> list[str]:
    return _tokens("".join(" " if _is_punctuation(character) else character for character in text))


def _occurs(words: Sequence[str], text: Sequence[str]) -> bool:
    return any(text[start : start + len(words)] == words for start in range(len(text) - len(words) + 1))


def _bag_f1(answer: Sequence[str], gold: Sequence[str]) -> float:
    if not answer or not gold:
        return float(answer == gold)
    shared = sum((Counter(answer) & Counter(gold)).values())
    return 2 * shared / (len(answer) + len(gold))


@cache
def _is_punctuation(character: str) -> bool:
    return character in string.punctuation or unicodedata.category(character).startswith("P")
