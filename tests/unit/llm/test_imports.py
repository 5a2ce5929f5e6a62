"""What asking a provider loads, and that every name is there all the same."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import rag_engine.llm

# None of them is needed for opening a model, and each takes tens of milliseconds or more.
_NEEDLESS = ("httpx", "numpy", "pydantic", "sqlite3", "tenacity", "tiktoken", "rag_engine.llm.providers.extractive")
_PROGRAM = f"""
import json, sys
from rag_engine.llm import open_model
open_model("openai/gpt-4o-mini", key="sk-test-0123456789", environment={{}})
print(json.dumps([name for name in {_NEEDLESS!r} if name in sys.modules]))
"""


def test_opening_a_providers_model_loads_nothing_that_it_does_not_need() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize("name", rag_engine.llm.__all__)
def test_every_name_is_found_when_it_is_used(name: str) -> None:
    assert getattr(rag_engine.llm, name).__name__ == name
    assert name in dir(rag_engine.llm)


def test_a_name_that_is_none_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'closed_model'"):
        _ = rag_engine.llm.closed_model  # type: ignore[attr-defined]
