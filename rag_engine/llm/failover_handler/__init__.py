"""Gets an answer out of a route's models, whatever fails on the way."""

from rag_engine.llm.failover_handler.failover import FailoverHandler
from rag_engine.llm.failover_handler.plan import FailoverPolicy, MidStream, Plan
from rag_engine.llm.failover_handler.retry_budget import RetryBudget

__all__ = ["FailoverHandler", "FailoverPolicy", "MidStream", "Plan", "RetryBudget"]
