"""Static vectors are distilled once, kept whole, and know which texts belong together."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.faults.hashing_embedder import HashingEmbedder
from rag_engine.embedding import SentenceTransformerEmbedder, find_model
from rag_engine.embedding.compiled import CompiledEmbedder
from rag_engine.embedding.distillation import distilled, open_static_vectors
from rag_engine.token_counter import ModelTokenizer
from rag_engine.types.static_vectors import StaticVectors
from tests.conftest import MakeModel

if TYPE_CHECKING:
    from rag_engine.protocols import Vectors


class WordsEmbedder(HashingEmbedder):
    """A hashing embedder with a vocabulary."""

    def __init__(self, vocabulary: Path) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.tokenizer = ModelTokenizer(vocabulary, name="words")  # type: ignore[assignment]


@pytest.fixture
def words(tiny_model: MakeModel) -> WordsEmbedder:
    """Embeds texts by their words, with the vocabulary of a tiny model."""
    return WordsEmbedder(tiny_model() / "tokenizer.json")


def text_vector(static: StaticVectors, tokenizer: ModelTokenizer, text: str) -> np.ndarray:
    total = static.vectors[tokenizer.encode(text).ids].sum(axis=0, dtype=float)
    return np.asarray(total / np.linalg.norm(total))


def test_texts_of_one_subject_are_more_alike_than_texts_of_two(
    static_vectors: StaticVectors, compiled_embedder: CompiledEmbedder
) -> None:
    heart, blood, lease, tenant = (
        text_vector(static_vectors, compiled_embedder.tokenizer, text)
        for text in (
            "The heart pumps blood into the lungs.",
            "Arteries carry oxygen from the chest to every organ.",
            "The tenant may end the lease with three months' notice.",
            "A landlord keeps the deposit until the flat is handed over.",
        )
    )
    assert min(heart @ blood, lease @ tenant) > max(heart @ lease, heart @ tenant, blood @ lease, blood @ tenant)
    assert static_vectors.related > static_vectors.unrelated + 0.2


def test_each_token_of_the_vocabulary_has_a_vector_of_few_small_numbers(
    static_vectors: StaticVectors, compiled_embedder: CompiledEmbedder
) -> None:
    assert static_vectors.vectors.shape == (len(compiled_embedder.tokenizer.vocabulary()), 32)
    assert static_vectors.vectors.dtype == np.int8
    assert np.abs(static_vectors.vectors.astype(int)).max() == 127


def test_what_was_distilled_is_kept(words: WordsEmbedder, tmp_path: Path) -> None:
    open_static_vectors(words, cache=tmp_path)
    embedded = words.embedded
    assert embedded > 0
    open_static_vectors(words, cache=tmp_path)
    assert words.embedded == embedded
    assert len(list((tmp_path / "static").iterdir())) == 1


@pytest.mark.parametrize("damage", [lambda whole: whole[:-40], lambda _: b"no archive", lambda _: b""])
def test_what_is_damaged_is_made_anew(
    words: WordsEmbedder,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    damage: object,
) -> None:
    open_static_vectors(words, cache=tmp_path)
    (file,) = (tmp_path / "static").iterdir()
    whole = file.read_bytes()
    assert callable(damage)
    file.write_bytes(damage(whole))
    with caplog.at_level(logging.WARNING):
        open_static_vectors(words, cache=tmp_path)
    assert "damaged" in caplog.text
    assert file.read_bytes()[-20:] == whole[-20:]
    assert len(file.read_bytes()) == len(whole)


def test_where_nothing_can_be_kept_they_are_made_each_time(
    words: WordsEmbedder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "static").write_text("no folder")
    with caplog.at_level(logging.WARNING):
        open_static_vectors(words, cache=tmp_path)
    assert "cannot be kept" in caplog.text


def test_an_embedder_without_a_vocabulary_has_none(hashing_embedder: HashingEmbedder, tmp_path: Path) -> None:
    assert open_static_vectors(hashing_embedder, cache=tmp_path) is None
    assert hashing_embedder.embedded == 0


def test_vectors_that_tell_no_subjects_apart_are_not_used(words: WordsEmbedder, tmp_path: Path) -> None:
    class Indifferent(WordsEmbedder):
        def embed(self, texts: Sequence[str]) -> Vectors:
            return super().embed(["the same"] * len(texts))

    assert open_static_vectors(Indifferent(words.vocabulary), cache=tmp_path) is None


def test_a_model_with_prompts_and_few_dimensions_is_distilled_too(tiny_model: MakeModel) -> None:
    embedder = SentenceTransformerEmbedder(files=find_model(str(tiny_model(prompts=True, dense=16))))
    made = distilled(embedder)
    assert made.vectors.shape == (len(embedder.tokenizer.vocabulary()), 16)
    assert np.isfinite([made.related, made.unrelated]).all()
