"""Golden streams of every dialect: there are some of each provider, and damaged ones are no short answers. What becomes
of whole, cut and split ones is in ``tests/contracts/test_dialect.py``."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies

from rag_engine.errors import LanguageModelError
from rag_engine.llm.providers.dialect import ReportedFault
from rag_engine.llm.providers.provider_data import provider_data, provider_names
from rag_engine.llm.providers.registry import dialect, dialect_names
from tests.golden_streams import golden, golden_names, golden_prompt, golden_target
from tests.unit.llm.providers.wire_damage import assert_consistent, damaged_events, events_of, read_events

NAMES = golden_names()
ANSWERS = [name for name in NAMES if "error" not in golden(name)[1]]


def test_there_are_several_streams_of_every_provider() -> None:
    providers = [name.partition("-")[0] for name in NAMES]
    # A server of one's own is any that speaks OpenAI's form: llama.cpp and vLLM are among the local ones.
    assert {provider for provider in providers if providers.count(provider) > 1} == set(provider_names()) - {
        "llama_cpp",
        "vllm",
    }


@pytest.mark.parametrize("speaks", dialect_names())
@given(data=strategies.data())
@settings(max_examples=200, deadline=None)
def test_a_damaged_stream_is_a_consistent_answer_or_a_typed_error(speaks: str, data: strategies.DataObject) -> None:
    names = [name for name in ANSWERS if provider_data(golden(name)[1]["provider"]).dialect == speaks]
    raw, facts = golden(data.draw(strategies.sampled_from(names)))
    events = data.draw(damaged_events(events_of(raw, dialect(speaks))))
    try:
        deltas, completion = read_events(dialect(speaks), golden_prompt(facts), golden_target(facts), events)
    except (LanguageModelError, ReportedFault):
        return
    assert_consistent(deltas, completion)
