"""What the headers of an answer say of the provider's limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from rag_engine.error_handler import seconds_until_reset
from rag_engine.types.generation import Allowance

_REQUESTS = ("requests",)
_INPUT = ("input_tokens",)
_OUTPUT = ("output_tokens",)
# Of tokens read and written together: no more than these are left of either.
_TOKENS = ("input_tokens", "output_tokens")

# What a header is about, the header that tells what is left, the one that tells the reset, and the longest that it can
# be away in seconds, where the header's name says it.
_ROWS: tuple[tuple[tuple[str, ...], str, str, float | None], ...] = (
    # OpenAI, Azure OpenAI, and whoever speaks their dialect.
    (_REQUESTS, "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests", None),
    (_TOKENS, "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens", None),
    (_TOKENS, "x-ratelimit-remaining-project-tokens", "x-ratelimit-reset-project-tokens", None),
    # Anthropic; its limit on tokens is the tightest of them, those of a workspace included.
    (_REQUESTS, "anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset", None),
    (_INPUT, "anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset", None),
    (_OUTPUT, "anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset", None),
    (_TOKENS, "anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset", None),
    # Mistral, now and before; and others that tell the window in the name.
    (_REQUESTS, "x-ratelimit-remaining-req-minute", "x-ratelimit-reset-req-minute", 60.0),
    (_REQUESTS, "x-ratelimit-remaining-requests-minute", "x-ratelimit-reset-requests-minute", 60.0),
    (_TOKENS, "x-ratelimit-remaining-tokens-minute", "x-ratelimit-reset-tokens-minute", 60.0),
    (_TOKENS, "x-ratelimitbysize-remaining-minute", "ratelimitbysize-reset", 60.0),
    (_TOKENS, "ratelimitbysize-remaining", "ratelimitbysize-reset", None),
    # Cohere tells trial keys only, and limits them by the minute.
    (_REQUESTS, "x-trial-endpoint-call-remaining", "x-trial-endpoint-call-reset", 60.0),
    # Gateways and servers of one's own: before and after the names that are on their way to become a standard.
    (_REQUESTS, "x-ratelimit-remaining", "x-ratelimit-reset", None),
    (_REQUESTS, "ratelimit-remaining", "ratelimit-reset", None),
)
_STRUCTURED = "ratelimit"  # "default";r=50;t=30, of requests
_NAMES = frozenset({row[1] for row in _ROWS} | {_STRUCTURED})
_LEFT = re.compile(r"\s*(\d{1,15})(?:\.\d{0,15})?\s*", re.ASCII)
_PARAMETER = re.compile(r";\s*([rt])\s*=\s*(\d{1,15})(?=\s*(?:;|$))", re.ASCII)
_NAMED = re.compile(r"\b(remaining|reset)\s*=\s*(\d{1,15})(?=\s*(?:,|$))", re.ASCII)
# No limit lasts longer than the month that it is billed by: what is further away is no reset.
_LONGEST_RESET = 31 * 86400.0
_Left = tuple[int, float | None]


def allowance_of(headers: Mapping[str, str], *, now: float) -> Allowance | None:
    """What is left, as far as the headers say it, of whichever limit leaves least; None where they say nothing usable.

    ``headers`` have lower-case names. ``now``, in seconds since 1970, is the time from which a date counts where the
    answer has none of its own.
    """
    if _NAMES.isdisjoint(headers):
        return None
    moment = datetime.fromtimestamp(now, UTC)
    found: dict[str, _Left] = {}
    for fields, remaining, reset, longest in _ROWS:
        said = headers.get(remaining)
        if said is not None and (number := _LEFT.fullmatch(said)):
            seconds = seconds_until_reset(headers.get(reset, ""), headers, now=moment)
            if seconds is None or seconds > _LONGEST_RESET:
                seconds = longest
            for field in fields:
                _keep(found, field, (int(number[1]), seconds))
    for left in _structured(headers.get(_STRUCTURED, "")):
        _keep(found, "requests", left)
    if not found:
        return None
    requests, inputs, outputs = (
        found.get(field, (None, None)) for field in ("requests", "input_tokens", "output_tokens")
    )
    return Allowance(*requests, *inputs, *outputs)


def allowance_after(allowance: Allowance, seconds: float) -> Allowance | None:
    """What is known of it so many seconds later: of a limit whose reset has passed, nothing."""
    later = {}
    for field in ("requests", "input_tokens", "output_tokens"):
        reset = getattr(allowance, f"{field}_reset")
        if reset is not None:
            later[f"{field}_reset"] = reset - seconds if reset > seconds else None
            if reset <= seconds:
                later[field] = None
    known = replace(allowance, **later)
    return None if (known.requests, known.input_tokens, known.output_tokens) == (None, None, None) else known


def _keep(found: dict[str, _Left], field: str, left: _Left) -> None:
    """The tightest: where as much is left of two limits, that which is longer away."""
    known = found.get(field)
    if known is None or (left[0], -(left[1] or 0.0)) < (known[0], -(known[1] or 0.0)):
        found[field] = left


def _structured(said: str) -> list[_Left]:
    """Of ``"minute";r=50;t=30, "day";r=900;t=7200`` and of ``limit=100, remaining=50, reset=30``."""
    named = dict(_NAMED.findall(said))
    members = [named] if "remaining" in named else [dict(_PARAMETER.findall(member)) for member in said.split(",")]
    found: list[_Left] = []
    for member in members:
        left, reset = member.get("r", member.get("remaining")), member.get("t", member.get("reset"))
        if left is not None:
            found.append((int(left), None if reset is None or float(reset) > _LONGEST_RESET else float(reset)))
    return found
