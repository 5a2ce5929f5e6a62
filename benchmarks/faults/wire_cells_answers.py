"""Faults of what is said: statuses, refusals, bodies that are no answer, waits that are asked for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import formatdate

from benchmarks.faults.socket_server import whole
from benchmarks.faults.wire_cells import NO_ANSWER, Cell, always, json_body, then
from benchmarks.faults.wire_golden import ABSENT, KEY, REQUEST_ID, Errors, Golden
from benchmarks.faults.wire_openai import as_json
from rag_engine.errors import (
    AuthenticationError,
    BadResponseError,
    InvalidRequestError,
    LanguageModelError,
    ModelTimeoutError,
    OverloadedError,
    ProviderFailureError,
    QuotaError,
    RateLimitError,
)

PAGE = f"<!doctype html><html><body><h1>Bad gateway</h1><p>{KEY}</p></body></html>".encode()
_passing = (ProviderFailureError, ModelTimeoutError, RateLimitError)
# What a status alone says, and how often it may be asked again.
STATUSES: dict[int, tuple[Errors, int]] = {
    400: ((InvalidRequestError,), 1),
    401: ((AuthenticationError,), 1),
    402: ((QuotaError,), 1),
    403: ((AuthenticationError,), 1),
    404: ((InvalidRequestError,), 1),
    405: ((InvalidRequestError, BadResponseError), 1),
    408: (_passing, 3),
    409: ((InvalidRequestError, ProviderFailureError), 3),
    413: ((InvalidRequestError,), 1),
    418: ((InvalidRequestError, BadResponseError), 1),
    422: ((InvalidRequestError,), 1),
    425: ((*_passing, InvalidRequestError), 3),
    429: ((RateLimitError,), 3),
    498: ((LanguageModelError,), 1),
    499: ((LanguageModelError,), 3),
    500: ((ProviderFailureError,), 3),
    501: ((ProviderFailureError, InvalidRequestError), 3),
    502: ((ProviderFailureError,), 3),
    503: ((ProviderFailureError,), 3),
    504: ((ProviderFailureError, ModelTimeoutError), 3),
    520: ((ProviderFailureError,), 3),
    522: (_passing, 3),
    524: (_passing, 3),
    529: ((OverloadedError, ProviderFailureError), 3),
}


def statuses(golden: Golden) -> Iterator[Cell]:
    """Every status with the provider's own form of an error, and some with what stands between."""
    for status, (errors, calls) in STATUSES.items():
        reply = json_body(golden.error("something happened"), status=status, **{golden.id_header: REQUEST_ID})
        yield Cell(f"status_{status}", always(reply), errors=errors, calls=calls, request_id=REQUEST_ID)
    for status in (401, 429, 500):
        errors, calls = STATUSES[status]
        yield Cell(f"status_{status}_empty", always(whole(status, b"")), errors=errors, calls=calls)
    for status in (403, 502, 503):
        errors, calls = STATUSES[status]
        yield Cell(
            f"status_{status}_page", always(whole(status, PAGE, media_type="text/html")), errors=errors, calls=calls
        )
    for status in (404, 500):
        errors, calls = STATUSES[status]
        yield Cell(f"status_{status}_null", always(whole(status, b"null")), errors=errors, calls=calls)
        listed = [golden.error("something happened")]
        yield Cell(f"status_{status}_list", always(json_body(listed, status=status)), errors=errors, calls=calls)
    yield Cell(
        "status_500_to_stream",
        always(json_body(golden.error("x"), status=500)),
        errors=(ProviderFailureError,),
        stream=True,
    )
    yield Cell("status_204", always(whole(204, b"")), errors=NO_ANSWER)
    once = json_body(golden.error("x"), status=503)
    yield Cell("unavailable_once", then(once, golden.answer(stream=False)), whole=True, calls=2, at_least=2, told=True)
    yield Cell("unavailable_twice", then(once, golden.answer(stream=False), times=2), whole=True, at_least=3, told=True)
    yield Cell(
        "unavailable_once_to_stream",
        then(once, golden.answer(stream=True)),
        whole=True,
        stream=True,
        calls=2,
        at_least=2,
        told=True,
    )
    for name, refusal in golden.refusals.items():
        reply = json_body(refusal.body, status=refusal.status, **refusal.headers)
        yield Cell(f"refusal_{name}", always(reply), errors=refusal.errors, calls=refusal.calls)
        yield Cell(f"refusal_{name}_to_stream", always(reply), errors=refusal.errors, calls=refusal.calls, stream=True)


def bodies(golden: Golden) -> Iterator[Cell]:
    """Bodies with status 200 that are no answer, or one with something amiss."""
    data = as_json(golden.reply)

    def said(name: str, body: bytes, **fields: object) -> Cell:
        return Cell(name, always(whole(200, body)), **{"errors": NO_ANSWER, **fields})  # type: ignore[arg-type]

    yield Cell("page", always(whole(200, PAGE, media_type="text/html")), errors=NO_ANSWER)
    yield Cell("page_as_json", always(whole(200, PAGE)), errors=NO_ANSWER)
    yield Cell("answer_as_text", always(whole(200, data, media_type="text/plain")), whole=True, errors=NO_ANSWER)
    yield said("no_json", data[: len(data) // 2] + b"!")
    yield said("json_and_more", data + b"}")
    yield said("null", b"null")
    yield said("number", b"42")
    yield said("text", b'"hello"')
    yield said("empty_object", b"{}")
    yield said("empty_list", b"[]")
    yield said("nested_too_deep", b"[" * 100_000)
    yield said("not_utf8", data.replace(b"Paris", b"Par\xff\xfes"))
    yield said("utf16", data.decode().encode("utf-16"), whole=True)
    yield said("byte_order_mark", b"\xef\xbb\xbf" + data, whole=True)
    yield said("error_with_200", as_json(golden.error("something happened")), errors=(LanguageModelError,))
    yield said("error_list_with_200", as_json([golden.error("something happened")]), errors=(LanguageModelError,))
    for name, value in (("absent", ABSENT), ("null", None), ("empty", []), ("text", "x"), ("list_of_null", [None])):
        yield said(f"answers_{name}", as_json(golden.changed(golden.answers_at, value)))
    for name, value in (("absent", ABSENT), ("null", None), ("number", 7), ("list", [7])):
        yield said(f"text_{name}", as_json(golden.changed(golden.text_at, value)))
    for name, value in (("number", 7), ("list", []), ("unknown", "because")):
        yield said(f"reason_{name}", as_json(golden.changed(golden.reason_at, value)), errors=(LanguageModelError,))
    for name, value in (("absent", ABSENT), ("null", None)):
        # Ollama's own sign of the end is another: `done`.
        ended = golden.provider == "ollama"
        yield said(f"reason_{name}", as_json(golden.changed(golden.reason_at, value)), whole=ended)
    for reason, meaning in golden.reasons.items():
        body = as_json(golden.changed(golden.reason_at, reason))
        if isinstance(meaning, tuple):
            yield said(f"reason_{reason}", body, errors=meaning)
        else:
            yield said(f"reason_{reason}", body, whole=True, errors=(), finish=meaning)
    for name, value in (
        ("absent", ABSENT),
        ("null", None),
        ("list", [1]),
        ("text", "x"),
        ("negative", -7),
        ("huge", 10**30),
    ):
        yield said(f"usage_{name}", as_json(golden.changed(golden.usage_at, value)), whole=True, errors=())
    for name, number in (
        ("negative", b"-23"),
        ("nan", b"NaN"),
        ("infinite", b"1e999"),
        ("text", b'"23"'),
        ("fraction", b"2.5"),
        ("huge", b"9" * 31),
    ):
        yield said(f"output_tokens_{name}", data.replace(b":23", b":" + number), whole=True)
    for name, number in (("negative", b"-17"), ("nan", b"NaN")):
        yield said(f"input_tokens_{name}", data.replace(b":17", b":" + number), whole=True)


def waits(golden: Golden) -> Iterator[Cell]:
    """Waits that are asked for with a 429. A wait that does not fit the deadline is not begun."""
    answer = golden.answer(stream=False)
    limited = golden.refusals["rate"]
    if golden.provider == "google":
        # Without the delay of its own kind, which is longer than any call here.
        body = golden.error("quota exceeded") | {"error": {"code": 429, "message": "x", "status": "RESOURCE_EXHAUSTED"}}
    else:
        body = limited.body

    def after(name: str, **headers: str) -> Cell:
        reply = then(json_body(body, status=429, **headers), answer)
        return Cell(f"wait_{name}", reply, whole=True, calls=2, at_least=2, told=True)

    def never(name: str, **headers: str) -> Cell:
        return Cell(f"wait_{name}", always(json_body(body, status=429, **headers)), errors=(RateLimitError,), calls=1)

    now = time.time()
    yield after("zero", retry_after="0")
    yield after("negative", retry_after="-1")
    yield after("nan", retry_after="nan")
    yield after("garbage", retry_after="soon")
    yield after("empty", retry_after="")
    yield after("fraction", retry_after="0.2")
    yield after("milliseconds", retry_after_ms="100")
    yield after("both", retry_after_ms="100", retry_after="60")
    yield after("date_past", retry_after=formatdate(now - 3600, usegmt=True))
    yield never("a_day", retry_after="86400")
    yield never("a_billion", retry_after="1000000000")
    yield never("infinite_digits", retry_after="9" * 400)
    yield never("date_in_an_hour", retry_after=formatdate(now + 3600, usegmt=True))
