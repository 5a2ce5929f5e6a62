"""The kind of work that a question's words tell of."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from rag_engine.llm.router import task_of
from rag_engine.llm.router.task_of import task_of_question
from rag_engine.types.generation import Requirements
from rag_engine.types.models import ModelTask
from tests.unit.llm.router.made import PROMPT


@pytest.mark.parametrize(
    ("question", "task"),
    [
        ("Where was the treaty signed?", ModelTask.QUESTION_ANSWERING),
        ("Why did the company write off 3 of its 12 loans in 2019?", ModelTask.QUESTION_ANSWERING),
        ("What happened between 2019-2021?", ModelTask.QUESTION_ANSWERING),
        ("Who wrote the song?", ModelTask.QUESTION_ANSWERING),
        ("What function does the committee have?", ModelTask.QUESTION_ANSWERING),
        ("", ModelTask.QUESTION_ANSWERING),
        ("Summarize the second chapter.", ModelTask.SUMMARIZATION),
        ("Give me a summary of what the court said", ModelTask.SUMMARIZATION),
        ("Extract the names of all parties", ModelTask.EXTRACTION),
        ("List all dates in the contract", ModelTask.EXTRACTION),
        ("Why does this fail?\n```\nfoo(1)\n```", ModelTask.CODE),
        ("How do I sort a list in Python?", ModelTask.CODE),
        ("def f(x): return x", ModelTask.CODE),
        ("What is 17 * 23?", ModelTask.MATHEMATICS),
        ("Solve x^2 = 16", ModelTask.MATHEMATICS),
        ("Tom has 3 bags of 12 apples and eats 5. How many are left?", ModelTask.MATHEMATICS),
        ("Write a short poem about rain", ModelTask.CREATIVE_WRITING),
        ("Think step by step: who is the eldest?", ModelTask.REASONING),
        ("Hello there!", ModelTask.CONVERSATION),
        ("Hello, where is the contract?", ModelTask.QUESTION_ANSWERING),
    ],
)
def test_words_tell_the_kind_of_work(question: str, task: ModelTask) -> None:
    assert task_of_question(question) is task


def test_what_is_required_needs_no_telling() -> None:
    prompt = replace(PROMPT, question="Summarize it", requires=Requirements(task=ModelTask.REASONING))
    assert task_of(prompt) is ModelTask.REASONING
    assert task_of(replace(prompt, requires=Requirements())) is ModelTask.SUMMARIZATION


def test_a_prompt_without_a_question_is_told_by_its_text() -> None:
    assert task_of(replace(PROMPT, question="", content="Summarize it")) is ModelTask.SUMMARIZATION


@given(some.text(max_size=400))
def test_any_text_is_some_kind_of_work_and_always_the_same(text: str) -> None:
    assert task_of_question(text) is task_of_question(text)
