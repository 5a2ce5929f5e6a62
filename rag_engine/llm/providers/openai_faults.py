"""Reports of errors in every form that servers of OpenAI's interface give them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from rag_engine.llm.providers.dialect import ReportedFault
from rag_engine.types.document import JsonValue

# Longer ones repeat what was sent.
MESSAGE_CHARACTERS = 1000
_WAIT = re.compile(
    r"\b(?:try again in|retry after) (?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m(?!s))?"
    r"(?:(?P<amount>\d+(?:\.\d+)?) ?(?P<unit>ms|milliseconds?|s|seconds?)\b)?",
    re.IGNORECASE,
)


def openai_fault(body: JsonValue) -> ReportedFault:
    """What a body says of an error; empty where it says nothing.

    OpenAI's and Azure's ``error`` objects, the flat ones of Mistral and of older vLLM, FastAPI's ``detail``,
    llama.cpp's numbers in place of codes, gateways' plain messages, each also within a list.
    """
    if isinstance(body, list):
        return openai_fault(body[0]) if body else ReportedFault()
    if isinstance(body, str):
        return _fault({}, body)
    if not isinstance(body, dict):
        return ReportedFault()
    error = body.get("error")
    if isinstance(error, dict):
        return _fault(error, _message(error))
    if isinstance(error, str):
        return _fault(body, error)
    return _fault(body, _message(body))


def reports_an_error(body: Mapping[str, JsonValue]) -> bool:
    """Whether a body that came with a good status, or a piece of a stream, is a report of an error."""
    if body.get("error"):
        return True
    return "choices" not in body and (body.get("object") == "error" or "detail" in body or "message" in body)


def _fault(error: Mapping[str, JsonValue], message: str) -> ReportedFault:
    inner = error.get("innererror", error.get("inner_error"))
    details = error.get("detail")
    kind = error.get("type")
    if not kind and isinstance(details, list) and details and isinstance(details[0], dict):
        kind = details[0].get("type")
    return ReportedFault(
        type=_word(kind),
        code=_word(error.get("code")),
        reason=_word(inner.get("code")) if isinstance(inner, dict) else "",
        message=message[:MESSAGE_CHARACTERS],
        retry_delay=_delay(message),
        status=_status(error),
    )


def _message(error: Mapping[str, JsonValue]) -> str:
    for name in ("message", "detail", "error_description"):
        found = _text(error.get(name))
        if found:
            return found
    return ""


def _text(value: JsonValue) -> str:
    """What a message says: itself, or the complaints of a list such as FastAPI's, each with its place."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        said = value.get("msg", value.get("message"))
        if said is None:
            return _text(value.get("detail"))
        place = value.get("loc")
        where = ".".join(str(part) for part in place) if isinstance(place, list) else ""
        return f"{where}: {_text(said)}" if where else _text(said)
    if isinstance(value, list):
        return "; ".join(filter(None, map(_text, value)))
    return ""


def _word(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _status(error: Mapping[str, JsonValue]) -> int | None:
    for name in ("status", "status_code", "statusCode", "raw_status_code", "code"):
        word = _word(error.get(name))
        if re.fullmatch("[45][0-9][0-9]", word):
            return int(word)
    return None


def _delay(message: str) -> float | None:
    found = _WAIT.search(message)
    if found is None or not any(found.groupdict().values()):
        return None
    seconds = float(found["amount"] or 0) / (1000 if (found["unit"] or "").lower().startswith("m") else 1)
    seconds += 3600 * float(found["hours"] or 0) + 60 * float(found["minutes"] or 0)
    return seconds if math.isfinite(seconds) else None
