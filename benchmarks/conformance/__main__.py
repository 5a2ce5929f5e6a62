"""Live exchanges with servers that nobody here wrote: ``python -m benchmarks.conformance --json``.

Installs every server, pinned, in an environment of its own, starts it on loopback, asks it with our clients for all
that it offers, and prints a table of features by providers. Exit status 1 where something fails that a server offers,
2 where a server could not be run.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.conformance.features import Surface
from benchmarks.conformance.servers import aimock, litellm_proxy, llama_cpp, llama_server
from benchmarks.conformance.servers.process import ServerError
from benchmarks.conformance.table import Cell, Mark, cells_of, exit_status, to_json, to_markdown
from benchmarks.runner import REPOSITORY

WORK = REPOSITORY / "benchmarks" / "results" / "conformance"


@dataclass(frozen=True)
class Server:
    """How a server is installed below a folder, and run from there."""

    version: str
    install: Callable[[Path], None]
    serving: Callable[[Path], AbstractContextManager[Sequence[Surface]]]


SERVERS: Mapping[str, Server] = {
    "aimock": Server(aimock.VERSION, aimock.install, aimock.serving),
    "litellm": Server(litellm_proxy.VERSION, litellm_proxy.install, litellm_proxy.serving),
    "llama_cpp": Server(llama_cpp.VERSION, llama_cpp.install, llama_cpp.serving),
    "llama_server": Server(llama_server.VERSION, llama_server.install, llama_server.serving),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs everything and prints the tables, on stderr where one JSON object is asked for."""
    options = _parser().parse_args(arguments)
    work = options.work.resolve()
    cells: list[Cell] = []
    not_run: dict[str, str] = {}
    for name in options.servers:
        server = SERVERS[name]
        title = f"{name} {server.version}"
        try:
            server.install(work)
            with server.serving(work) as surfaces:
                for surface in surfaces:
                    cells += _asked(title, surface)
        except ServerError as error:
            not_run[name] = str(error)
            print(f"{name} was not run: {error}", file=sys.stderr)
    print(to_markdown(cells), file=sys.stderr if options.json else sys.stdout)
    if options.json:
        print(json.dumps({"servers": to_json(cells), "not_run": not_run}, ensure_ascii=False))
    return exit_status(cells, not_run)


def _asked(title: str, surface: Surface) -> list[Cell]:
    cells = []
    for cell in cells_of(title, surface):
        cells.append(cell)
        if cell.mark is not Mark.NOT_OFFERED:
            print(f"{title} {cell.surface}, {cell.feature.value}: {cell.mark.value} {cell.why}", file=sys.stderr)
    return cells


def _parser() -> argparse.ArgumentParser:
    def servers(text: str) -> list[str]:
        for name in text.split(","):
            if name not in SERVERS:
                raise argparse.ArgumentTypeError(f"no {name}; known are {', '.join(SERVERS)}")
        return text.split(",")

    parser = argparse.ArgumentParser(prog="python -m benchmarks.conformance", description=__doc__)
    parser.add_argument("--servers", type=servers, default=list(SERVERS), help="names with commas between")
    parser.add_argument("--work", type=Path, default=WORK, help="folder of the servers' environments")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
