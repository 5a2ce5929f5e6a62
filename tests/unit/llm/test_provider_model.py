"""What a provider's model asks for: an answer as long as the settings allow, or as its window holds."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from benchmarks.faults.socket_server import SocketServer, whole
from rag_engine.errors import ContextWindowError
from rag_engine.llm import open_model
from rag_engine.types.conversation import Sampling
from rag_engine.types.generation import Prompt

ANSWER = json.dumps(
    {"model": "m", "message": {"role": "assistant", "content": "Paris"}, "done": True, "done_reason": "stop"}
).encode()


def bound_of(prompt: Prompt, *, max_output_tokens: int) -> int:
    """The bound on its answer with which a model whose window holds 4,096 tokens is asked."""

    async def main(url: str) -> None:
        async with open_model("ollama/llama3.1", base_url=url, max_output_tokens=max_output_tokens) as model:
            await model.complete(prompt)

    with SocketServer(lambda request, number: whole(200, ANSWER)) as server:
        asyncio.run(main(server.url))
    bound: int = json.loads(server.requests[0].body)["options"]["num_predict"]
    return bound


def test_an_answer_may_be_as_long_as_the_settings_say_where_the_window_holds_it() -> None:
    assert bound_of(Prompt.plain("Which city?"), max_output_tokens=1_000) == 1_000


def test_an_answer_that_nobody_asked_to_be_so_long_is_bounded_by_what_the_window_holds_beside_the_prompt() -> None:
    bound = bound_of(Prompt.plain("Which city? " * 100), max_output_tokens=4_096)
    assert 500 < bound < 3_900


def test_an_answer_that_a_prompt_itself_wants_longer_than_the_window_is_refused() -> None:
    prompt = replace(Prompt.plain("Which city? " * 100), sampling=Sampling(max_output_tokens=4_096))
    with pytest.raises(ContextWindowError):
        bound_of(prompt, max_output_tokens=4_096)


def test_a_prompt_that_leaves_no_room_for_an_answer_is_refused() -> None:
    with pytest.raises(ContextWindowError):
        bound_of(Prompt.plain("Which city? " * 1_600), max_output_tokens=4_096)
