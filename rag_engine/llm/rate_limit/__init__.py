"""Keeps calls within the limits of a deployment: those of the settings and those that its provider tells."""

from rag_engine.llm.rate_limit.allowance import allowance_of
from rag_engine.llm.rate_limit.limiter import RateLimiter, RatePermit
from rag_engine.llm.rate_limit.limits import RateLimits

__all__ = ["RateLimiter", "RateLimits", "RatePermit", "allowance_of"]
