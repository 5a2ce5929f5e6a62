"""What an evaluation tells of the models that wrote its answers."""

from __future__ import annotations

from rag_engine.evaluation import GoldForm, GoldQuestion, GoldSet
from rag_engine.jobs.model_outcomes import AnswersHeard
from rag_engine.types.generation import Answer, Attempt, Usage
from rag_engine.types.models import ModelTask
from rag_engine.types.retrieval import SearchMode


def answer(question: str, *attempts: Attempt) -> Answer:
    return Answer(question, "text", abstained=False, confidence=1.0, citations=(), model="m-2026", attempts=attempts)


def gold(*texts: str) -> GoldSet:
    questions = tuple(
        GoldQuestion(id=f"q{at}", text=text, relevant={}, spans=(), answers=(), answerable=None)
        for at, text in enumerate(texts)
    )
    return GoldSet(name="gold", form=GoldForm.SPANS, corpus=None, questions=questions)


FAILED = Attempt("openai/first", "server", 0.1, usage=Usage(cost=0.5))
WROTE = Attempt("azure/second", "stop", 2.0, usage=Usage(cost=0.01))


def test_the_attempt_that_answered_is_remembered_with_its_cost_seconds_and_quality() -> None:
    heard = AnswersHeard(lambda question, _: answer(question, FAILED, WROTE))
    heard("Summarize the contract.", SearchMode.HYBRID)
    (outcome,) = heard.outcomes(
        gold("Summarize the contract."), {"q0": {"answer_in_text": 1.0, "answer_in_citation": 0.0, "exact_match": 0.0}}
    )
    assert (outcome.model, outcome.quality, outcome.cost, outcome.seconds) == ("azure/second", 1.0, 0.01, 2.0)
    assert outcome.task is ModelTask.SUMMARIZATION


def test_a_question_without_an_answer_counts_by_whether_it_was_left_unanswered() -> None:
    heard = AnswersHeard(lambda question, _: answer(question, WROTE))
    heard("Who?", SearchMode.HYBRID)
    scores = {"q0": {"abstained": 0.0, "confidence": 1.0, "exact_match": 0.0, "f1": 0.0, "right": 0.0}}
    assert [outcome.quality for outcome in heard.outcomes(gold("Who?"), scores)] == [0.0]


def test_what_was_not_asked_not_judged_or_not_answered_is_not_remembered() -> None:
    heard = AnswersHeard(lambda question, _: answer(question, FAILED) if question == "b" else answer(question, WROTE))
    heard("a", SearchMode.HYBRID)
    heard("b", SearchMode.HYBRID)
    scores = {"q0": {"confidence": 1.0}, "q1": {"exact_match": 1.0}, "q2": {"exact_match": 1.0}}
    assert heard.outcomes(gold("a", "b", "c"), scores) == []
