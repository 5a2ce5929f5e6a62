"""From what is seen of a fault to the error that is raised."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from rag_engine.error_handler.actions import Action, Verdict
from rag_engine.error_handler.retry_after import delay_in_words, retry_after, should_retry
from rag_engine.error_handler.signal import FaultSignal, Phase
from rag_engine.error_handler.table import LONGEST_MESSAGE, Row, row_for
from rag_engine.error_handler.wording import message_of, request_id_of
from rag_engine.errors import LanguageModelError

# From here on the model has begun to write, and what it writes is charged.
_PAID_FOR = frozenset({Phase.BODY, Phase.STREAM, Phase.PARSE, Phase.VALIDATE})


def error_for(signal: FaultSignal, *, model: str, now: datetime | None = None) -> LanguageModelError:
    """The error that the fault means, with the provider's words, wait and request id. It is returned, not raised;
    whatever the signal holds, there is one.

    ``model`` is the provider's name of it. ``now`` is the time from which a date to wait until counts, where the
    answer itself has none; the clock's by default.
    """
    row = row_for(signal)
    wait = retry_after(signal.headers, now=now, body_delay=signal.retry_delay)
    if wait is None and row.verdict.action is not Action.ABORT:
        wait = delay_in_words(signal.message[:LONGEST_MESSAGE])
    return row.error(
        message_of(row.error, signal, model=model),
        provider=signal.provider,
        model=model,
        status=signal.status,
        phase=signal.phase,
        request_id=request_id_of(signal.headers),
        retry_after=wait,
        verdict=_verdict(row, signal),
    )


def _verdict(row: Row, signal: FaultSignal) -> Verdict:
    """The row's, as the provider's own opinion and the phase change it.

    ``x-should-retry: false`` is believed always; ``true`` only where another call could help at all: no header makes
    an account pay.
    """
    verdict = row.verdict
    opinion = should_retry(signal.headers)
    if opinion is False and verdict.action in (Action.RETRY, Action.FAIL_OVER):
        verdict = replace(verdict, action=Action.FAIL_OVER, final=True)
    elif opinion is True and verdict.action is Action.FAIL_OVER and row.error.retryable:
        verdict = replace(verdict, action=Action.RETRY, final=False)
    if signal.phase in _PAID_FOR and not verdict.billable:
        verdict = replace(verdict, billable=True)
    return verdict
