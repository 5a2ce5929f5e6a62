"""The key of a call stands in no log, error, trace or row of the ledger, whatever a server does with it."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import pickle
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus, urlsplit

import pytest

from benchmarks.faults.socket_server import Close, Send, SocketServer, Step, chunked, http_head, whole
from benchmarks.faults.wire_cells import Cell
from benchmarks.faults.wire_contenders import examine
from benchmarks.faults.wire_faults import FAULTS, WireCase
from benchmarks.faults.wire_golden import KEY, LINES, Golden
from benchmarks.faults.wire_matrix import GOLDEN, cells_of
from benchmarks.faults.wire_matrix_call import run_cell
from benchmarks.faults.wire_openai import as_json
from benchmarks.faults.wire_outcomes import Outcome
from rag_engine import tracing
from rag_engine.error_handler import RetryPolicy
from rag_engine.ledger.usage import UsageLedger
from rag_engine.llm import open_model
from rag_engine.llm.opening import OpenedModel
from rag_engine.llm.providers.provider_data import provider_data
from rag_engine.llm.transport import WireLimits
from rag_engine.types.generation import Completion, CompletionDone, Prompt

# As keys may look at their worst: with all that is written in another way in an address or in base64.
ODD_KEY = "sk-proof/Aa+9=~zZ.%41_" + "0123456789abcdef" * 9
# A connection on a busy machine takes its time; what these servers leave open is ended by the shorter two.
LIMITS = WireLimits(deadline=5.0, connect=4.0, first_byte=0.4, idle=0.3)


def forms(key: str) -> dict[str, str]:
    """How a key may be written, and what is left of one that was cut."""
    data = key.encode()
    return {
        "plain": key,
        "in a URL": quote(key, safe=""),
        "in a form": quote_plus(key),
        "in base64": base64.b64encode(data).decode(),
        "in base64 of URLs": base64.urlsafe_b64encode(data).decode(),
        "in base64, as basic authentication": base64.b64encode(b":" + data).decode(),
        "in base64, as a header": base64.b64encode(b"Bearer " + data).decode(),
        "cut": key[:40],
    }


@dataclass
class Heard:
    """All that was said of the calls made within it: by logs, errors, traces and the ledger."""

    folder: Path
    lines: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    ledger: UsageLedger = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = UsageLedger(self.folder / "usage.sqlite")

    def error(self, error: BaseException | None) -> None:
        """An error and all behind it, shown in every way in which errors are shown and sent."""
        waiting, seen = [error], set()
        while waiting:
            link = waiting.pop()
            if link is None or id(link) in seen:
                continue
            seen.add(id(link))
            self.shown += [str(link), repr(link), repr(vars(link)), *traceback.format_exception(link)]
            self.shown.append(pickle.dumps(link).decode("latin-1"))
            waiting += [link.__cause__, link.__context__]

    def completion(self, completion: Completion) -> None:
        """What an answer says beside its text."""
        self.shown += [completion.model, completion.request_id, repr(completion.attempts)]

    def everything(self) -> dict[str, str]:
        """All of it, by where it stood. The ledger's files are read while it is open, and once it is closed."""
        self.ledger.flush()
        files = [path.read_bytes() for path in sorted(self.folder.glob("usage.sqlite*"))]
        rows = [str(self.ledger.totals(by)) for by in ("day", "model", "call")]
        self.ledger.close()
        files += [path.read_bytes() for path in sorted(self.folder.glob("usage.sqlite*"))]
        traces = [path.read_bytes() for path in sorted(self.folder.glob("traces*.jsonl"))]
        return {
            "the log": "\n".join(self.lines),
            "an error or an answer's names": "\n".join(self.shown),
            "the ledger": "\n".join([*rows, *(data.decode("latin-1") for data in files)]),
            "a trace": "\n".join(data.decode("latin-1") for data in traces),
        }


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[Heard]:
    noted = Heard(tmp_path)

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            noted.lines += [self.format(record), repr(record.__dict__)]

    handler, root = Kept(logging.DEBUG), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with tracing.kept_by(tracing.TraceJournal(tmp_path, keep=100_000)):
            yield noted
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
        noted.ledger.close()


def assert_nowhere(key: str, heard: Heard, *, calls: int) -> None:
    found = heard.everything()
    for place, text in found.items():
        for form, written in forms(key).items():
            at = text.find(written)
            assert at < 0, f"the key stands {form} in {place}: …{text[max(at - 150, 0) : at]}"
    # What was looked at was there.
    assert found["a trace"].count("\n") >= calls
    assert len(heard.ledger.totals("call", last=10 * calls)) >= calls
    assert "asyncio" in found["the log"]
    assert "attempts" in found["an error or an answer's names"]


def model_of(
    provider: str, name: str, url: str, *, key: str, heard: Heard, attempts: int, deadline: float
) -> OpenedModel:
    base_url = url + urlsplit(provider_data(provider).base_url).path
    return open_model(
        f"{provider}/{name}",
        base_url=base_url,
        key=key,
        limits=WireLimits(deadline=deadline, connect=0.5, first_byte=0.4, idle=0.3, max_bytes=1 << 20),
        policy=RetryPolicy(attempts=attempts, first_wait=0.01),
        ledger=heard.ledger,
    )


async def asked(model: OpenedModel, heard: Heard, *, stream: bool) -> None:
    try:
        if not stream:
            heard.completion(await model.complete(Prompt.plain("Why?")))
            return
        async for event in model.stream(Prompt.plain("Why?")):
            if isinstance(event, CompletionDone):
                heard.completion(event.completion)
    except Exception as error:  # noqa: BLE001 - whatever it is, is what is looked at
        heard.error(error)


def test_no_secret_is_left_behind_by_the_faults_of_the_wire(heard: Heard) -> None:
    def ask(case: WireCase, url: str) -> Outcome:
        async def once() -> None:
            async with model_of(
                "openai", "gpt-test", url, key=KEY, heard=heard, attempts=2, deadline=LIMITS.deadline
            ) as model:
                await asked(model, heard, stream=case.stream)

        asyncio.run(once())
        return Outcome(0.0)

    for case in FAULTS:
        examine(case, lambda url, case=case: ask(case, url))  # type: ignore[misc]
    assert_nowhere(KEY, heard, calls=len(FAULTS))


def spread(golden: Golden) -> list[Cell]:
    """Those in which a server refuses, redirects or reports, and every ninth of the others."""
    cells = [cell for _, cell in cells_of(golden)]
    return [
        cell
        for number, cell in enumerate(cells)
        if number % 9 == 0 or cell.name.startswith(("refusal", "redirect", "error"))
    ]


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.provider)
def test_no_secret_is_left_behind_by_the_faults_of_a_provider(golden: Golden, heard: Heard) -> None:
    def open_one(golden: Golden, url: str, deadline: float) -> OpenedModel:
        return model_of(golden.provider, golden.model, url, key=KEY, heard=heard, attempts=2, deadline=deadline)

    async def main() -> int:
        reached = 0
        for cell in spread(golden):
            call = await run_cell(golden, cell, open_one)
            heard.error(call.raised)
            if call.completion is not None:
                heard.completion(call.completion)
            reached += call.completion is not None or call.raised is not None
        return reached

    reached = asyncio.run(main())
    assert reached > 20
    assert_nowhere(KEY, heard, calls=reached)


def echoes(golden: Golden, key: str) -> Iterator[Sequence[Step]]:
    """Servers that give the key back, wherever an answer has place for it."""
    for written in forms(key).values():
        yield from _in_bodies(golden, written)
        yield from _in_heads(golden, written)
        yield from _in_streams(golden, written)


def _in_bodies(golden: Golden, written: str) -> Iterator[Sequence[Step]]:
    said = golden.error(f"the key {written} is not right")
    for status in (200, 400, 401, 429, 500):
        yield whole(status, as_json(said))
    yield whole(401, as_json([said]))
    yield whole(401, json.dumps({"message": written, "error": written, "detail": written, "code": written}).encode())
    for status in (200, 401):
        yield whole(status, as_json(said)[:-3])
        yield whole(status, f"<html>{written}</html>".encode(), media_type="text/html")
        yield whole(status, f'{{"key": "{written}", "broken": "'.encode() + b'\xff\xfe"}')
    yield whole(200, as_json(golden.changed(golden.reason_at, written)))
    yield whole(200, as_json(golden.changed(golden.answers_at, written)))
    yield whole(200, as_json(golden.changed(golden.usage_at, written)))
    named = {"id": written, "model": written, "responseId": written, "modelVersion": written, "created_at": written}
    yield whole(200, as_json({**golden.reply, **named}))


def _in_heads(golden: Golden, written: str) -> Iterator[Sequence[Step]]:
    answer, refusal = as_json(golden.reply), as_json(golden.error("something happened"))
    names = ("x-request-id", "request-id", "apim-request-id", "x-goog-request-id", "x-debug-trace-id", "cf-ray")
    repeated = dict.fromkeys((*names, "retry-after", "date", "server", "set-cookie", "www-authenticate"), written)
    for status in (200, 401, 429, 503):
        yield whole(status, answer if status == 200 else refusal, **repeated)
    # Longer than a request id may be: it is cut within the key.
    yield whole(401, refusal, **{"x-request-id": "r" * 100 + written})
    for location in (f"http://{written}.invalid/", f"http://elsewhere.invalid/{written}", f"/{written}", written):
        yield whole(302, b"", location=location)
        yield whole(307, b"", location=location)
    yield whole(200, answer, media_type=f"text/{written}")
    yield [Send(http_head(200, {"content-type": "application/json", "content-encoding": written}) + answer), Close()]
    yield [Send(http_head(200, {"content-type": "application/json", "content-length": written}) + answer), Close()]
    yield [Send(f"HTTP/1.1 401 {written}\r\ncontent-length: 0\r\n\r\n".encode()), Close()]
    yield [Send(f"HTTP/1.1 {written} OK\r\n\r\n".encode()), Close()]
    yield [Send(f"{written}\r\n\r\n".encode()), Close()]
    yield [Send(f"HTTP/1.1 200 OK\r\n{written}\r\n\r\n".encode()), Close()]


def _in_streams(golden: Golden, written: str) -> Iterator[Sequence[Step]]:
    def framed(data: bytes) -> bytes:
        return data + b"\n" if golden.media_type == LINES else b"data: " + data + b"\n\n"

    first, *rest = golden.pieces
    said = as_json(golden.error(f"the key {written} is not right"))
    inserted = [
        framed(said),
        b"event: error\n" + framed(said),
        said + b"\n",  # beside the events
        framed(said[:-3]),
        framed(written.encode()),
        framed(f'"{written}'.encode() + b"\xff"),
        f"event: {written}\n".encode() + framed(b"{}"),
        f"{written}: {written}\n".encode(),
    ]
    for piece in inserted:
        yield chunked([piece], media_type=golden.media_type)
        yield chunked([first, piece, *rest], media_type=golden.media_type)
    spoilt = [piece.replace(b'"stop"', json.dumps(written).encode()) for piece in golden.pieces]
    yield chunked(spoilt, media_type=golden.media_type)
    head = http_head(200, {"content-type": golden.media_type, "transfer-encoding": "chunked"})
    yield [Send(head + f"{written}\r\n".encode()), Close()]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.provider)
def test_no_secret_is_left_behind_by_a_server_that_gives_it_back(golden: Golden, stream: bool, heard: Heard) -> None:
    replies = list(echoes(golden, ODD_KEY))

    async def main(url: str) -> None:
        async with model_of(
            golden.provider, golden.model, url, key=ODD_KEY, heard=heard, attempts=1, deadline=LIMITS.deadline
        ) as model:
            for _ in replies:
                await asked(model, heard, stream=stream)

    with SocketServer(lambda request, number: replies[number]) as server:
        asyncio.run(main(server.url))
        assert len(server.requests) == len(replies)
        assert all(ODD_KEY in str(request.headers) for request in server.requests)
    assert any("[key]" in text for text in heard.shown)
    assert_nowhere(ODD_KEY, heard, calls=len(replies))
