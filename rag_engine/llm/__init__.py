"""Language models: the extractive one, which needs no model, no key and no network, and those of providers."""

from rag_engine.llm.opening import OpenedModel, open_model
from rag_engine.llm.providers.extractive import ExtractiveModel
from rag_engine.llm.providers.scripted import ScriptedModel

__all__ = ["ExtractiveModel", "OpenedModel", "ScriptedModel", "open_model"]
