"""Tokens of whole prompts, and the bound that needs no counting."""

from __future__ import annotations

import json
import timeit
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.token_counter import counter_for, prompt_tokens, reserved_for_answer, surely_fits
from rag_engine.token_counter.framing import framing_of
from rag_engine.token_counter.tokenizer_data import named_tokenizers
from rag_engine.types.conversation import Message, ResponseSchema, Role, Sampling, Tool, ToolCall
from rag_engine.types.generation import NumberedSource, Prompt
from rag_engine.types.models import Ability, ModelProfile
from rag_engine.types.retrieval import Passage

PROVIDERS = ["openai", "azure", "anthropic", "google", "mistral", "cohere", "meta", "ollama", "local", "extractive",
             "scripted", "somebody"]  # fmt: skip
PROFILE = ModelProfile("anthropic", "m", window=20_000, max_output=1000, tokenizer="claude_3")
TOOL = Tool("weather", "What the weather is.", {"type": "object", "properties": {"city": {"type": "string"}}})


def passage(text: str) -> Passage:
    return Passage(document_id="d", chunk=1, start=0, end=len(text), text=text, score=1.0, rank=1, title="A title")


def tokens(prompt: Prompt, profile: ModelProfile = PROFILE) -> int:
    return prompt_tokens(prompt, profile).tokens


def test_everything_that_a_model_reads_counts() -> None:
    prompt = Prompt.plain("How are refunds paid?")
    parts = {
        "instructions": "Answer from the sources.",
        "conversation": (Message(Role.USER, "Good morning, I have a question about an order."),),
        "tools": (TOOL,),
        "schema": ResponseSchema("answer", {"type": "object"}),
        "content": "How are refunds paid, and how long may one take?",
    }
    for field, value in parts.items():
        assert tokens(replace(prompt, **{field: value})) > tokens(prompt), field


def test_calls_of_tools_count_with_their_arguments() -> None:
    call = ToolCall("c1", "weather", json.dumps({"city": "Bruges"}))
    without = replace(Prompt.plain("x"), conversation=(Message(Role.ASSISTANT, "Let me look."),))
    called = replace(without, conversation=(Message(Role.ASSISTANT, "Let me look.", tool_calls=(call,)),))
    answered = replace(
        called,
        conversation=(*called.conversation, Message(Role.TOOL, "rain", tool_call_id="c1", tool_name="weather")),
    )
    assert tokens(without) < tokens(called) < tokens(answered)


def test_documents_count_in_place_of_the_content_where_the_model_takes_documents() -> None:
    sources = (NumberedSource(1, passage("Refunds are paid within fourteen days. " * 30)),)
    prompt = Prompt("How?", "", "Sources and question as text", sources, 0, documents=True)
    able = replace(PROFILE, abilities=frozenset({Ability.STREAMING, Ability.DOCUMENTS}))
    assert tokens(prompt, able) > 200
    assert tokens(prompt) < 30


def test_a_count_is_the_texts_and_what_is_around_them() -> None:
    prompt = replace(Prompt.plain("one two"), instructions="three four")
    around = framing_of("anthropic").tokens(messages=2, documents=0, tools=0, schema=False)
    counter = counter_for("claude_3")
    assert tokens(prompt) == counter.count("one two") + counter.count("three four") + around


@pytest.mark.parametrize("provider", PROVIDERS)
@given(
    content=st.text(max_size=200),
    instructions=st.text(max_size=50),
    turns=st.lists(st.text(max_size=40), max_size=3),
    tools=st.integers(0, 2),
)
def test_the_bound_is_never_below_the_count(
    provider: str, content: str, instructions: str, turns: list[str], tools: int
) -> None:
    prompt = replace(
        Prompt.plain(content, instructions=instructions),
        conversation=tuple(Message(Role.USER, turn) for turn in turns),
        tools=(TOOL,) * tools,
    )
    for tokenizer in ("claude_4_7", "estimate"):
        count = prompt_tokens(prompt, replace(PROFILE, provider=provider, tokenizer=tokenizer))
        assert 0 <= count.tokens <= count.upper_bound
        assert not count.exact
        assert count.counted_by == counter_for(tokenizer).name


@pytest.mark.parametrize("name", named_tokenizers())
@given(
    content=st.text(st.characters(), max_size=400),
    turns=st.lists(st.text(max_size=30), max_size=6),
    window=st.integers(1, 3000),
    asked=st.integers(1, 500),
)
def test_what_surely_fits_also_fits_when_it_is_counted(
    name: str, content: str, turns: list[str], window: int, asked: int
) -> None:
    prompt = replace(
        Prompt.plain(content),
        conversation=tuple(Message(Role.USER, turn) for turn in turns),
        sampling=Sampling(max_output_tokens=asked),
    )
    profile = replace(PROFILE, window=window, tokenizer=name)
    if surely_fits(prompt, profile):
        assert prompt_tokens(prompt, profile).upper_bound + reserved_for_answer(prompt, profile) <= window


def test_a_short_prompt_surely_fits_and_one_that_is_longer_than_the_window_does_not() -> None:
    assert surely_fits(Prompt.plain("How?"), PROFILE)
    assert not surely_fits(Prompt.plain("word " * 8000), PROFILE)


def test_of_a_tokenizer_from_a_file_nothing_is_sure_before_it_is_counted() -> None:
    assert not surely_fits(Prompt.plain("How?"), replace(PROFILE, tokenizer="/models/tokenizer.json"))


def test_the_answer_has_what_was_asked_for_else_the_longest_answer_up_to_half_of_the_window() -> None:
    asked = replace(Prompt.plain("How?"), sampling=Sampling(max_output_tokens=77))
    assert reserved_for_answer(asked, PROFILE) == 77
    assert reserved_for_answer(Prompt.plain("How?"), PROFILE) == 1000
    assert reserved_for_answer(Prompt.plain("How?"), replace(PROFILE, window=1000)) == 500


def test_a_sure_answer_costs_a_small_part_of_a_count() -> None:
    prompt = Prompt.plain("How are refunds paid, and when? " * 128, instructions="Answer from the sources.")
    assert surely_fits(prompt, PROFILE)
    sure = min(timeit.repeat(lambda: surely_fits(prompt, PROFILE), number=200, repeat=5))
    counted = min(timeit.repeat(lambda: prompt_tokens(prompt, PROFILE), number=200, repeat=5))
    assert sure < counted


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_is_around_a_prompt_has_a_source_and_a_margin_where_it_is_not_the_makers(provider: str) -> None:
    framing = framing_of(provider)
    assert framing.source
    assert framing.margin >= 1
    assert framing.documented or framing.margin > 1
    assert framing.bound(10) >= 10


def test_counting_loads_neither_tiktoken_nor_numpy_for_an_estimate() -> None:
    import subprocess
    import sys

    program = (
        "import sys; from rag_engine.token_counter import prompt_tokens\n"
        "from rag_engine.types.generation import Prompt; from rag_engine.types.models import ModelProfile\n"
        "prompt_tokens(Prompt.plain('x'), ModelProfile('google', 'm', 9000, 100, 'gemini'))\n"
        "print({'tiktoken', 'numpy', 'httpx', 'tokenizers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
