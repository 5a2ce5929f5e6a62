"""Routes: language models made of language models, and the strategies by which they choose."""

from rag_engine.llm.router.route_profile import route_profile
from rag_engine.llm.router.routed_model import RoutedModel
from rag_engine.llm.router.strategies import STRATEGIES, Strategy, strategy_named
from rag_engine.llm.router.task_of import task_of

__all__ = ["STRATEGIES", "RoutedModel", "Strategy", "route_profile", "strategy_named", "task_of"]
