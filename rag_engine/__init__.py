"""rag_engine: retrieval-augmented generation whose every citation is proven against the stored text.

The names below are imported when first used, so that ``import rag_engine`` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag_engine.config import Settings, load_settings
    from rag_engine.engine import Engine
    from rag_engine.errors import RagEngineError
    from rag_engine.evaluation import EvaluationReport
    from rag_engine.llm import ScriptedModel, open_model, open_routes
    from rag_engine.types.document import Document
    from rag_engine.types.generation import Answer, Citation, CompletionDone, Prompt, StreamRestarted, TextDelta
    from rag_engine.types.ingestion import IngestReport
    from rag_engine.types.retrieval import Passage

__version__ = "0.1.0"
__all__ = [
    "Answer",
    "Citation",
    "CompletionDone",
    "Document",
    "Engine",
    "EvaluationReport",
    "IngestReport",
    "Passage",
    "Prompt",
    "RagEngineError",
    "ScriptedModel",
    "Settings",
    "StreamRestarted",
    "TextDelta",
    "load_settings",
    "open_model",
    "open_routes",
]
_HOMES = {
    "Answer": "types.generation",
    "Citation": "types.generation",
    "CompletionDone": "types.generation",
    "Document": "types.document",
    "Engine": "engine",
    "EvaluationReport": "evaluation",
    "IngestReport": "types.ingestion",
    "Passage": "types.retrieval",
    "Prompt": "types.generation",
    "RagEngineError": "errors",
    "ScriptedModel": "llm",
    "Settings": "config",
    "StreamRestarted": "types.generation",
    "TextDelta": "types.generation",
    "load_settings": "config",
    "open_model": "llm",
    "open_routes": "llm",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
