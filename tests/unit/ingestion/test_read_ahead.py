"""Several sandboxes read ahead; what comes out is what one would give, file by file."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from rag_engine.errors import IngestionError, ParserCrashError
from rag_engine.ingestion import ReadAhead, Sandbox, SourceReading
from rag_engine.ingestion import read_ahead as module
from rag_engine.types.document import Document
from rag_engine.types.ingestion import LoadLimits


def make_sandbox() -> Sandbox:
    return Sandbox(timeout_seconds=30, memory_megabytes=512, max_file_bytes=1 << 28, limits=LoadLimits(10**7))


@pytest.fixture
def ahead() -> Iterator[ReadAhead]:
    with ReadAhead(make_sandbox=make_sandbox, workers=3) as ahead:
        yield ahead


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], tuple[str, str, int]]:
    """Writes a file; returns what ``ReadAhead.read`` is asked for."""

    def write(name: str, text: str) -> tuple[str, str, int]:
        (tmp_path / name).write_text(text)
        return str(tmp_path / name), name, len(text)

    return write


Write = Callable[[str, str], tuple[str, str, int]]


def lines(count: int, *, name: str = "", size: int = 10) -> str:
    return "".join(f'{{"_id": "{name}{number}", "text": "{number} {"x" * size}"}}\n' for number in range(count))


def ids(reading: SourceReading) -> list[str]:
    return [record.id for record in reading if isinstance(record, Document)]


def test_files_and_records_come_in_their_order(ahead: ReadAhead, write: Write) -> None:
    files = [write("first.jsonl", lines(3000))]
    files += [write(f"{number}.txt", f"text {number}") for number in range(400)]
    files += [write("last.jsonl", lines(10, name="last"))]
    found = [(reading.name, ids(reading)) for reading in ahead.read(files)]
    assert [name for name, _ in found] == [name for _, name, _ in files]
    assert found[0][1] == [str(number) for number in range(3000)]
    assert found[1][1] == ["0.txt"]
    assert found[-1][1] == [f"last{number}" for number in range(10)]
    assert len(ahead.process_ids) > 1


def test_a_reading_says_with_what_it_was_read(ahead: ReadAhead, write: Write) -> None:
    (reading,) = [reading for reading in ahead.read([write("a.md", "# Title\n\nText.")]) if ids(reading)]
    assert (reading.loader, reading.version, len(reading.sha256)) == ("markdown", 2, 64)


def test_a_few_small_files_start_one_sandbox(ahead: ReadAhead, write: Write) -> None:
    for reading in ahead.read([write(f"{number}.txt", "text") for number in range(20)]):
        list(reading)
    assert len(ahead.process_ids) == 1


def test_a_file_that_fails_fails_in_its_turn(ahead: ReadAhead, write: Write) -> None:
    files = [write("a.txt", "one"), write("b.json", "{"), write("c.txt", "three")]
    outcomes = []
    for reading in ahead.read(files):
        try:
            outcomes.append(ids(reading))
        except IngestionError as error:
            outcomes.append([error.code])
    assert outcomes == [["a.txt"], ["parsing"], ["c.txt"]]


def test_what_is_left_of_a_file_is_dropped_when_the_next_is_asked_for(ahead: ReadAhead, write: Write) -> None:
    files = [write("long.jsonl", lines(50_000)), write("b.txt", "two")]
    for reading in ahead.read(files):
        first = next(iter(reading))
        assert isinstance(first, Document)
    assert first.id == "b.txt"
    assert [ids(reading) for reading in ahead.read(files[1:])] == [["b.txt"]]


def test_a_reading_whose_time_is_over_never_looks_like_an_empty_file(ahead: ReadAhead, write: Write) -> None:
    first, _ = ahead.read([write("a.txt", "one"), write("b.txt", "two")])
    with pytest.raises(RuntimeError):
        ids(first)


def test_no_more_waits_than_is_allowed(ahead: ReadAhead, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AHEAD_CHARACTERS", 100_000)
    files = [write(f"{number}.jsonl", lines(300, name=f"{number}-", size=3000)) for number in range(8)]
    seen = []
    for reading in ahead.read(files):
        for _ in reading:
            with ahead._changed:
                seen.append(ahead._shared.characters)
    assert len(seen) == 8 * 300
    # For the file at hand and for all others, and one record for each sandbox.
    assert max(seen) <= 2 * 100_000 + 4 * 5000
    assert ahead._shared.characters == 0


def test_a_sandbox_that_is_killed_is_replaced_and_no_record_is_lost_or_doubled(ahead: ReadAhead, write: Write) -> None:
    files = [write("long.jsonl", lines(20_000, size=300)), write("b.txt", "two")]
    found = []
    for reading in ahead.read(files):
        for record in reading:
            assert isinstance(record, Document)
            found.append(record.id)
            if len(found) == 50:
                for process in ahead.process_ids:
                    os.kill(process, signal.SIGKILL)
    assert found == [*(str(number) for number in range(20_000)), "b.txt"]


def test_a_file_whose_second_sandbox_dies_too_is_at_fault(ahead: ReadAhead, write: Write) -> None:
    files = [write("long.jsonl", lines(20_000, size=300)), write("b.txt", "two")]
    readings = ahead.read(files)
    killed: set[int] = set()
    records = iter(next(readings))

    def read_and_kill() -> None:
        for _ in records:
            for process in set(ahead.process_ids) - killed:
                os.kill(process, signal.SIGKILL)
                killed.add(process)

    with pytest.raises(ParserCrashError):
        read_and_kill()
    assert ids(next(readings)) == ["b.txt"]


def test_leaving_in_the_middle_ends_every_process(write: Write) -> None:
    files = [write(f"{number}.jsonl", lines(20_000, size=300)) for number in range(4)]
    with ReadAhead(make_sandbox=make_sandbox, workers=3) as ahead:
        readings = ahead.read(files)
        next(iter(next(readings)))
        while len(processes := ahead.process_ids) < 2:
            time.sleep(0.01)
    assert not any(psutil.pid_exists(process) for process in processes)
