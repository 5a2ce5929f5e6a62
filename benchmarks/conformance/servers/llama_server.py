"""llama.cpp's own server, compiled from the sources that llama-cpp-python brings, with the same tiny random model."""

from __future__ import annotations

import contextlib
import os
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.conformance.features import NotOffered, Surface
from benchmarks.conformance.servers import llama_cpp
from benchmarks.conformance.servers.llama_surfaces import asked
from benchmarks.conformance.servers.process import ServerError, ServerProcess, free_port, run

VERSION = f"of llama-cpp-python {llama_cpp.VERSION}"
PACKAGE = f"llama-cpp-python=={llama_cpp.VERSION}"
BUILD_SECONDS = 3600.0
START_SECONDS = 60.0
_TOOLS = NotOffered("it holds no model to a tool whose template knows none, and a random one never begins a call")
# Quick to compile, with nothing fetched: no page for browsers, no TLS.
OPTIONS = {
    "CMAKE_BUILD_TYPE": "Debug",
    "CMAKE_C_FLAGS_DEBUG": "-O1",
    "CMAKE_CXX_FLAGS_DEBUG": "-O0",
    "GGML_NATIVE": "OFF",
    "GGML_OPENMP": "OFF",
    "LLAMA_USE_PREBUILT_UI": "OFF",
    "LLAMA_OPENSSL": "OFF",
    "LLAMA_BUILD_TESTS": "OFF",
    "LLAMA_BUILD_EXAMPLES": "OFF",
    "LLAMA_BUILD_APP": "OFF",
    "BUILD_SHARED_LIBS": "OFF",
}


def program(work: Path) -> Path:
    """The compiled server."""
    return work / "llama_server" / llama_cpp.VERSION / "llama-server"


def install(work: Path) -> None:
    """Compiles it, where it is not there.

    Raises:
        ServerError: there is no cmake or compiler, or one of them failed.
    """
    llama_cpp.install(work)
    done = program(work)
    if done.is_file():
        return
    if shutil.which("cmake") is None:
        raise ServerError("there is no cmake")
    folder = done.parent
    source, build = folder / "source", folder / "build"
    folder.mkdir(parents=True, exist_ok=True)
    fetch = [str(llama_cpp.python(work)), "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary"]
    run([*fetch, "llama-cpp-python", "--dest", str(folder), PACKAGE], seconds=600.0)
    archive = next(folder.glob("*.tar.gz"), None)
    if archive is None:
        raise ServerError(f"pip brought no sources of {PACKAGE}")
    with tarfile.open(archive) as opened:
        opened.extractall(source, filter="data")
    tree = next(source.glob("*/vendor/llama.cpp"))
    defined = [f"-D{name}={value}" for name, value in OPTIONS.items()]
    run(["cmake", "-S", str(tree), "-B", str(build), *defined], seconds=600.0)
    jobs = str(os.cpu_count() or 1)
    run(["cmake", "--build", str(build), "--target", "llama-server", "--parallel", jobs], seconds=BUILD_SECONDS)
    shutil.copy2(build / "bin" / "llama-server", done)
    shutil.rmtree(build)
    shutil.rmtree(source)


@contextlib.contextmanager
def serving(work: Path) -> Iterator[Sequence[Surface]]:
    """The surfaces of a server that runs while this is entered.

    Raises:
        ServerError: it did not start.
    """
    port = free_port()
    command = [str(program(work)), "--model", str(llama_cpp.model_file(work)), "--alias", "tiny"]
    command += ["--jinja", "--no-webui", "--no-warmup", "--threads", "1", "--parallel", "1"]
    process = ServerProcess(
        [*command, "--host", "127.0.0.1", "--port", str(port), "--ctx-size", "512", "--api-key", llama_cpp.KEY],
        port=port,
        ready_path="/health",
        log=work / "llama_server" / "server.log",
        start_seconds=START_SECONDS,
    )
    with process:
        questions = asked(tool_choice=_TOOLS, schema=None, stream_usage=None)
        yield [
            Surface(provider, provider, "tiny", process.url + "/v1", questions) for provider in ("llama_cpp", "local")
        ]
