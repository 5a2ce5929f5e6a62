"""What an error means and what to do about it."""

from rag_engine.error_handler.actions import Action, Verdict, verdict_for
from rag_engine.error_handler.reading import error_for
from rag_engine.error_handler.retry import RetryPolicy, retry_with_backoff
from rag_engine.error_handler.signal import FaultSignal, Phase
from rag_engine.error_handler.wording import request_id_of

__all__ = [
    "Action",
    "FaultSignal",
    "Phase",
    "RetryPolicy",
    "Verdict",
    "error_for",
    "request_id_of",
    "retry_with_backoff",
    "verdict_for",
]
