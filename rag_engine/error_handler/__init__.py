"""What an error means and what to do about it."""

from rag_engine.error_handler.signal import FaultSignal, Phase

__all__ = ["FaultSignal", "Phase"]
