"""Language models: the extractive one, which needs no model, no key and no network, and those of providers.

The names below are imported when first used: who asks a provider needs nothing of what finds answers in texts.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag_engine.llm.opening import OpenedModel, open_model
    from rag_engine.llm.providers.extractive import ExtractiveModel
    from rag_engine.llm.providers.scripted import ScriptedModel
    from rag_engine.llm.routes import Routes, open_routes

__all__ = ["ExtractiveModel", "OpenedModel", "Routes", "ScriptedModel", "open_model", "open_routes"]
_HOMES = {
    "ExtractiveModel": "providers.extractive",
    "OpenedModel": "opening",
    "Routes": "routes",
    "ScriptedModel": "providers.scripted",
    "open_model": "opening",
    "open_routes": "routes",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
