"""What is done to a question before it is searched."""

from rag_engine.query_optimizer.repair import repair

__all__ = ["repair"]
