"""One handler, many threads with a loop each, and loops one after another."""

from __future__ import annotations

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor

from rag_engine import errors
from rag_engine.llm.providers.scripted import BrokenOff, ScriptedAnswer
from rag_engine.types.generation import Prompt
from tests.unit.llm.failover_handler.members import assert_nothing_left, deployment, handler, plan


def test_threads_share_a_handler_and_its_deployments_and_each_gets_its_own_answer() -> None:
    draw = random.Random(7)

    def unsteady(prompt: Prompt) -> ScriptedAnswer:
        chance = draw.random()
        if chance < 0.2:
            return errors.ServerError("x")
        return BrokenOff("half", errors.StalledStreamError("x")) if chance < 0.3 else f"to {prompt.content}"

    deployments = [
        deployment("first", unsteady),
        deployment("second", unsteady),
        deployment("third", lambda p: f"to {p.content}"),
    ]
    handling = handler(hedge_quantile=0.9, hedge_share=0.5)

    def caller(number: int) -> None:
        async def ask(question: int) -> None:
            content = f"{number}-{question}"
            got = await handling.complete(Prompt.plain(content), plan(*deployments))
            assert got.text == f"to {content}"

        async def several() -> None:
            await asyncio.gather(*[ask(question) for question in range(25)])
            assert_nothing_left()

        for _ in range(2):  # two loops, one after the other
            asyncio.run(several())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(caller, range(8)))
    assert [one.load.under_way for one in deployments] == [0, 0, 0]
