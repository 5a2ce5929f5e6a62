"""The file of an index's last traces: bounded, shared, and never in the way."""

from __future__ import annotations

import errno
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_engine import tracing
from rag_engine.tracing import TraceJournal, read_traces
from rag_engine.tracing.journal import EARLIER_NAME, FILE_NAME
from rag_engine.tracing.trace_record import CHARACTERS_KEPT, parse_trace


def run(journal: TraceJournal, name: str = "ask", **attributes: Any) -> str:
    with tracing.kept_by(journal), tracing.span(name, attributes):
        with tracing.span("part"):
            pass
        return tracing.current_trace_id()


def names(folder: Path) -> list[str]:
    return [record.root.name for record in read_traces(folder)]


def test_a_trace_is_read_as_it_was(tmp_path: Path) -> None:
    identifier = run(TraceJournal(tmp_path, keep=10), **{"rag.results": 3, "gen_ai.response.finish_reasons": ("stop",)})
    (record,) = read_traces(tmp_path)
    assert record.trace == identifier
    assert not record.failed
    assert record.root.attributes == {"rag.results": 3, "gen_ai.response.finish_reasons": ["stop"]}
    (part,) = record.root.children
    assert 0 <= part.start <= part.start + part.seconds <= record.root.seconds + 2e-6
    assert [run.name for run in record.runs()] == ["ask", "part"]


def test_a_failure_deep_within_makes_the_trace_a_failed_one(tmp_path: Path) -> None:
    with tracing.kept_by(TraceJournal(tmp_path, keep=10)), tracing.span("ask"), tracing.span("attempt") as attempt:
        attempt.set_error("rate_limit")
    (record,) = read_traces(tmp_path)
    assert record.failed
    assert record.root.error == ""


@pytest.mark.parametrize("keep", [1, 2, 7])
def test_the_last_ones_are_kept_and_the_file_stays_bounded(tmp_path: Path, keep: int) -> None:
    journal = TraceJournal(tmp_path, keep=keep)
    for number in range(40):
        run(journal, f"ask {number}")
        kept = names(tmp_path)
        assert kept == [f"ask {earlier}" for earlier in range(number + 1)][-len(kept) :]
        assert min(keep, number + 1) <= len(kept) <= 2 * keep
    assert sorted(path.name for path in tmp_path.iterdir()) in ([EARLIER_NAME], [EARLIER_NAME, FILE_NAME])


def test_of_those_kept_as_many_are_read_as_asked_for(tmp_path: Path) -> None:
    journal = TraceJournal(tmp_path, keep=10)
    for number in range(5):
        run(journal, str(number))
    assert [record.root.name for record in read_traces(tmp_path, most=2)] == ["3", "4"]
    assert read_traces(tmp_path, most=0) == []


def test_none_are_kept_where_none_are_wished(tmp_path: Path) -> None:
    assert len(run(TraceJournal(tmp_path, keep=0))) == 32
    assert list(tmp_path.iterdir()) == []
    assert read_traces(tmp_path) == []


@given(st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_a_line_torn_anywhere_costs_that_trace_and_no_other(share: float) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in ("first", "second"):
            run(TraceJournal(folder, keep=10), name)
        whole = (folder / FILE_NAME).read_bytes()
        begins = whole.index(b"\n") + 1
        cut = begins + round(share * (len(whole) - begins))  # times differ in length from run to run
        (folder / FILE_NAME).write_bytes(whole[:cut])
        assert names(folder) == (["first", "second"] if cut >= len(whole) - 1 else ["first"])
        run(TraceJournal(folder, keep=10), "third")
        assert names(folder)[-1] == "third"
        assert names(folder)[0] == "first"


@given(st.binary(max_size=300) | st.text().map(str.encode))
def test_any_line_is_a_trace_or_none_and_never_an_error(line: bytes) -> None:
    parse_trace(line)


_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["trace", "at", "root", "name", "start", "seconds", "children", "alike", "attributes"]),
        inner, max_size=5),
)  # fmt: skip


@given(_json)
def test_any_json_is_a_trace_or_none_and_never_an_error(value: object) -> None:
    parse_trace(json.dumps(value).encode())


def test_json_nested_without_end_is_passed_over() -> None:
    assert parse_trace(b'{"trace":"a","at":1,"root":' + b'{"children":[' * 100_000) is None


def test_what_cannot_stand_in_json_is_written_as_text_and_long_texts_are_cut(tmp_path: Path) -> None:
    run(TraceJournal(tmp_path, keep=5), strange=Path("a\nb"), lone="\ud800", long="x" * 100_000)
    (record,) = read_traces(tmp_path)
    assert record.root.attributes["strange"] == "a\nb"
    assert record.root.attributes["lone"] == "\ud800"
    assert len(record.root.attributes["long"]) == CHARACTERS_KEPT


def test_a_folder_that_cannot_be_written_is_said_once_and_nothing_fails(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = TraceJournal(tmp_path / "vanished", keep=5)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            run(journal)
    (said,) = caplog.records
    assert "traces are not kept" in said.getMessage()
    assert "vanished" in said.getMessage()


def test_a_full_disk_is_said_once_and_what_comes_later_is_kept_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = TraceJournal(tmp_path, keep=5)
    write = os.write

    def half(file: int, line: bytes) -> int:
        return write(file, line[: len(line) // 2])

    def none(file: int, line: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with caplog.at_level(logging.WARNING):
        for full in (half, none):
            monkeypatch.setattr("rag_engine.tracing.journal.os.write", full)
            run(journal, "lost")
        monkeypatch.undo()
        run(journal, "kept")
    assert len(caplog.records) == 1
    assert "no space left" in caplog.records[0].getMessage().lower()
    assert names(tmp_path) == ["kept"]


WRITER = """
import sys
from pathlib import Path
from rag_engine import tracing
journal = tracing.TraceJournal(Path(sys.argv[1]), keep=int(sys.argv[3]))
with tracing.kept_by(journal):
    for number in range(int(sys.argv[4])):
        with tracing.span(f"{sys.argv[2]} {number}"):
            with tracing.span("part"): pass
        if number == 20: print("begun", flush=True)
"""


def writer(folder: Path, name: str, keep: int, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), name, str(keep), str(count)], stdout=subprocess.PIPE, text=True
    )


def test_processes_that_write_at_once_lose_no_trace(tmp_path: Path) -> None:
    writers = [writer(tmp_path, str(number), 10_000, 300) for number in range(3)]
    for process in writers:
        process.communicate(timeout=60)
        assert process.returncode == 0
    found = names(tmp_path)
    assert sorted(found) == sorted(f"{one} {number}" for one in range(3) for number in range(300))
    for one in range(3):
        own = [name for name in found if name.startswith(f"{one} ")]
        assert own == [f"{one} {number}" for number in range(300)]


def test_processes_that_turn_the_file_over_at_once_keep_the_last_ones(tmp_path: Path) -> None:
    writers = [writer(tmp_path, str(number), 20, 500) for number in range(3)]
    for process in writers:
        process.communicate(timeout=60)
        assert process.returncode == 0
    found = names(tmp_path)
    assert len(found) >= 20
    assert len(found) == len(set(found)) <= 60
    assert found[-1].endswith(" 499")


def test_a_kill_amid_writing_leaves_whole_traces(tmp_path: Path) -> None:
    process = writer(tmp_path, "killed", 10_000_000, 10_000_000)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    found = names(tmp_path)
    assert found == [f"killed {number}" for number in range(len(found))]
    assert len(found) >= 20
    run(TraceJournal(tmp_path, keep=10_000_000), "after")
    assert names(tmp_path) == [*found, "after"]
