"""Stops asking a deployment that fails, and asks it once from time to time to see whether it is well again."""

from rag_engine.llm.circuit_breaker.breaker import CircuitBreaker
from rag_engine.llm.circuit_breaker.permit import BreakerPermit
from rag_engine.llm.circuit_breaker.policy import BreakerPolicy

__all__ = ["BreakerPermit", "BreakerPolicy", "CircuitBreaker"]
