"""A parser that a hostile file has taken over: it runs what it likes, and still reaches nothing but its parent.

The stand-in loader runs the file as Python within the real sandbox; the document is what the file gives back.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag_engine.errors import IngestionError, ParserCrashError, ParserTimeoutError, ParsingError, SourceTooLargeError
from rag_engine.ingestion import Sandbox
from rag_engine.ingestion import sandbox as sandbox_module
from rag_engine.types.document import Document, SourceFailure
from rag_engine.types.ingestion import LoadLimits

CAPTURED = """
import sys; sys.path.insert(0, sys.argv[1])
import rag_engine.ingestion.sandbox_worker as worker
from rag_engine.types.document import Document

class Captured:
    name, version = "captured", 1
    def load(self, data, *, name, limits):
        space = {"Document": Document, "limits": limits}
        exec(data, space)
        yield from space["documents"] if "documents" in space else [Document(name, repr(space["result"]))]

worker.select_loader = lambda name, data: Captured()
worker.main()
"""


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.setattr(sandbox_module, "_PROGRAM", CAPTURED)
    with Sandbox(
        timeout_seconds=3, memory_megabytes=256, max_file_bytes=1 << 20, limits=LoadLimits(100_000)
    ) as sandbox:
        yield sandbox


def run(sandbox: Sandbox, folder: Path, program: str) -> list[Document | SourceFailure]:
    file = folder / "hostile.txt"
    file.write_text(program)
    with sandbox.open(file, name="hostile.txt") as parsed:
        return list(parsed)


def result(sandbox: Sandbox, folder: Path, program: str) -> str:
    (document,) = run(sandbox, folder, program)
    assert isinstance(document, Document)
    return document.text


ATTEMPT = """
import errno, os
def attempt(work):
    try:
        return f"did it: {work()}"
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    except BaseException as error:
        return type(error).__name__
"""
DENIED = {"'EPERM'", "'EACCES'", "'PermissionError'"}


def needs(sandbox: Sandbox, protection: str) -> None:
    if protection not in sandbox.protections():
        pytest.skip(f"this system does not protect {protection}")


def test_on_linux_with_a_kernel_that_can_everything_is_protected(sandbox: Sandbox) -> None:
    kernel = ctypes.CDLL(None)
    if sys.platform != "linux" or kernel.syscall(444, None, ctypes.c_size_t(0), 1) < 1 or kernel.prctl(21) < 0:
        pytest.skip("no Linux, no Landlock or no seccomp")
    expected = ("memory", "open_files", "file_size", "network", "files", "system_calls")
    assert sandbox.protections() == expected


def test_other_files_cannot_be_read(sandbox: Sandbox, tmp_path: Path) -> None:
    needs(sandbox, "files")
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    places = [secret, Path.home(), Path("/etc/passwd"), Path("/proc/self/environ"), Path(__file__).parents[2] / "docs"]
    for place in places:
        reading = f"os.listdir({str(place)!r})" if place.is_dir() else f"open({str(place)!r}).read()"
        assert result(sandbox, tmp_path, f"{ATTEMPT}\nresult = attempt(lambda: {reading})") in DENIED, place


def test_libraries_can_be_imported_still(sandbox: Sandbox, tmp_path: Path) -> None:
    program = "import selectolax.lexbor, pypdfium2, charset_normalizer, csv, zoneinfo\nresult = 'imported'"
    assert result(sandbox, tmp_path, program) == "'imported'"


def test_threads_can_be_started_still(sandbox: Sandbox, tmp_path: Path) -> None:
    program = "import threading\nseen = []\nt = threading.Thread(target=lambda: seen.append(1))\nt.start(); t.join()\n"
    assert result(sandbox, tmp_path, program + "result = seen") == "[1]"


WRITING = {
    "a new file": "open({there!r}, 'w').write('x')",
    "an old file": "open({old!r}, 'r+').write('x')",
    "appending": "os.open({old!r}, os.O_WRONLY | os.O_APPEND)",
    "emptying": "os.truncate({old!r}, 0)",
    "a folder": "os.mkdir({there!r})",
    "a link": "os.symlink('x', {there!r})",
    "renaming": "os.rename({old!r}, {there!r})",
    "removing": "os.unlink({old!r})",
    "permissions": "os.chmod({old!r}, 0o777)",
    "times": "os.utime({old!r})",
}


@pytest.mark.parametrize("way", WRITING)
def test_nothing_can_be_written(sandbox: Sandbox, tmp_path: Path, way: str) -> None:
    needs(sandbox, "system_calls")
    old = tmp_path / "old.txt"
    old.write_text("kept")
    before = old.stat()
    code = WRITING[way].format(there=str(tmp_path / "new"), old=str(old))
    assert result(sandbox, tmp_path, f"{ATTEMPT}\nresult = attempt(lambda: {code})") in DENIED
    assert (old.read_text(), old.stat().st_mode, old.stat().st_mtime_ns) == (
        "kept",
        before.st_mode,
        before.st_mtime_ns,
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hostile.txt", "old.txt"]


PROCESSES = {
    "a program": "os.execv('/bin/true', ['true'])",
    "a shell": "__import__('subprocess').run(['/bin/true'])",
    "a spawn": "os.posix_spawn('/bin/true', ['true'], {})",
    "a fork": "os.fork()",
    "a signal": "os.kill(os.getppid(), 0)",
}


@pytest.mark.parametrize("way", PROCESSES)
def test_no_process_can_be_started_or_reached(sandbox: Sandbox, tmp_path: Path, way: str) -> None:
    needs(sandbox, "system_calls")
    assert result(sandbox, tmp_path, f"{ATTEMPT}\nresult = attempt(lambda: {PROCESSES[way]})") in DENIED


@pytest.mark.parametrize("number", [101, 310, 321, 250, 272, 425, 298])
def test_no_call_into_the_kernels_workings_is_answered(sandbox: Sandbox, tmp_path: Path, number: int) -> None:
    needs(sandbox, "system_calls")
    if os.uname().machine != "x86_64":
        pytest.skip("the numbers are those of x86-64")
    program = f"import ctypes\nk = ctypes.CDLL(None, use_errno=True)\nresult = k.syscall({number}, 0, 0, 0, 0), "
    assert result(sandbox, tmp_path, program + "ctypes.get_errno()") == "(-1, 1)"


def test_the_network_is_out_of_reach(sandbox: Sandbox, tmp_path: Path) -> None:
    arrived: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(1)

        def wait() -> None:
            try:
                arrived.append(server.accept()[0].recv(9))
            except TimeoutError:
                return

        listening = threading.Thread(target=wait)
        listening.start()
        port = server.getsockname()[1]
        code = f"__import__('socket').create_connection(('127.0.0.1', {port}), 1).sendall(b'x')"
        told = result(sandbox, tmp_path, f"{ATTEMPT}\nresult = attempt(lambda: {code})")
        listening.join()
    assert told in DENIED
    assert arrived == []


def test_a_parser_that_never_ends_is_ended(sandbox: Sandbox, tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(ParserTimeoutError, match="more than 3 s"):
        run(sandbox, tmp_path, "import signal\nfor s in (1, 2, 15): signal.signal(s, signal.SIG_IGN)\nwhile True: pass")
    assert time.monotonic() - started < 10
    assert result(sandbox, tmp_path, "result = 1") == "1"


def test_a_document_that_is_larger_than_allowed_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(SourceTooLargeError, match="too many"):
        run(sandbox, tmp_path, "documents = [Document('a', 'x', metadata={'k': 'y' * (66 << 20)})]")
    assert result(sandbox, tmp_path, "result = 1") == "1"


def test_garbage_on_the_way_to_the_parent_is_no_answer(sandbox: Sandbox, tmp_path: Path) -> None:
    program = "import os\nfor d in range(3, 32):\n    try: os.write(d, b'\\xff' * 64)\n    except OSError: pass\n"
    with pytest.raises(ParserCrashError, match="no message"):
        run(sandbox, tmp_path, program + "result = 1")
    assert result(sandbox, tmp_path, "result = 1") == "1"


def test_a_record_that_cannot_be_handed_on_ends_the_file_and_nothing_of_it_comes_with_the_next(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    with pytest.raises(ParsingError, match="handed on"):
        run(sandbox, tmp_path, "documents = [Document('a', '\\ud800')] + [Document('b', 'later')] * 3")
    assert result(sandbox, tmp_path, "result = 1") == "1"


def test_the_limits_cannot_be_raised(sandbox: Sandbox, tmp_path: Path) -> None:
    needs(sandbox, "system_calls")
    program = "import resource as r\nresult = attempt(lambda: r.setrlimit(r.RLIMIT_NOFILE, (99, 99)))"
    assert result(sandbox, tmp_path, f"{ATTEMPT}\n{program}") == "'ValueError'"  # as Python tells EPERM here


def test_open_files_are_few(sandbox: Sandbox, tmp_path: Path) -> None:
    needs(sandbox, "open_files")
    program = f"{ATTEMPT}\nresult = attempt(lambda: [os.open('/dev/null', os.O_RDONLY) for _ in range(99)])"
    assert result(sandbox, tmp_path, program) == "'EMFILE'"


def test_a_dead_parser_is_told_and_replaced(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(ParserCrashError, match=r"SIGSEGV|SIGBUS"):
        run(sandbox, tmp_path, "import ctypes\nctypes.string_at(0)")
    with pytest.raises(IngestionError):
        run(sandbox, tmp_path, "import os\nos._exit(0)")
    assert result(sandbox, tmp_path, "result = 1") == "1"


def test_what_the_parser_is_given_open_cannot_be_written_through(sandbox: Sandbox, tmp_path: Path) -> None:
    program = f"{ATTEMPT}\nresult = {{attempt(lambda: os.write(d, b'x')) for d in range(9, 32)}}"
    assert result(sandbox, tmp_path, program) == "{'EBADF'}"
