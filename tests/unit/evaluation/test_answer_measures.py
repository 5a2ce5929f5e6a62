"""Measures of answers against SQuAD's own definition and by hand."""

import re
import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.evaluation import AnswerRecord, CharacterSpan, GoldQuestion, GoldSpan, score_answers
from rag_engine.evaluation.answer_measures import (
    area_under_risk_coverage,
    citation_covers_gold,
    contains_answer,
    exact_match,
    f1,
    normalize_answer,
)

ASCII_TEXT = st.text(st.sampled_from("aA tThHe an the.,'-$5 \n"), max_size=30) | st.text(
    st.characters(max_codepoint=127), max_size=30
)
SPAN = GoldSpan("d1", 10, 15, "Paris")
REFUSED = 0.1


def squad_normalize_answer(s):
    """SQuAD's evaluate-v2.0.py, as published."""

    def remove_articles(text):
        return re.sub(re.compile(r"\b(a|an|the)\b", re.UNICODE), " ", text)

    def remove_punctuation(text):
        return "".join(ch for ch in text if ch not in set(string.punctuation))

    return " ".join(remove_articles(remove_punctuation(s.lower())).split())


def squad_f1(gold, predicted):
    gold_tokens, predicted_tokens = squad_normalize_answer(gold).split(), squad_normalize_answer(predicted).split()
    same = sum((Counter(gold_tokens) & Counter(predicted_tokens)).values())
    if not gold_tokens or not predicted_tokens:
        return int(gold_tokens == predicted_tokens)
    if same == 0:
        return 0
    precision, recall = same / len(predicted_tokens), same / len(gold_tokens)
    return 2 * precision * recall / (precision + recall)


def question(identifier="q", *, answers=(), spans=(), answerable=True) -> GoldQuestion:
    return GoldQuestion(identifier, "?", {}, tuple(spans), tuple(answers), answerable)


def answered(text="", *citations, confidence=0.9, intact=None) -> AnswerRecord:
    return AnswerRecord(text, abstained=False, confidence=confidence, citations=citations, intact=intact)


def abstained(confidence=REFUSED) -> AnswerRecord:
    return AnswerRecord("The documents do not say.", abstained=True, confidence=confidence)


@given(ASCII_TEXT, ASCII_TEXT)
def test_on_ascii_the_measures_are_squads(answer, gold):
    assert normalize_answer(answer) == squad_normalize_answer(answer)
    assert exact_match(answer, [gold]) == (squad_normalize_answer(answer) == squad_normalize_answer(gold))
    assert f1(answer, [gold]) == pytest.approx(squad_f1(gold, answer))


def test_the_best_gold_answer_counts():
    assert exact_match("the 10th century", ["9th century", "10th century"]) == 1.0
    assert f1("10th century", ["9th", "in the 10th century"]) == pytest.approx(0.8)
    assert (exact_match("x", []), f1("x", [])) == (0.0, 0.0)


def test_unicode_punctuation_is_removed_as_in_mlqa():
    assert normalize_answer("„Der“ Fluß – so heißt es…") == "der fluß so heißt es"


def test_chinese_is_compared_by_character_and_without_its_spaces():
    assert exact_match("136次。", ["136 次"]) == 1.0
    assert f1("黑豹队的防守", ["黑豹队"]) == pytest.approx(2 * 3 / (6 + 3))
    assert f1("在 NFL 中", ["NFL"]) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("text", "gold", "contained"),
    [
        ("They came in the 10th-century.", "10th", True),
        ("They scored 13 points.", "3", False),
        ("In the city of New York, 1790.", "the New York", True),
        ("York is new.", "New York", False),
        ("他有136次擒杀", "136 次", True),
        ("anything", "the", False),
        ("", "Paris", False),
    ],
)
def test_an_answer_is_in_a_text_as_whole_words_next_to_each_other(text, gold, contained):
    assert contains_answer(text, [gold]) is contained


@pytest.mark.parametrize(
    ("citations", "covers"),
    [
        ([("d1", 10, 15)], True),
        ([("d1", 0, 100)], True),
        ([("d1", 0, 13), ("d1", 13, 20)], True),
        ([("d1", 0, 14)], False),
        ([("d1", 0, 12), ("d1", 13, 20)], False),
        ([("d2", 0, 100)], False),
        ([], False),
    ],
)
def test_citations_cover_gold_when_together_they_contain_a_whole_span(citations, covers):
    cited = [CharacterSpan(*citation) for citation in citations]
    assert citation_covers_gold(cited, [CharacterSpan("d1", 40, 200), SPAN.characters]) is covers


def test_measures_by_hand_over_answerable_and_unanswerable_questions():
    questions = [
        question("right", answers=["Paris"], spans=[SPAN]),
        question("wrong", answers=["Paris"], spans=[SPAN]),
        question("refused", answers=["Paris"], spans=[SPAN]),
        question("known unknown", answerable=False),
        question("made up", answerable=False),
    ]
    answers = {
        "right": answered("Paris", CharacterSpan("d1", 5, 20), confidence=0.9, intact=1),
        "wrong": answered("Rome", CharacterSpan("d2", 5, 20), CharacterSpan("d3", 5, 20), confidence=0.6, intact=1),
        "refused": abstained(),
        "known unknown": abstained(),
        "made up": answered("Rome", confidence=0.8, intact=0),
    }
    scores = score_answers(questions, answers)
    assert scores.metrics == pytest.approx(
        {
            "exact_match": 2 / 5,
            "f1": 2 / 5,
            "exact_match_answerable": 1 / 3,
            "f1_answerable": 1 / 3,
            "answer_in_text": 1 / 3,
            "answer_in_citation": 1 / 3,
            "refusal_precision": 1 / 2,
            "refusal_recall": 1 / 2,
            "abstention_rate": 2 / 5,
            "citation_intact": 2 / 3,
            "area_under_risk_coverage": (0 + 1 / 2 + 2 / 3) / 3,
            "AURC": (0 + 1 / 2 + 2 / 3 + 3 / 4 + 4 / 5) / 5,
            "ECE": (0.1 + 0.4 + 2 * abs(1 / 2 - REFUSED) + 0.8) / 5,
        }
    )
    assert scores.per_query["right"]["answer_in_citation"] == 1.0
    assert scores.per_query["refused"] == {
        "abstained": 1.0,
        "confidence": REFUSED,
        "exact_match": 0.0,
        "f1": 0.0,
        "answer_in_text": 0.0,
        "answer_in_citation": 0.0,
        "right": 0.0,
    }
    assert scores.per_query["known unknown"] == {
        "abstained": 1.0,
        "confidence": REFUSED,
        "exact_match": 1.0,
        "f1": 1.0,
        "right": 0.0,
    }


def test_an_abstention_is_never_right_on_an_answerable_question_whatever_its_text():
    record = AnswerRecord("Paris", abstained=True, confidence=0.0, citations=(SPAN.characters,))
    metrics = score_answers([question(answers=["Paris"], spans=[SPAN])], {"q": record}).metrics
    assert (metrics["f1"], metrics["answer_in_text"], metrics["answer_in_citation"]) == (0.0, 0.0, 0.0)


def test_what_cannot_be_counted_is_none():
    assert set(score_answers([], {}).metrics.values()) == {None}
    metrics = score_answers([question(answerable=None)], {"q": answered("Paris")}).metrics
    assert {name for name, value in metrics.items() if value is not None} == {"abstention_rate"}


def test_a_set_without_gold_answers_is_scored_by_its_citations_alone():
    metrics = score_answers([question(spans=[SPAN])], {"q": answered("Paris", SPAN.characters)}).metrics
    assert (metrics["answer_in_citation"], metrics["exact_match"], metrics["area_under_risk_coverage"]) == (
        1.0,
        None,
        0.0,
    )


def test_a_set_without_gold_spans_is_scored_by_its_answers_alone():
    metrics = score_answers([question(answers=["Paris"])], {"q": answered("It is Paris.")}).metrics
    assert (metrics["answer_in_text"], metrics["answer_in_citation"], metrics["area_under_risk_coverage"]) == (
        1.0,
        None,
        0.0,
    )


def test_a_question_without_an_answer_counts_as_answered_wrongly():
    metrics = score_answers([question(answers=["Paris"]), question("u", answerable=False)], {}).metrics
    assert (metrics["exact_match"], metrics["refusal_recall"], metrics["abstention_rate"]) == (0.0, 0.0, 0.0)


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.9]), st.sampled_from([0.0, 1.0])), min_size=1), st.randoms())
def test_risk_coverage_does_not_depend_on_the_order_of_equal_confidences(answers, random):
    shuffled = random.sample(answers, len(answers))
    assert area_under_risk_coverage(answers) == pytest.approx(area_under_risk_coverage(shuffled))
    assert 0.0 <= area_under_risk_coverage(answers) <= 1.0


def test_risk_coverage_is_lower_where_confidence_tells_right_from_wrong():
    assert area_under_risk_coverage([(0.9, 0.0), (0.1, 1.0)]) == 0.25
    assert area_under_risk_coverage([(0.1, 0.0), (0.9, 1.0)]) == 0.75
    assert area_under_risk_coverage([(0.5, 0.0), (0.5, 1.0)]) == 0.5
    assert area_under_risk_coverage([]) is None


def test_exact_match_and_f1_are_about_the_short_answer_where_there_is_one() -> None:
    question = GoldQuestion("q", "When?", {}, (), ("1932",), answerable=True)
    long = AnswerRecord("1932 — It opened in 1932.", abstained=False, confidence=0.9)
    short = AnswerRecord("1932 — It opened in 1932.", abstained=False, confidence=0.9, short="1932")
    assert score_answers([question], {"q": long}).metrics["exact_match"] == 0.0
    metrics = score_answers([question], {"q": short}).metrics
    assert (metrics["exact_match"], metrics["f1"], metrics["answer_in_text"]) == (1.0, 1.0, 1.0)
