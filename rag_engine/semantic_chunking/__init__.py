"""Cuts documents into chunks: structure, then atoms, then boundaries over arrays, then chunks that fit the model."""

from rag_engine.semantic_chunking.chunker import StructuralChunker
from rag_engine.semantic_chunking.chunking_pool import ChunkingPool, PendingChunks
from rag_engine.semantic_chunking.fixed_window import FixedWindowChunker
from rag_engine.semantic_chunking.sentences import split_sentences

__all__ = ["ChunkingPool", "FixedWindowChunker", "PendingChunks", "StructuralChunker", "split_sentences"]
