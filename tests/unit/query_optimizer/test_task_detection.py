"""Six kinds of task, and what is left to be searched for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.query_optimizer.task_detection import detect_task
from rag_engine.types.optimization import TaskType


@pytest.mark.parametrize(
    ("question", "kind", "rest"),
    [
        ("Summarise the refund policy", TaskType.SUMMARY, "the refund policy"),
        ("Could you please summarize the report on Lyon in three sentences?", TaskType.SUMMARY, "the report on Lyon"),
        ("Give me a short summary of the merger talks.", TaskType.SUMMARY, "the merger talks."),
        ("TL;DR: the meeting of 12 May", TaskType.SUMMARY, "the meeting of 12 May"),
        ("translate the safety notice into German", TaskType.TRANSLATION, "the safety notice"),
        ("How do you say emergency exit in French?", TaskType.TRANSLATION, "emergency exit"),
        ("Classify these complaints as urgent or not urgent", TaskType.CLASSIFICATION, "these complaints"),
        ("Write a formal letter about the late delivery", TaskType.GENERATION, "the late delivery"),
        ("Draft an email about the outage in 50 words", TaskType.GENERATION, "the outage"),
        ("Compare Gasherbrum II and Langtang Ri", TaskType.ANALYSIS, "Gasherbrum II and Langtang Ri"),
        ("analyse the causes of the outage", TaskType.ANALYSIS, "the causes of the outage"),
    ],
)
def test_the_words_of_a_task_are_told_from_what_it_is_about(question: str, kind: TaskType, rest: str) -> None:
    task = detect_task(question)
    assert (task.type, task.rest) == (kind, rest)
    assert task.words


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Who wrote the summary of the report?", TaskType.QUESTION),
        ("What does the translation table map?", TaskType.QUESTION),
        ("refund deadline", TaskType.QUESTION),
        ("What are the pros and cons of exact search?", TaskType.ANALYSIS),
        ("What is the difference between a lock and a latch?", TaskType.ANALYSIS),
        ("Summarise", TaskType.SUMMARY),
        ("translate", TaskType.TRANSLATION),
    ],
)
def test_nothing_is_taken_off_a_question_or_of_what_is_nothing_but_the_task(question: str, kind: TaskType) -> None:
    task = detect_task(question)
    assert (task.type, task.words, task.rest) == (kind, "", question)


def test_what_a_text_is_translated_into_is_kept_with_the_task() -> None:
    assert "German" in detect_task("translate the notice into German").words


@given(st.text(max_size=400))
def test_any_text_has_a_task_and_something_left(text: str) -> None:
    task = detect_task(text)
    assert task.rest == text or task.words
