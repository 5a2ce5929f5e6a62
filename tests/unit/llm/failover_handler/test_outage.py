"""Many callers at once while models fail: all are answered where anybody can, and little is added where nobody can."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from rag_engine import errors
from rag_engine.llm.deployment import Deployment
from rag_engine.llm.failover_handler import RetryBudget
from rag_engine.types.generation import Completion, CompletionDone, CompletionEvent, FinishReason, Prompt, TextDelta
from tests.unit.llm.failover_handler.members import QUESTION, asked, assert_nothing_left, deployment, handler, plan


class Late:
    """Answers, or fails, after a moment, so that all callers have asked before the first one hears of it."""

    def __init__(self, name: str, kind: type[Exception] | None) -> None:
        self.name = name
        self.prompts: list[Prompt] = []
        self._kind = kind

    async def complete(self, prompt: Prompt) -> Completion:
        raise NotImplementedError

    async def stream(self, prompt: Prompt) -> AsyncIterator[CompletionEvent]:
        self.prompts.append(prompt)
        await asyncio.sleep(0.02)
        if self._kind is not None:
            raise self._kind("x")
        yield TextDelta("ok")
        yield CompletionDone(Completion("ok", self.name, FinishReason.STOP))


def ask_together(number: int, *deployments: Deployment) -> list[Completion | BaseException]:
    """What as many callers get, with a budget as it is by default but for what time gives."""

    async def ask() -> list[Completion | BaseException]:
        handling = handler(budget=RetryBudget(per_second=0))
        calls = [handling.complete(QUESTION, plan(*deployments)) for _ in range(number)]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert_nothing_left()
        return answers

    return asyncio.run(ask())


@pytest.mark.parametrize("kind", [errors.ServerError, errors.OverloadedError, errors.StalledStreamError])
def test_all_callers_of_a_failing_model_are_answered_by_the_next_one(kind: type[Exception]) -> None:
    first = deployment("first", model=Late("maker/first", kind), least_calls=5)
    second = deployment("second", model=Late("maker/second", None), least_calls=5)
    answers = ask_together(300, first, second)
    assert all(isinstance(answer, Completion) for answer in answers)
    assert sum(asked(first, second)) <= 300 * 2 + 30


@pytest.mark.parametrize("kind", [errors.ServerError, errors.OverloadedError, errors.StalledStreamError])
def test_where_all_models_fail_little_is_added_to_the_calls(kind: type[Exception]) -> None:
    first = deployment("first", model=Late("maker/first", kind), least_calls=5)
    second = deployment("second", model=Late("maker/second", kind), least_calls=5)
    answers = ask_together(300, first, second)
    assert all(isinstance(answer, errors.AllModelsFailedError) for answer in answers)
    assert sum(asked(first, second)) <= 300 * 1.2
    assert [first.load.under_way, second.load.under_way] == [0, 0]
