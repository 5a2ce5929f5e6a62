"""Embedders: models compiled for this machine, or sentence-transformers; where models come from; a cache of vectors."""

from rag_engine.embedding.cached import CachedEmbedder
from rag_engine.embedding.compiled import usable_cores
from rag_engine.embedding.model_source import DEFAULT_MODEL, ModelFiles, find_model
from rag_engine.embedding.selection import default_cache, embedding_path, open_embedder
from rag_engine.embedding.sentence_transformer import SentenceTransformerEmbedder
from rag_engine.embedding.weights import WeightDigests

__all__ = [
    "DEFAULT_MODEL",
    "CachedEmbedder",
    "ModelFiles",
    "SentenceTransformerEmbedder",
    "WeightDigests",
    "default_cache",
    "embedding_path",
    "find_model",
    "open_embedder",
    "usable_cores",
]
