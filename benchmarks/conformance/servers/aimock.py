"""aimock, CopilotKit's fake of many providers on one port, with fixtures and chaos."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.conformance.features import Surface
from benchmarks.conformance.servers.aimock_surfaces import fixtures, surfaces
from benchmarks.conformance.servers.process import ServerError, ServerProcess, free_port, run

PACKAGE = "@copilotkit/aimock"
VERSION = "1.43.0"
KEY = "conformance-key"
INSTALL_SECONDS = 300.0
START_SECONDS = 30.0
# Characters a piece of a stream: odd, so that pairs of code units are cut.
CHUNK_CHARACTERS = 7


def program(work: Path) -> Path:
    """Where its server lies once it is installed."""
    return work / "aimock" / "node_modules" / PACKAGE / "dist" / "cli.js"


def installed(work: Path) -> bool:
    """Whether the pinned version lies there, with a node to run it."""
    about = program(work).parents[1] / "package.json"
    return (
        shutil.which("node") is not None
        and about.is_file()
        and json.loads(about.read_text(encoding="utf-8"))["version"] == VERSION
    )


def install(work: Path) -> None:
    """Puts the pinned version there, where it is not.

    Raises:
        ServerError: there is no node, or npm failed.
    """
    if installed(work):
        return
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise ServerError(f"there is no {tool}")
    folder = work / "aimock"
    folder.mkdir(parents=True, exist_ok=True)
    # Without a package.json of its own npm would look for one in the folders above.
    (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--save-exact", f"{PACKAGE}@{VERSION}"]
    run(command, seconds=INSTALL_SECONDS, folder=folder)
    if not installed(work):
        raise ServerError(f"npm did not install {PACKAGE} {VERSION}")


@contextlib.contextmanager
def serving(work: Path) -> Iterator[Sequence[Surface]]:
    """The surfaces of a server that runs while this is entered.

    Raises:
        ServerError: it did not start.
    """
    file = work / "aimock" / "fixtures.json"
    file.write_text(json.dumps({"fixtures": fixtures()}, ensure_ascii=False, indent=1), encoding="utf-8")
    port = free_port()
    command = ["node", str(program(work)), "--port", str(port), "--fixtures", str(file), "--validate-on-load"]
    process = ServerProcess(
        [*command, "--strict", "--chunk-size", str(CHUNK_CHARACTERS), "--log-level", "info"],
        port=port,
        ready_path="/ready",
        log=work / "aimock" / "server.log",
        start_seconds=START_SECONDS,
        environment={"AIMOCK_API_KEYS": KEY, "AIMOCK_STRICT_TURN_INDEX": "1"},
    )
    with process:
        yield surfaces(process.url)
