"""What the sandbox costs: 1,000 small files read through it and by the same loaders in process, alone and in an ingest.

``python -m benchmarks.formats.sandbox`` prints one JSON object. The files are Markdown, plain text, HTML, CSV and JSON
of about two kilobytes, alike in every run. In process means with everything but the process: bytes read, digest, the
loader, the examination. Both ways take turns, and medians are compared; ``sandbox_ingest.cost_share`` is what an ingest
with the default model takes longer for its sandboxes, over what it takes without.
"""

from __future__ import annotations

import hashlib
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from rag_engine.assembly import Assembly
from rag_engine.config import Settings
from rag_engine.ingestion import ParsedSource, Sandbox, examined, select_loader
from rag_engine.types.document import Document, SourceFailure
from rag_engine.types.ingestion import LoadLimits

FILES = 1_000
ROUNDS = 5
INGEST_ROUNDS = 3
LIMITS = LoadLimits(20_000_000)
_VOCABULARY = "the shop parcel refund invoice delivery receipt opens closes in Lyon Basel on Monday within days"


def write_files(folder: Path) -> list[Path]:
    """The files, of five formats in turn."""
    chance, words = random.Random(4), _VOCABULARY.split()

    def sentence() -> str:
        return " ".join(chance.choices(words, k=12)).capitalize() + "."

    def paragraphs() -> list[str]:
        return [" ".join(sentence() for _ in range(6)) for _ in range(4)]

    makers: list[tuple[str, Callable[[], str]]] = [
        (".md", lambda: "# Page\n\n" + "\n\n## Part\n\n".join(paragraphs())),
        (".txt", lambda: "\n\n".join(paragraphs())),
        (".html", lambda: f"<html><body><main><h1>Page</h1><p>{'</p><p>'.join(paragraphs())}</p></main></body></html>"),
        (".csv", lambda: "item,place,day\n" + "".join(f"{','.join(chance.choices(words, k=3))}\n" for _ in range(80))),
        (".json", lambda: json.dumps({"title": "Page", "text": "\n\n".join(paragraphs())})),
    ]
    paths = []
    for number in range(FILES):
        suffix, make = makers[number % len(makers)]
        paths.append(folder / f"{number:04}{suffix}")
        paths[-1].write_text(make(), encoding="utf-8")
    return paths


def make_sandbox() -> Sandbox:
    """The sandbox as an ingest makes it by default."""
    settings = Settings().ingestion
    return Sandbox(
        timeout_seconds=settings.timeout_seconds,
        memory_megabytes=settings.memory_megabytes,
        max_file_bytes=settings.max_file_bytes,
        limits=LIMITS,
    )


class InProcess:
    """Reads as the sandbox does, in this process, without any of its walls."""

    process_id = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """There is nothing to end."""

    def kill(self) -> None:
        """There is nothing to kill."""

    @contextmanager
    def open(self, path: Path, *, name: str, fatal_after: tuple[tuple[int, str], ...] = ()) -> Iterator[ParsedSource]:
        """The file at ``path`` as documents."""
        data = path.read_bytes()
        loader = select_loader(name, data)
        digest = hashlib.sha256(data).hexdigest()
        yield ParsedSource(
            sha256=digest,
            loader=loader.name,
            version=loader.version,
            holds_files=False,
            records=map(_examined, loader.load(data, name=name, limits=replace(LIMITS, fatal_after=fatal_after))),
        )


def _examined(record: Document | SourceFailure) -> Document | SourceFailure:
    return examined(record) if isinstance(record, Document) else record


def _reading_seconds(make: Callable[[], Any], paths: list[Path]) -> float:
    with make() as reader:
        started = time.perf_counter()
        for path in paths:
            with reader.open(path, name=path.name) as parsed:
                for _ in parsed:
                    pass
        return time.perf_counter() - started


def _ingest_seconds(make: Callable[[], Any], folder: Path) -> float:
    with tempfile.TemporaryDirectory() as scratch:
        assembly = Assembly(Path(scratch) / "index", settings=Settings(), create=True)
        assembly._make_sandbox = make  # type: ignore[method-assign]
        try:
            assembly.embedder.embed(["ready"])
            started = time.perf_counter()
            report = assembly.ingest_job(lambda _: None).ingest_paths([folder])
            seconds = time.perf_counter() - started
        finally:
            assembly.index.close()
    if report.failures or report.documents.added != FILES:
        raise SystemExit(f"{report.documents} of {FILES} files; {report.failures[:1]}")
    return seconds


def _in_turns(measure: Callable[[Callable[[], Any]], float], rounds: int) -> tuple[float, float]:
    """Median seconds with the sandbox and without, after one unmeasured turn of each."""
    ways: tuple[Callable[[], Any], Callable[[], Any]] = (make_sandbox, InProcess)
    taken = [[measure(make) for make in ways] for _ in range(rounds + 1)][1:]
    within, without = (statistics.median(column) for column in zip(*taken, strict=True))
    return within, without


def measure() -> dict[str, Any]:
    """Milliseconds a file, and the share of an ingest."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        paths = write_files(folder)
        within, without = _in_turns(lambda make: _reading_seconds(make, paths), ROUNDS)
        started = _reading_seconds(make_sandbox, paths[:1])
        ingest_within, ingest_without = _in_turns(lambda make: _ingest_seconds(make, folder), INGEST_ROUNDS)
    return {
        "files": FILES,
        "sandbox_reading": {
            "milliseconds_a_file": round(1000 * within / FILES, 3),
            "in_process_milliseconds_a_file": round(1000 * without / FILES, 3),
            "cost_milliseconds_a_file": round(1000 * (within - without) / FILES, 3),
            "start_milliseconds": round(1000 * started, 1),
        },
        "sandbox_ingest": {
            "seconds": round(ingest_within, 3),
            "in_process_seconds": round(ingest_without, 3),
            "cost_share": round(ingest_within / ingest_without - 1, 4),
        },
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure()) + "\n")
