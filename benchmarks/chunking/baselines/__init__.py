"""The chunkers that ours is measured against; the fixed window is in ``rag_engine.semantic_chunking``."""

from benchmarks.chunking.baselines.cluster import ClusterChunker
from benchmarks.chunking.baselines.percentile import AverageSizeChunker, PercentileChunker
from benchmarks.chunking.baselines.recursive import RecursiveChunker

__all__ = ["AverageSizeChunker", "ClusterChunker", "PercentileChunker", "RecursiveChunker"]
