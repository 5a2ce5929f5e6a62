from __future__ import annotations

import pytest

from rag_engine.llm.providers.dialect import Framing, Target
from rag_engine.llm.providers.provider_data import provider_data, provider_names
from rag_engine.llm.providers.registry import dialect, dialect_names
from rag_engine.types.generation import Prompt

PROMPT = Prompt.plain("q")


def test_every_dialect_is_spoken_by_some_provider_and_no_provider_speaks_another() -> None:
    assert {provider_data(name).dialect for name in provider_names()} == set(dialect_names())


@pytest.mark.parametrize("provider", provider_names())
def test_the_dialect_of_every_provider_can_be_spoken_to_it(provider: str) -> None:
    data = provider_data(provider)
    target = Target(provider, "m", data.api_version, data.quirks("m", data.api_version))
    spoken = dialect(data.dialect)
    assert spoken.framing in Framing
    for stream in (False, True):
        assert spoken.path(target, stream=stream).startswith("/")
        assert spoken.body(PROMPT, target, stream=stream)
    assert not spoken.assembler(PROMPT, target).ended
    assert spoken.fault({}).message == ""


def test_one_serves_every_call() -> None:
    assert all(dialect(name) is dialect(name) for name in dialect_names())
