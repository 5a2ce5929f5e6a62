"""Keeps calls within the limits of a deployment: those of the settings and those that its provider tells."""

from rag_engine.llm.rate_limit.limiter import RateLimiter, RateLimits, RatePermit

__all__ = ["RateLimiter", "RateLimits", "RatePermit"]
