"""Any sentence-transformers model: what its identity says, on models made here."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from rag_engine.embedding import SentenceTransformerEmbedder, find_model
from rag_engine.errors import ModelDamagedError, ModelMismatchError, ModelNotFoundError
from rag_engine.index import Catalog, IndexLock, check_embedder, set_lock

MakeModel = Callable[..., Path]


def embedder_of(folder: Path) -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(files=find_model(str(folder)))


@pytest.fixture
def copied(tiny_model: MakeModel, tmp_path: Path) -> Path:
    """A model's folder that the test may spoil."""
    return Path(shutil.copytree(tiny_model(0), tmp_path / "model"))


def test_identity_says_what_decides_the_vectors(tiny_model: MakeModel) -> None:
    identity = embedder_of(tiny_model(0)).identity
    assert identity.dimension == 32
    assert identity.max_tokens == 128
    assert identity.normalized
    assert "mean" in identity.pooling
    assert set(json.loads(identity.prompts).values()) == {""}
    assert len(identity.weights) == len(identity.tokenizer) == 64


def test_identity_is_read_without_loading_the_weights(copied: Path) -> None:
    (copied / "model.safetensors").write_bytes(b"no weights at all")
    embedder = embedder_of(copied)
    assert embedder.identity.dimension == 32
    with pytest.raises(ModelDamagedError, match="cannot be loaded"):
        embedder.embed(["text"])


def test_models_of_other_weights_have_other_identities(tiny_model: MakeModel) -> None:
    first, second = embedder_of(tiny_model(0)).identity, embedder_of(tiny_model(1)).identity
    assert first.weights != second.weights
    assert first.tokenizer == second.tokenizer


def test_a_dense_layer_sets_the_dimension(tiny_model: MakeModel) -> None:
    embedder = embedder_of(tiny_model(0, dense=24))
    assert embedder.identity.dimension == 24
    assert embedder.embed(["text"]).shape == (1, 24)


def test_prompts_tell_questions_from_documents_and_take_room_in_the_window(tiny_model: MakeModel) -> None:
    plain, prompted = embedder_of(tiny_model(0)), embedder_of(tiny_model(0, prompts=True))
    assert json.loads(prompted.identity.prompts)["query"] == "query: "
    assert prompted.identity.max_tokens < plain.identity.max_tokens
    np.testing.assert_allclose(prompted.embed(["refund"]), plain.embed(["passage: refund"]), atol=1e-5)
    np.testing.assert_allclose(prompted.embed_queries(["refund"]), plain.embed(["query: refund"]), atol=1e-5)
    np.testing.assert_allclose(plain.embed_queries(["refund"]), plain.embed(["refund"]), atol=1e-5)


def test_a_model_without_a_tokenizer_is_not_found_whole(copied: Path) -> None:
    (copied / "tokenizer.json").unlink()
    with pytest.raises(ModelNotFoundError, match="tokenizer"):
        embedder_of(copied)


def test_a_model_that_does_not_say_its_dimension_is_refused(copied: Path) -> None:
    for file in (copied / "config.json", copied / "1_Pooling" / "config.json"):
        file.write_text("{}")
    with pytest.raises(ModelDamagedError, match="dimension"):
        embedder_of(copied).identity  # noqa: B018


def test_a_model_of_other_weights_is_refused_by_an_index_with_the_command_that_mends_it(
    tiny_model: MakeModel, tmp_path: Path
) -> None:
    first, second = embedder_of(tiny_model(0)), embedder_of(tiny_model(1))
    with closing(Catalog.create(tmp_path / "catalog.sqlite")) as catalog:
        with catalog.change() as change:
            set_lock(change, IndexLock(first.identity, "chunker", {}), first)
        check_embedder(catalog, embedder_of(tiny_model(0)))
        with pytest.raises(ModelMismatchError) as raised:
            check_embedder(catalog, second)
    assert "rag ingest --re-embed" in raised.value.hint


def test_the_same_weights_in_another_folder_are_admitted(tiny_model: MakeModel, copied: Path, tmp_path: Path) -> None:
    first = embedder_of(tiny_model(0))
    with closing(Catalog.create(tmp_path / "catalog.sqlite")) as catalog:
        with catalog.change() as change:
            set_lock(change, IndexLock(first.identity, "chunker", {}), first)
        check_embedder(catalog, embedder_of(copied))
