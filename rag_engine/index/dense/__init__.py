"""Dense search: full vectors in memory-mapped files that only grow, and sign codes of them where they are many."""

from rag_engine.index.dense.compression import EXACT_UP_TO, RECALL_TARGET, Compression
from rag_engine.index.dense.files import FOLDER_NAME, discard_manifest, stands_at
from rag_engine.index.dense.index import FaissIndex

__all__ = [
    "EXACT_UP_TO",
    "FOLDER_NAME",
    "RECALL_TARGET",
    "Compression",
    "FaissIndex",
    "discard_manifest",
    "stands_at",
]
