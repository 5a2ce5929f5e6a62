"""What Google says when it fails."""

from __future__ import annotations

import re

from rag_engine.llm.providers.dialect import ReportedFault
from rag_engine.llm.providers.received import text_or_empty
from rag_engine.types.document import JsonValue

_DURATION = re.compile(r"\d{1,9}(?:\.\d{1,9})?(?=s\Z)", re.ASCII)


def holds_error(value: JsonValue) -> bool:
    """Whether it reports an error: an object with one, or a list that begins with such."""
    first = value[0] if isinstance(value, list) and value else value
    return isinstance(first, dict) and bool(first.get("error"))


def reported_fault(value: JsonValue) -> ReportedFault:
    """``{"error": {code, message, status, details}}``, alone or as the first of a list.

    ``type`` is Google's status (``RESOURCE_EXHAUSTED``), ``status`` and ``code`` are its number. ``reason`` is what the
    details add, in their order, joined with a comma: the ``reason`` of ErrorInfo and the ``quotaId`` of every violation
    of QuotaFailure, as in ``RATE_LIMIT_EXCEEDED,GenerateRequestsPerDayPerProject``. ``retry_delay`` is RetryInfo's.
    """
    first = value[0] if isinstance(value, list) and value else value
    error = first.get("error") if isinstance(first, dict) else None
    if isinstance(error, str):
        described = first.get("error_description") if isinstance(first, dict) else None
        return ReportedFault(type=error, message=text_or_empty(described) or error)
    if not isinstance(error, dict):
        return ReportedFault()
    number = error.get("code")
    status = number if type(number) is int and 100 <= number <= 599 else None
    reasons: list[str] = []
    delay: float | None = None
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        if not isinstance(detail, dict):
            continue
        kind = text_or_empty(detail.get("@type"))
        if kind.endswith("RetryInfo"):
            found = _DURATION.match(text_or_empty(detail.get("retryDelay")))
            delay = float(found[0]) if found else delay
        elif kind.endswith("ErrorInfo"):
            reasons.append(text_or_empty(detail.get("reason")))
        elif kind.endswith("QuotaFailure"):
            violations = detail.get("violations")
            if isinstance(violations, list):
                reasons += [text_or_empty(one.get("quotaId")) for one in violations if isinstance(one, dict)]
    return ReportedFault(
        type=text_or_empty(error.get("status")),
        code=str(number) if type(number) is int else text_or_empty(number),
        reason=",".join(reason for reason in reasons if reason),
        message=text_or_empty(error.get("message")),
        retry_delay=delay,
        status=status,
    )
