"""The scripted model says what it was told to say, and remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import ConfigurationError, GenerationError, OverloadedError
from rag_engine.llm.providers.scripted import BrokenOff, ScriptedModel
from rag_engine.types.conversation import ToolCall
from rag_engine.types.generation import (
    Completion,
    CompletionDone,
    FinishReason,
    NumberedSource,
    Prompt,
    Quotation,
    ReasoningDelta,
    TextDelta,
)
from rag_engine.types.retrieval import Passage

PROMPT = Prompt.plain("How tall is the tower?")


def asked(model: ScriptedModel, prompt: Prompt = PROMPT) -> Completion:
    return asyncio.run(model.complete(prompt))


def streamed(model: ScriptedModel, events: list[Any] | None = None) -> list[Any]:
    events = [] if events is None else events

    async def collect() -> None:
        async for event in model.stream(PROMPT):
            events.append(event)  # what came before an error is looked at

    asyncio.run(collect())
    return events


def with_sources(*texts: str) -> Prompt:
    passages = [Passage(n, 1.0, f"d{n}", "", n, 100, 100 + len(text), text) for n, text in enumerate(texts, start=1)]
    sources = tuple(NumberedSource(n, passage) for n, passage in enumerate(passages, start=1))
    return Prompt("q", "", "q", sources, 20)


def test_answers_come_in_their_order_and_prompts_are_remembered() -> None:
    model = ScriptedModel(["one", Completion("two", "", FinishReason.LENGTH)], name="actor")
    other = Prompt.plain("And the bridge?")
    assert asked(model).text == "one"
    second = asked(model, other)
    assert (second.text, second.model, second.finish_reason) == ("two", "actor", FinishReason.LENGTH)
    assert model.prompts == [PROMPT, other]


def test_a_script_that_is_over_says_so() -> None:
    model = ScriptedModel(["one"])
    asked(model)
    with pytest.raises(GenerationError, match="1 answers, and this is question 2"):
        asked(model)


def test_a_function_answers_from_the_prompt() -> None:
    model = ScriptedModel(lambda prompt: prompt.question.upper(), cite=(1, 3))
    assert asked(model).text == "HOW TALL IS THE TOWER? [1] [3]"


@pytest.mark.parametrize("ask", [asked, streamed])
def test_an_error_is_raised_and_the_next_answer_comes_after_it(ask: Callable[[ScriptedModel], Any]) -> None:
    model = ScriptedModel([OverloadedError("busy"), "well"])
    with pytest.raises(OverloadedError):
        ask(model)
    assert asked(model).text == "well"
    assert len(model.prompts) == 2


def test_an_answer_that_breaks_off_gives_its_pieces_and_then_fails() -> None:
    broken = BrokenOff("half an", OverloadedError("busy"))
    events: list[Any] = []
    with pytest.raises(OverloadedError):
        streamed(ScriptedModel([broken], piece_characters=4), events)
    assert events == [TextDelta("half"), TextDelta(" an")]
    with pytest.raises(OverloadedError):
        asked(ScriptedModel([broken]))


@given(st.text(), st.text(), st.integers(1, 20))
def test_pieces_have_their_size_and_add_up(text: str, reasoning: str, size: int) -> None:
    whole = Completion(text, "m", FinishReason.STOP, reasoning=reasoning)
    *deltas, done = streamed(ScriptedModel([whole], piece_characters=size))
    assert done == CompletionDone(whole)
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == text
    assert "".join(delta.text for delta in deltas if isinstance(delta, ReasoningDelta)) == reasoning
    assert all(0 < len(delta.text) <= size for delta in deltas)


def test_it_waits_before_every_piece_with_the_sleep_it_is_given() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    model = ScriptedModel(["four", "four"], piece_characters=2, delay=3.5, sleep=sleep)
    streamed(model)
    assert waits == [3.5, 3.5]
    asked(model)
    assert waits == [3.5, 3.5, 3.5]


def test_without_a_sleep_of_its_own_it_waits_with_asyncio() -> None:
    assert asked(ScriptedModel(["one"], delay=0.001)).text == "one"


def test_by_default_it_quotes_the_first_sentence_of_the_first_source() -> None:
    completion = asked(ScriptedModel(), with_sources("  It is 3.5 m\ntall. Really.", "Not this."))
    assert completion.text == "It is 3.5 m tall. [1]"
    assert completion.quotations == (Quotation(1, 102, 119),)
    assert completion.usage.output_tokens == 6
    assert completion.usage.input_tokens == 20


def test_by_default_it_abstains_without_sources() -> None:
    assert asked(ScriptedModel()).finish_reason is FinishReason.ABSTAINED
    assert asked(ScriptedModel(), with_sources("  ")).finish_reason is FinishReason.ABSTAINED


def test_tool_calls_can_be_scripted() -> None:
    calls = (ToolCall("1", "f", "{}"),)
    whole = Completion("", "m", FinishReason.TOOL_CALLS, tool_calls=calls)
    assert streamed(ScriptedModel([whole])) == [CompletionDone(whole)]


@pytest.mark.parametrize(
    "settings", [{"piece_characters": 0}, {"delay": -1.0}, {"delay": float("nan")}, {"answers": "text"}]
)
def test_what_makes_no_sense_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        ScriptedModel(**settings)
