"""Faults in plain English: what happened, in whose words, under which number."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from rag_engine import errors
from rag_engine.error_handler.signal import FaultSignal

LONGEST_QUOTATION = 200
LONGEST_WORD = 64
LONGEST_REQUEST_ID = 128

# In this order: what the provider itself looks a call up by, before what stands in front of it calls it.
_REQUEST_ID_HEADERS: Final = (
    "x-request-id",
    "request-id",
    "apim-request-id",
    "x-ms-request-id",
    "x-goog-request-id",
    "x-goog-trace-id",
    "x-debug-trace-id",
    "mistral-correlation-id",
    "cf-ray",
)

# Providers show a refused key with its middle starred out; what is left of it is still nobody's business.
_STARRED_KEY = re.compile(r"\S*\*{3,}\S*")

_WHAT: Final[dict[type[errors.LanguageModelError], str]] = {
    errors.LanguageModelError: "the call failed",
    errors.AuthenticationError: "the provider does not take who asks",
    errors.MissingKeyError: "there is no key",
    errors.MalformedKeyError: "the key cannot be sent",
    errors.InvalidKeyError: "the provider refuses the key",
    errors.PermissionDeniedError: "the key may not do this",
    errors.RateLimitError: "more requests or tokens than the provider takes for now",
    errors.RampLimitError: "the rate rose faster than the provider lets it",
    errors.ConcurrencyLimitError: "more calls at the same time than the provider takes",
    errors.QuotaError: "what was paid for or allowed is used up",
    errors.CreditExhaustedError: "no money is left, or a spend limit is reached",
    errors.PeriodQuotaError: "the share of a day, a month or a trial is used up",
    errors.BudgetExceededError: "the budget would be exceeded",
    errors.ModelTimeoutError: "the provider took too long",
    errors.ConnectTimeoutError: "no connection in time",
    errors.FirstByteTimeoutError: "no answer began in time",
    errors.StalledStreamError: "the answer stopped coming midway",
    errors.SlowStreamError: "the answer came too slowly",
    errors.DeadlineExceededError: "the call's whole time is over",
    errors.ModelConnectionError: "the way to the provider failed",
    errors.NameResolutionError: "the provider's name has no address",
    errors.ConnectionRefusedByHostError: "nothing listens at the provider's address",
    errors.TlsError: "the certificate or the handshake is not right",
    errors.ConnectionLostError: "the connection ended before an answer began",
    errors.ProxyError: "the proxy between did not let the call through",
    errors.RedirectError: "the provider sent the call elsewhere, where the key does not follow",
    errors.InvalidRequestError: "the provider does not take what was asked",
    errors.ContextWindowError: "the prompt and the answer do not fit the model's window",
    errors.UnknownModelError: "the provider has no such model, or not for this key",
    errors.UnsupportedParameterError: "the model does not take a parameter, or not its value",
    errors.RequestTooLargeError: "the request is over the provider's limit of size",
    errors.ContentPolicyError: "the provider's rules stand against it",
    errors.PromptBlockedError: "the provider did not let the prompt through",
    errors.OutputFilteredError: "the provider's filter cut the answer",
    errors.ProviderFailureError: "the provider did not do its part",
    errors.ServerError: "the provider reports a fault of its own",
    errors.OverloadedError: "the provider has no capacity now",
    errors.BadResponseError: "the answer is not what the provider's interface says",
    errors.IncompleteResponseError: "the answer ended before its end",
    errors.ResponseTooLargeError: "the answer is over the cap on its size",
}


def message_of(kind: type[errors.LanguageModelError], signal: FaultSignal, *, model: str) -> str:
    """``openai/gpt: the provider refuses the key (HTTP 401 invalid_api_key); it says "…"``.

    The provider's words are at most 200 characters, on one line; its key was taken out of them before they became a
    signal. What is left of a key between stars is taken out here.
    """
    whom = clean("/".join(name for name in (signal.provider, model) if name), longest=2 * LONGEST_WORD)
    what = next(_WHAT[above] for above in kind.__mro__ if above in _WHAT)
    status = "" if signal.status is None else f"HTTP {signal.status}"
    numbers = " ".join(part for part in (status, _name_of(signal)) if part)
    words = clean(_STARRED_KEY.sub("[key]", signal.message), longest=LONGEST_QUOTATION)
    return (
        f"{whom or 'the provider'}: {what}"
        + (f" ({numbers})" if numbers else "")
        + (f'; it says "{words}"' if words else "")
    )


def request_id_of(headers: Mapping[str, str]) -> str:
    """What the provider calls the call, to ask its support about; empty where it does not say."""
    for name in _REQUEST_ID_HEADERS:
        said = headers.get(name)
        if said and (said := clean(said, longest=LONGEST_REQUEST_ID)):
            return said
    return ""


def clean(text: str, *, longest: int) -> str:
    """One line without control characters, invisible characters and half surrogates, ``longest`` characters at most.

    What is shown on a terminal must not be able to write there as it likes, or to stand in another order than it has.
    """
    text = text[: 4 * longest]  # what may be megabytes is not read whole
    kept = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in text)
    kept = " ".join(kept.split())
    return kept if len(kept) <= longest else kept[: longest - 1].rstrip() + "…"


def _name_of(signal: FaultSignal) -> str:
    """The most telling name that the provider gives the fault; a number that only repeats the status is none."""
    for name in (signal.reason, signal.code, signal.type):
        shown = clean(_STARRED_KEY.sub("[key]", name), longest=LONGEST_WORD)
        if shown and shown != str(signal.status):
            return shown
    return ""
