"""The kind of work that a question asks for, told by its words: the same every time, and within microseconds.

It is told to choose a model by, not to be shown: where the words say nothing it is a question like any other.
"""

from __future__ import annotations

import re

from rag_engine.types.generation import Prompt
from rag_engine.types.models import ModelTask

# What is asked for mostly stands at the beginning; a long text that is to be worked on follows.
_READ_CHARACTERS = 300
_MOST_WORDS_OF_A_GREETING = 6
_WORDS = re.compile(r"[a-z][a-z+#']*")
_SUM = re.compile(r"\d\s*[+*^=×÷]\s*\d|\d\s[-/−]\s\d")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_FENCES = ("```", "def ", "</", "();", "=> ", "#include", "Traceback (most")


def _set(words: str) -> frozenset[str]:
    return frozenset(re.findall(r"\S+", words))


_CODE = _set(
    """
    python javascript typescript sql regex traceback stacktrace refactor debug compile compiler codebase bash c++ c#
    golang rust html css json yaml bugfix unittest pytest
    """
)
_SUMMARY = _set("summarize summarise summary summaries summarizing tldr condense recap")
_EXTRACTION = _set("extract extracting enumerate")
_MATHEMATICS = _set("calculate solve equation equations integral derivative polynomial logarithm factorial arithmetic")
_MAKING = _set("write compose invent imagine create tell draft")
_MADE = _set("poem story haiku lyrics limerick song novel tale sonnet screenplay joke slogan")
_REASONING = _set("deduce infer prove proof puzzle riddle paradox syllogism")
_GREETINGS = _set("hi hello hey thanks thank greetings bye goodbye")


def task_of(prompt: Prompt) -> ModelTask:
    """What is required, else what the question's words say."""
    required = prompt.requires.task
    return task_of_question(prompt.question or prompt.content) if required is None else required


def task_of_question(question: str) -> ModelTask:
    """The first kind of work that the words tell of, else QUESTION_ANSWERING."""
    start = question[:_READ_CHARACTERS]
    lower = start.lower()
    listed = _WORDS.findall(lower)
    words = frozenset(listed)
    if not words.isdisjoint(_SUMMARY):
        return ModelTask.SUMMARIZATION
    if not words.isdisjoint(_CODE) or any(fence in start for fence in _FENCES):
        return ModelTask.CODE
    if not words.isdisjoint(_MADE) and not words.isdisjoint(_MAKING):
        return ModelTask.CREATIVE_WRITING
    if not words.isdisjoint(_MATHEMATICS) or _SUM.search(start) or _is_word_problem(lower):
        return ModelTask.MATHEMATICS
    if not words.isdisjoint(_EXTRACTION) or lower.startswith(("list all", "list every", "list the")):
        return ModelTask.EXTRACTION
    if not words.isdisjoint(_REASONING) or "step by step" in lower:
        return ModelTask.REASONING
    if listed and listed[0] in _GREETINGS and len(listed) <= _MOST_WORDS_OF_A_GREETING and "?" not in lower:
        return ModelTask.CONVERSATION
    return ModelTask.QUESTION_ANSWERING


def _is_word_problem(lower: str) -> bool:
    """Several numbers, and a question for another: "3 bags of 12 apples, of which 5 are eaten: how many are left?"."""
    return ("how many" in lower or "how much" in lower) and len(_NUMBER.findall(lower)) >= 3
