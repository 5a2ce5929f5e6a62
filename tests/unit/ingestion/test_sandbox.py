import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from rag_engine.errors import EncryptedSourceError, ParserCrashError
from rag_engine.ingestion import Sandbox
from rag_engine.types.document import Document
from rag_engine.types.ingestion import LoadLimits
from tests.documents import encrypted_pdf

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the caps are read from /proc")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(
        timeout_seconds=30, memory_megabytes=512, max_file_bytes=1 << 24, limits=LoadLimits(100_000)
    ) as sandbox:
        yield sandbox


def read(sandbox: Sandbox, path: Path) -> list[object]:
    with sandbox.open(path, name=path.name) as parsed:
        return list(parsed)


def process_of(sandbox: Sandbox) -> int:
    assert sandbox.process_id is not None
    return sandbox.process_id


def test_a_file_becomes_documents_with_digest_loader_and_version(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_bytes(b"# Title\n\nText.")
    with sandbox.open(file, name="docs/a.md") as parsed:
        (document,) = parsed
    assert isinstance(document, Document)
    assert (document.id, document.text, document.title) == ("docs/a.md", "# Title\n\nText.", "Title")
    assert parsed.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (parsed.loader, parsed.version) == ("markdown", 2)


def test_one_process_reads_file_after_file(sandbox: Sandbox, tmp_path: Path) -> None:
    processes = set()
    for number in range(20):
        file = tmp_path / f"{number}.txt"
        file.write_text(f"text {number}")
        assert read(sandbox, file) == [Document(file.name, f"text {number}")]
        processes.add(sandbox.process_id)
    assert len(processes) == 1


def test_a_loaders_error_leaves_the_process_running(sandbox: Sandbox, tmp_path: Path) -> None:
    broken, good = tmp_path / "a.json", tmp_path / "b.txt"
    broken.write_text("{")
    good.write_text("text")
    with pytest.raises(Exception, match=r"a\.json is not JSON"):
        read(sandbox, broken)
    first = process_of(sandbox)
    assert read(sandbox, good)
    assert sandbox.process_id == first


def test_leaving_the_block_early_does_not_disturb_the_next_file(sandbox: Sandbox, tmp_path: Path) -> None:
    many = tmp_path / "many.jsonl"
    many.write_text("".join(f'{{"text": "document {number} {"x" * 100}"}}\n' for number in range(20_000)))
    for _ in range(3):
        with sandbox.open(many, name="many.jsonl") as parsed:
            assert next(iter(parsed)) == Document("many.jsonl#1", f"document 0 {'x' * 100}")
    (tmp_path / "b.txt").write_text("text")
    assert read(sandbox, tmp_path / "b.txt") == [Document("b.txt", "text")]


def test_documents_wait_in_the_parser_until_they_are_asked_for(sandbox: Sandbox, tmp_path: Path) -> None:
    many = tmp_path / "many.jsonl"
    many.write_text("".join(f'{{"text": "document {number}"}}\n' for number in range(50_000)))
    with sandbox.open(many, name="many.jsonl") as parsed:
        records = iter(parsed)
        next(records)
        assert sum(1 for _ in records) == 49_999


def test_a_parser_killed_midway_is_a_crash_and_the_next_file_is_read(sandbox: Sandbox, tmp_path: Path) -> None:
    many = tmp_path / "many.jsonl"
    many.write_text("".join(f'{{"text": "document {number} {"x" * 1000}"}}\n' for number in range(5_000)))
    with sandbox.open(many, name="many.jsonl") as parsed:
        records = iter(parsed)
        next(records)
        os.kill(process_of(sandbox), signal.SIGKILL)
        with pytest.raises(ParserCrashError, match=r"many\.jsonl \(SIGKILL\)"):
            list(records)
    (tmp_path / "b.txt").write_text("text")
    assert read(sandbox, tmp_path / "b.txt") == [Document("b.txt", "text")]


def test_a_parser_killed_between_files_is_started_again(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("text")
    assert read(sandbox, tmp_path / "b.txt")
    process = psutil.Process(process_of(sandbox))
    process.kill()
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert read(sandbox, tmp_path / "b.txt") == [Document("b.txt", "text")]


def test_closing_ends_the_process_and_opening_starts_another(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("text")
    assert read(sandbox, tmp_path / "b.txt")
    first = process_of(sandbox)
    sandbox.close()
    sandbox.close()
    assert sandbox.process_id is None
    assert not psutil.pid_exists(first)
    assert read(sandbox, tmp_path / "b.txt")


def test_an_interrupt_does_not_stop_the_parser(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("text")
    assert read(sandbox, tmp_path / "b.txt")
    first = process_of(sandbox)
    os.kill(first, signal.SIGINT)
    assert read(sandbox, tmp_path / "b.txt")
    assert sandbox.process_id == first


def test_the_working_folder_is_where_relative_paths_begin(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "b.txt").write_text("text")
    read(sandbox, tmp_path / "b.txt")
    monkeypatch.chdir(tmp_path)
    assert read(sandbox, Path("b.txt")) == [Document("b.txt", "text")]


@LINUX
def test_the_process_is_capped_and_sees_no_secrets(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "secret")
    (tmp_path / "b.txt").write_text("text")
    read(sandbox, tmp_path / "b.txt")
    folder = Path("/proc") / str(sandbox.process_id)
    limits = {line[:26].strip(): line[26:].split()[1] for line in (folder / "limits").read_text().split("\n")[1:-1]}
    assert limits["Max file size"] == limits["Max core file size"] == "0"
    assert int(limits["Max open files"]) <= 64
    assert 512 << 20 < int(limits["Max address space"]) < 1024 << 20
    assert b"secret" not in (folder / "environ").read_bytes()


@LINUX
def test_the_process_has_no_network_where_the_kernel_allows_that(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("text")
    read(sandbox, tmp_path / "b.txt")
    theirs, ours = f"/proc/{sandbox.process_id}/ns/net", "/proc/self/ns/net"
    probe = subprocess.run(["unshare", "--net", "true"], stderr=subprocess.DEVNULL)
    if probe.returncode:
        pytest.skip("no network namespaces here")
    assert os.readlink(theirs) != os.readlink(ours)  # noqa: PTH115


@LINUX
def test_the_process_ends_with_its_parent(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("text")
    program = (
        "import sys, time; from pathlib import Path; from rag_engine.ingestion import Sandbox\n"
        "from rag_engine.types.ingestion import LoadLimits\n"
        "sandbox = Sandbox(timeout_seconds=9, memory_megabytes=512, max_file_bytes=999, limits=LoadLimits(999))\n"
        "with sandbox.open(Path(sys.argv[1]), name='b') as parsed: list(parsed)\n"
        "print(sandbox.process_id, flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "b.txt")], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    assert psutil.wait_procs([child], timeout=60)[0] == [child]


def test_the_parser_starts_without_the_heavy_libraries() -> None:
    heavy = (
        "{'torch', 'faiss', 'pydantic', 'opentelemetry', 'numpy', 'sqlite3', 'socket', 'charset_normalizer', 'httpx'}"
    )
    # What the interpreter brings by itself (a measurement of coverage, say) is not the parser's.
    program = (
        "import sys; before = set(sys.modules); import rag_engine.ingestion.sandbox_worker; "
        f"print(sorted({heavy} & (set(sys.modules) - before)))"
    )
    shown = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_passwords_reach_the_loaders_and_appear_in_no_error(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(encrypted_pdf("hidden", "foo"))
    caps = {"timeout_seconds": 30, "memory_megabytes": 512, "max_file_bytes": 1 << 24}
    with Sandbox(**caps, limits=LoadLimits(1000, ("bär", "foo"))) as sandbox:
        (document,) = read(sandbox, tmp_path / "a.pdf")
    assert isinstance(document, Document)
    assert document.text == "hidden"
    with (
        Sandbox(**caps, limits=LoadLimits(1000, ("secret",))) as sandbox,
        pytest.raises(EncryptedSourceError, match="no known password") as caught,
    ):
        read(sandbox, tmp_path / "a.pdf")
    assert "secret" not in f"{caught.value} {caught.value.hint} {LoadLimits(1000, ('secret',))!r}"
