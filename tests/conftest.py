"""What several rooms' tests share: embedders, and indexes made of documents."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from benchmarks.faults.hashing_embedder import HashingEmbedder
from benchmarks.faults.victim import ingest_job
from rag_engine.embedding import DEFAULT_MODEL, SentenceTransformerEmbedder, find_model, open_embedder
from rag_engine.embedding.compiled import CompiledEmbedder
from rag_engine.embedding.distillation import open_static_vectors
from rag_engine.index import Index
from rag_engine.protocols import Embedder
from rag_engine.types.document import Document
from rag_engine.types.ingestion import IngestReport
from rag_engine.types.static_vectors import StaticVectors

MakeModel = Callable[..., Path]
OpenIndex = Callable[[], Index]
Ingest = Callable[..., IngestReport]


@pytest.fixture(scope="session", autouse=True)
def model_cache(request: pytest.FixtureRequest) -> Path:
    """Where models are compiled to: a folder that outlives the session, as a user's does, but is not the user's."""
    folder = Path(request.config.cache.mkdir("models"))
    os.environ["RAG_ENGINE__EMBEDDING__CACHE"] = str(folder)  # for the commands that tests run too
    return folder


@pytest.fixture(scope="session")
def compiled_embedder(model_cache: Path) -> CompiledEmbedder:
    """The default model, compiled for this machine."""
    made = open_embedder(find_model(DEFAULT_MODEL), runtime="auto", cache=model_cache, batch_size=32)
    assert isinstance(made, CompiledEmbedder)
    return made


@pytest.fixture(scope="session")
def static_vectors(compiled_embedder: CompiledEmbedder, model_cache: Path) -> StaticVectors:
    """The default model's, by which chunks are cut."""
    found = open_static_vectors(compiled_embedder, cache=model_cache)
    assert found is not None
    return found


@pytest.fixture(scope="session")
def embedder() -> SentenceTransformerEmbedder:
    """The default model; loading it takes seconds, so all tests share it."""
    return SentenceTransformerEmbedder(files=find_model(DEFAULT_MODEL))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> MakeModel:
    """Makes sentence-transformers models of 32 dimensions with random weights, each once a session."""

    @cache
    def make(seed: int = 0, *, dense: int | None = None, prompts: bool = False) -> Path:
        folder = tmp_path_factory.mktemp(f"tiny-{seed}")
        save_tiny_model(folder, seed=seed, dense=dense, prompts=prompts)
        return folder

    return make


def save_tiny_model(folder: Path, *, seed: int, dense: int | None, prompts: bool) -> None:
    """A BERT of two layers over characters and a few words, saved as sentence-transformers saves models."""
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the modules' home up to version 5
        from sentence_transformers.models import Dense, Normalize, Pooling, Transformer

    letters = [chr(code) for code in range(33, 127)]
    pieces = [*letters, *(f"##{letter}" for letter in letters), "refund", "cell", "query", "passage"]
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(pieces)]))
    torch.manual_seed(seed)
    configuration = BertConfig(
        vocab_size=len(vocabulary.read_text().splitlines()),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
        initializer_range=0.5,  # wide enough that different texts get different vectors
    )
    plain = folder / "plain"
    BertModel(configuration).save_pretrained(plain)
    BertTokenizerFast(str(vocabulary), model_max_length=128).save_pretrained(plain)
    modules = [Transformer(str(plain)), Pooling(32)]
    modules += [Dense(32, dense)] if dense else []
    model = SentenceTransformer(
        modules=[*modules, Normalize()],
        prompts={"query": "query: ", "document": "passage: "} if prompts else None,
        device="cpu",
    )
    model.save(str(folder))


@pytest.fixture
def hashing_embedder() -> HashingEmbedder:
    """An embedder without a model."""
    return HashingEmbedder()


@pytest.fixture
def index_folder(tmp_path: Path) -> Path:
    """Where the test's index lives."""
    return tmp_path / "index"


@pytest.fixture
def open_index(index_folder: Path) -> Iterator[OpenIndex]:
    """Opens the test's index, made when absent; each call opens it once more, as another process would."""
    with ExitStack() as opened:

        def open_one_more() -> Index:
            index = Index.open(index_folder, create=True)
            opened.callback(index.close)
            return index

        yield open_one_more


@pytest.fixture
def index(open_index: OpenIndex) -> Index:
    """The test's index."""
    return open_index()


@pytest.fixture
def ingest(index: Index, hashing_embedder: HashingEmbedder) -> Ingest:
    """Ingests documents (or paths) into the test's index, with an embedder without a model."""

    def ingest(*sources: Document | Path, embedder: Embedder = hashing_embedder) -> IngestReport:
        job = ingest_job(index, embedder)
        documents = [source for source in sources if isinstance(source, Document)]
        if documents:
            return job.ingest_documents(documents)
        return job.ingest_paths([source for source in sources if isinstance(source, Path)])

    return ingest


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder ``docs`` in the working folder: ids are its paths from there."""
    place = tmp_path / "docs"
    place.mkdir()
    monkeypatch.chdir(tmp_path)
    return place
