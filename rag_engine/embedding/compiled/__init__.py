"""Models compiled for this machine: exported once, chosen by measuring, checked against the original, cached."""

from rag_engine.embedding.compiled.cache import CompiledModel, CompiledModels
from rag_engine.embedding.compiled.embedder import CompiledEmbedder
from rag_engine.embedding.compiled.programs import usable_cores

__all__ = ["RUNTIMES", "CompiledEmbedder", "CompiledModel", "CompiledModels", "usable_cores"]

# The candidates, by name; ``candidates`` builds them.
RUNTIMES = ("openvino-int8", "openvino-bf16", "onnxruntime-int8", "onnxruntime-fp32")
