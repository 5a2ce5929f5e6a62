"""What an error means and what to do about it."""

from rag_engine.error_handler.actions import Action, Verdict, verdict_for, verdict_of
from rag_engine.error_handler.aggregator import ErrorAggregator, default_aggregator
from rag_engine.error_handler.context import ErrorContext
from rag_engine.error_handler.health import (
    ComponentHealth,
    ErrorRates,
    HealthState,
    HealthThresholds,
    NotedError,
)
from rag_engine.error_handler.reading import error_for
from rag_engine.error_handler.retry import retry_with_backoff
from rag_engine.error_handler.retry_after import retry_after, seconds_until_reset
from rag_engine.error_handler.retry_course import retry_is_owned
from rag_engine.error_handler.retry_policy import Failure, RetryPolicy
from rag_engine.error_handler.safe_execution import safe_execute
from rag_engine.error_handler.signal import FaultSignal, Phase
from rag_engine.error_handler.table import Row, UnknownSignal, row_for, unknown_signals
from rag_engine.error_handler.wording import request_id_of

__all__ = [
    "Action",
    "ComponentHealth",
    "ErrorAggregator",
    "ErrorContext",
    "ErrorRates",
    "Failure",
    "FaultSignal",
    "HealthState",
    "HealthThresholds",
    "NotedError",
    "Phase",
    "RetryPolicy",
    "Row",
    "UnknownSignal",
    "Verdict",
    "default_aggregator",
    "error_for",
    "request_id_of",
    "retry_after",
    "retry_is_owned",
    "retry_with_backoff",
    "row_for",
    "safe_execute",
    "seconds_until_reset",
    "unknown_signals",
    "verdict_for",
    "verdict_of",
]
