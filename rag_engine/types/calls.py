"""Records of calls to language models, as they are billed."""

from __future__ import annotations

from dataclasses import dataclass

from rag_engine.types.generation import Usage


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One attempt of one call.

    ``call`` is common to the attempts for one answer, ``attempt`` counts from 1. ``when`` is in seconds since 1970,
    ``outcome`` a finish reason or an error's code. ``usage`` is None where the provider said nothing: of a failed
    attempt it may still be billed. ``streamed`` says how it was asked.
    """

    call: str
    attempt: int
    provider: str
    model: str
    when: float
    seconds: float
    outcome: str
    usage: Usage | None = None
    streamed: bool = False
    request_id: str = ""
    reservation: int | None = None


@dataclass(frozen=True, slots=True)
class UsageTotal:
    """What calls cost together. ``key`` is the day (UTC, ``2026-05-01``), the model or the call that they share.

    ``cost`` is in US dollars, of the attempts whose price is known; ``unpriced`` are the others. ``failed`` attempts
    are among ``attempts``.
    """

    key: str
    calls: int
    attempts: int
    failed: int
    input_tokens: int
    output_tokens: int
    cost: float
    unpriced: int
