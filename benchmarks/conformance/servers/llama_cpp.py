"""llama.cpp behind the server of llama-cpp-python, with a tiny random model that is written on the spot."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.conformance.features import NotOffered, Surface
from benchmarks.conformance.servers.llama_surfaces import TOOL, asked
from benchmarks.conformance.servers.process import ServerError, ServerProcess, free_port, run
from benchmarks.peers.environments import Environments, PeerEnvironmentError

VERSION = "0.3.36"
REQUIREMENTS = Path(__file__).parent / "llama_cpp.txt"
WRITER = Path(__file__).parent / "tiny_model.py"
KEY = "conformance-key"
WINDOW = 512
START_SECONDS = 60.0
_NO_SCHEMA = NotOffered("it takes a schema only with the type json_object, not OpenAI's json_schema")
_NO_USAGE = NotOffered("it counts no streams")
_NAMED = NotOffered("it forces a tool by its name only, which llama.cpp's own server does not take")


def install(work: Path) -> None:
    """Makes its environment, where there is none: llama.cpp is compiled, which takes about ten minutes on two cores.

    Raises:
        ServerError: pip, cmake or the compiler failed.
    """
    python(work)


def python(work: Path) -> Path:
    """The interpreter of the environment with llama.cpp and gguf in it.

    Raises:
        ServerError: it could not be made.
    """
    try:
        return Environments(work / "environments").made("llama_cpp", REQUIREMENTS)
    except PeerEnvironmentError as error:
        raise ServerError(str(error)) from error


def model_file(work: Path) -> Path:
    """The tiny model, written anew.

    Raises:
        ServerError: it could not be written.
    """
    file = work / "llama_cpp" / "tiny.gguf"
    file.parent.mkdir(parents=True, exist_ok=True)
    run([str(python(work)), str(WRITER), str(file)], seconds=60.0)
    return file


@contextlib.contextmanager
def serving(work: Path) -> Iterator[Sequence[Surface]]:
    """The surfaces of a server that runs while this is entered.

    Raises:
        ServerError: it did not start.
    """
    port = free_port()
    command = [str(python(work)), "-m", "llama_cpp.server", "--model", str(model_file(work)), "--model_alias", "tiny"]
    process = ServerProcess(
        [*command, "--host", "127.0.0.1", "--port", str(port), "--n_ctx", str(WINDOW), "--api_key", KEY],
        port=port,
        ready_path="/v1/models",
        log=work / "llama_cpp" / "server.log",
        start_seconds=START_SECONDS,
    )
    with process:
        url = process.url + "/v1"
        yield [
            Surface(
                "llama_cpp",
                "llama_cpp",
                "tiny",
                url,
                asked(tool_choice=_NAMED, schema=_NO_SCHEMA, stream_usage=_NO_USAGE),
            ),
            Surface(
                "local", "local", "tiny", url, asked(tool_choice=TOOL.name, schema=_NO_SCHEMA, stream_usage=_NO_USAGE)
            ),
        ]
