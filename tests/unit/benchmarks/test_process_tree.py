"""Memory of real process trees: small Python programs that hold what they are told to."""

import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from benchmarks.process_tree import CommandError, process_tree, run_measured

# What the tests' programs hold, each of them.
HELD = 60_000_000


def program(text: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(text)]


def test_the_peak_is_what_a_process_held_and_not_what_it_holds_at_its_end() -> None:
    held = program(f"import time; held = b'x' * {HELD}; time.sleep(0.3); del held; time.sleep(0.1); print('done')")

    finished = run_measured(held)

    assert finished.stdout == "done\n"
    assert finished.peak_bytes > HELD
    assert HELD < finished.peak_anonymous_bytes <= finished.peak_bytes * 1.1
    assert finished.seconds >= 0.4


def test_children_count() -> None:
    child = f"import time; held = b'x' * {HELD}; time.sleep(0.5)"
    parent = program(
        f"""
        import subprocess, sys
        children = [subprocess.Popen([sys.executable, "-c", {child!r}]) for _ in range(2)]
        [process.wait() for process in children]
        """
    )

    assert run_measured(parent).peak_bytes > 2 * HELD


def test_pages_of_a_file_are_not_anonymous(tmp_path: Path) -> None:
    file = tmp_path / "mapped"
    file.write_bytes(b"x" * HELD)
    mapped = program(
        f"""
        import mmap, time
        with open({str(file)!r}, "rb") as file:
            held = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            sum(held[start] for start in range(0, len(held), 4096))
            time.sleep(0.3)
        """
    )

    finished = run_measured(mapped)

    assert finished.peak_bytes - finished.peak_anonymous_bytes > HELD


def test_a_command_that_fails_says_its_last_line() -> None:
    with pytest.raises(CommandError, match="exit status 1: ValueError: the store is gone"):
        run_measured(program("raise ValueError('the store is gone')"))


def test_a_command_over_its_time_is_ended_with_its_children(tmp_path: Path) -> None:
    note = tmp_path / "child"
    parent = program(
        f"""
        import pathlib, subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        pathlib.Path({str(note)!r}).write_text(str(child.pid))
        time.sleep(60)
        """
    )

    with pytest.raises(CommandError, match="ran over its 2 seconds"):
        run_measured(parent, timeout=2)

    child = Path(f"/proc/{note.read_text()}/stat")
    deadline = time.monotonic() + 10
    while child.exists() and child.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline, "the child outlived its parent"
        time.sleep(0.01)


def test_the_tree_of_a_process_that_is_gone_is_itself_alone() -> None:
    with subprocess.Popen([sys.executable, "-c", "pass"]) as process:
        process.wait()

    assert list(process_tree(process.pid)) == [process.pid]
