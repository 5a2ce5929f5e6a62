"""Which embedder runs a model here: compiled where it can be, else sentence-transformers; and why."""

from __future__ import annotations

import logging
from pathlib import Path

from platformdirs import user_cache_path

from rag_engine.embedding.compiled import RUNTIMES, CompiledEmbedder, CompiledModels, usable_cores
from rag_engine.embedding.model_source import ModelFiles
from rag_engine.embedding.sentence_transformer import RUNTIME as ORIGINAL
from rag_engine.embedding.sentence_transformer import SentenceTransformerEmbedder
from rag_engine.protocols import Embedder
from rag_engine.types.health import EmbeddingPath

logger = logging.getLogger(__name__)

SENTENCE_TRANSFORMERS = "sentence-transformers"
SET_BY_HAND = "embedding.runtime says so"


def default_cache() -> Path:
    """Where what is made of models is kept for this user."""
    return user_cache_path("rag_engine")


def open_embedder(files: ModelFiles, *, runtime: str, cache: Path, batch_size: int) -> Embedder:
    """The embedder for a model; compiles the model where that has not been tried yet.

    Args:
        files: the model's.
        runtime: ``auto``, the name of a candidate, or ``sentence-transformers``.
        cache: folder that holds compiled models.
        batch_size: texts that sentence-transformers embeds together.
    """
    if runtime == SENTENCE_TRANSFORMERS:
        return SentenceTransformerEmbedder(files=files, batch_size=batch_size)
    found = _models(runtime, cache).find_or_compile(files)
    if found.manifest is None:
        logger.warning("the model %s runs on sentence-transformers: %s", files.name, found.refusal)
        return SentenceTransformerEmbedder(files=files, batch_size=batch_size)
    return CompiledEmbedder(files=files, folder=found.folder, manifest=found.manifest)


def embedding_path(files: ModelFiles, *, runtime: str, cache: Path) -> EmbeddingPath:
    """What ``open_embedder`` gives and why, as far as it is known: nothing is compiled for it."""
    if runtime == SENTENCE_TRANSFORMERS:
        return EmbeddingPath(ORIGINAL, ORIGINAL, SET_BY_HAND)
    found = _models(runtime, cache).find(files)
    if found is None:
        return EmbeddingPath("not compiled yet", "not compiled yet", "the next ingest or search compiles it")
    if found.manifest is None:
        return EmbeddingPath(ORIGINAL, ORIGINAL, found.refusal or "")
    manifest = found.manifest
    documents, questions = manifest.documents or "", manifest.questions or ""
    return EmbeddingPath(
        manifest.described(documents),
        manifest.described(questions),
        SET_BY_HAND
        if runtime != "auto"
        else "measured on this machine as the fastest of those faithful to the original",
        {name: measured.to_json() for name, measured in manifest.candidates.items()},
        str(found.folder),
    )


def _models(runtime: str, cache: Path) -> CompiledModels:
    runtimes = RUNTIMES if runtime == "auto" else (runtime,)
    return CompiledModels(cache / "compiled", runtimes=runtimes, threads=usable_cores())
