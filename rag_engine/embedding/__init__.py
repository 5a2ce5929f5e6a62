"""Embedders: any sentence-transformers model, where its files come from, and a cache of vectors."""

from rag_engine.embedding.cached import CachedEmbedder
from rag_engine.embedding.model_source import DEFAULT_MODEL, ModelFiles, find_model
from rag_engine.embedding.sentence_transformer import SentenceTransformerEmbedder

__all__ = ["DEFAULT_MODEL", "CachedEmbedder", "ModelFiles", "SentenceTransformerEmbedder", "find_model"]
