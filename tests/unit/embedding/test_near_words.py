"""Words near in meaning, by the default model's static vectors."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag_engine.embedding.compiled import CompiledEmbedder
from rag_engine.embedding.near_words import NearWords


@pytest.mark.usefixtures("static_vectors")
def test_a_word_has_near_ones_and_what_the_model_does_not_know_has_none(
    compiled_embedder: CompiledEmbedder, model_cache: Path
) -> None:
    doctor, nothing, empty = NearWords(compiled_embedder, cache=model_cache)(["doctor", "qwzxkj", ""])
    assert {"physician", "doctors"} & {word for word, _ in doctor}
    assert all(-1.001 <= likeness <= 1.001 and word != "doctor" for word, likeness in doctor)
    assert [likeness for _, likeness in doctor] == sorted((likeness for _, likeness in doctor), reverse=True)
    assert nothing == empty == []
