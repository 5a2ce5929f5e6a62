"""Runs a command and watches the memory of its whole process tree, read from /proc."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SAMPLE_SECONDS = 0.05
# Reading proportional memory costs milliseconds in which the process cannot map any: it is read only where the
# resident sum, which is cheap, has grown by this much since. The peak is that much too low at the worst.
GROWTH = 1.005
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class CommandError(Exception):
    """The command failed; the message is its last line on stderr."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that ended well.

    ``peak_bytes`` is the highest sum over its process tree of proportional set sizes: pages that several processes
    share count once. ``peak_anonymous_bytes`` is the same without the pages of files, which the kernel takes back
    when it needs them.
    """

    seconds: float
    peak_bytes: int
    peak_anonymous_bytes: int
    stdout: str


@dataclass(frozen=True, slots=True)
class Memory:
    """Proportional set size of one process, in bytes: its own data, and the pages of mapped files."""

    anonymous: int
    file_backed: int

    @property
    def total(self) -> int:
        """Both."""
        return self.anonymous + self.file_backed


def run_measured(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    timeout: float = 3600.0,
) -> Finished:
    """Runs ``command`` to its end.

    Raises:
        CommandError: its exit status is not 0, or it ran over ``timeout`` seconds.
    """
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
        watch = _Watch(process.pid)
        try:
            process.wait(timeout=timeout)
            seconds = time.perf_counter() - started
        except subprocess.TimeoutExpired as error:
            raise CommandError(f"ran over its {timeout:g} seconds") from error
        finally:
            watch.stop()
            with contextlib.suppress(ProcessLookupError):  # what it left behind, and itself where it ran over its time
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        stdout.seek(0)
        stderr.seek(0)
        if process.returncode != 0:
            last = next((line for line in reversed(stderr.read().splitlines()) if line.strip()), "nothing on stderr")
            raise CommandError(f"exit status {process.returncode}: {last.strip()}")
        # What is shared is looked at only when memory has grown, which a short run may end before.
        return Finished(seconds, max(watch.peak, watch.peak_anonymous), watch.peak_anonymous, stdout.read())


def memory_of(pid: int) -> Memory:
    """What a process holds now.

    Raises:
        OSError: there is no such process.
    """
    fields = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, _, value = line.partition(":")
        fields[name] = int(value.split()[0]) * 1024
    return Memory(anonymous=fields["Pss_Anon"], file_backed=fields["Pss"] - fields["Pss_Anon"])


def process_tree(pid: int) -> Iterator[int]:
    """The process and all its descendants that are there now."""
    yield pid
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - every 50 ms
            with contextlib.suppress(OSError):
                for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split():
                    yield from process_tree(int(child))


class _Watch:
    """A thread that looks at a process tree every SAMPLE_SECONDS."""

    def __init__(self, pid: int) -> None:
        self.peak = self.peak_anonymous = 0
        self._pid = pid
        self._highest_resident = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the watch."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            tree = list(process_tree(self._pid))
            sizes = [_resident(pid) for pid in tree]
            resident = sum(size for size, _ in sizes)
            self.peak_anonymous = max(self.peak_anonymous, sum(anonymous for _, anonymous in sizes))
            if resident > self._highest_resident * GROWTH:
                self._highest_resident = resident
                self.peak = max(self.peak, sum(map(_proportional, tree)))


def _resident(pid: int) -> tuple[int, int]:
    """Bytes in memory, and those of them that belong to no file."""
    try:
        _, resident, file_backed, *_ = map(int, Path(f"/proc/{pid}/statm").read_text().split())
    except (OSError, ValueError):  # it ended meanwhile
        return 0, 0
    return resident * PAGE_BYTES, (resident - file_backed) * PAGE_BYTES


def _proportional(pid: int) -> int:
    try:
        return memory_of(pid).total
    except (OSError, KeyError):
        return 0
