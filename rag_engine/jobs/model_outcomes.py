"""What an evaluation tells of the models that wrote its answers: how good each answer was, and what it took."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rag_engine.evaluation import GoldSet
from rag_engine.llm.router import task_of
from rag_engine.types.generation import Answer, FinishReason, Prompt
from rag_engine.types.retrieval import SearchMode
from rag_engine.types.routing import ModelOutcome

# The first that a question has is the quality of its answer: whether the gold answer stands in it, whether what it
# cites holds the gold, and of a question that has no answer, whether it was left unanswered.
MEASURES = ("answer_in_text", "answer_in_citation", "exact_match")


class AnswersHeard:
    """Asks as it is given, and remembers who answered."""

    def __init__(self, ask: Callable[[str, SearchMode], Answer]) -> None:
        self._ask = ask
        self._answers: dict[str, Answer] = {}

    def __call__(self, question: str, mode: SearchMode) -> Answer:
        """The answer."""
        answer = self._answers[question] = self._ask(question, mode)
        return answer

    def outcomes(self, gold: GoldSet, scores: Mapping[str, Mapping[str, float]]) -> list[ModelOutcome]:
        """Of every question whose answer the gold set judges; ``scores`` are its measures by the question's id."""
        outcomes = []
        for question in gold.questions:
            answer = self._answers.get(question.text)
            measured = scores.get(question.id, {})
            quality = next((measured[name] for name in MEASURES if name in measured), None)
            if answer is None or quality is None:
                continue
            wrote = next((one for one in reversed(answer.attempts) if one.outcome in set(FinishReason)), None)
            if wrote is None:
                continue
            outcomes.append(
                ModelOutcome(
                    question=question.text,
                    task=task_of(Prompt.plain(question.text)),
                    model=wrote.model,
                    quality=quality,
                    cost=None if wrote.usage is None else wrote.usage.cost,
                    seconds=wrote.seconds,
                )
            )
        return outcomes
