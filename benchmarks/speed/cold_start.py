"""From the start of a process to the end of its first answer, and what it imported on the way.

    python -m benchmarks.speed.cold_start [--index FOLDER] [--runs 15]

Without ``--index`` the project's own handbook is ingested first. Runs are interleaved.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.runner import REPOSITORY

QUESTION = "What does renaming a file do to its embeddings?"
COMMANDS = {
    "search": ["search", QUESTION],
    "lexical": ["search", QUESTION, "--mode", "lexical"],
    "ask": ["ask", QUESTION],
}
HEAVY = (
    "torch", "sentence_transformers", "transformers", "scipy", "sklearn", "pandas", "onnxruntime", "openvino",
    "faiss", "tantivy", "numpy", "pydantic", "sqlite3", "typer", "rich", "tokenizers", "tiktoken", "httpx",
    "opentelemetry", "ir_measures", "asyncio",
)  # fmt: skip
# What must not be loaded by a search of an index whose model is compiled.
NEVER = ("torch", "sentence_transformers", "transformers", "scipy", "sklearn", "pandas", "ir_measures")
SLOWEST = 15
_IMPORT = re.compile(r"^import time:\s+(\d+) \|\s+(\d+) \|\s+(\S+)$", re.MULTILINE)


def main() -> None:
    """Prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, help="folder of an existing index")
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rag-cold-") as scratch:
        index = options.index or Path(scratch) / "handbook"
        places = ["--root", str(index.resolve().parent), "--index", index.name]
        if options.index is None:
            _run([*_program(), "ingest", "docs", "README.md", *places])
        print(json.dumps(measure(places, runs=options.runs)))


def measure(places: list[str], *, runs: int) -> dict[str, Any]:
    """For each command the seconds of its runs, and its heavy imports."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(runs + 1):
        for name, command in COMMANDS.items():
            started = time.perf_counter()
            _run([*_program(), *command, *places])
            times[name].append(time.perf_counter() - started)
    figures: dict[str, Any] = {}
    for name, taken in times.items():
        counted = taken[1:]  # the first round fills the file system's cache
        figures[name] = {
            "median_seconds": round(statistics.median(counted), 3),
            "least_seconds": round(min(counted), 3),
            "most_seconds": round(max(counted), 3),
        } | _imports([*COMMANDS[name], *places])
    never = {module for name in COMMANDS for module in NEVER if module in figures[name]["heavy_modules"]}
    return figures | {"needless_modules": len(never), "needless": sorted(never)}


def _imports(command: list[str]) -> dict[str, Any]:
    """Which heavy modules a command imported, and the slowest in milliseconds, without what they import themselves."""
    done = _run([sys.executable, "-X", "importtime", "-m", "rag_engine.cli", *command])
    found = [(int(own), int(all_in_all), name) for own, all_in_all, name in _IMPORT.findall(done.stderr)]
    names = {name for _, _, name in found}
    slowest = sorted(found, reverse=True)[:SLOWEST]
    return {
        "modules": len(names),
        "import_milliseconds": round(sum(own for own, _, _ in found) / 1000, 1),
        "heavy_modules": [module for module in HEAVY if module in names],
        "slowest_imports": {name: round(own / 1000, 1) for own, _, name in slowest},
    }


def _program() -> list[str]:
    command = Path(sys.executable).with_name("rag")
    return [str(command)] if command.exists() else [sys.executable, "-m", "rag_engine.cli"]


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=True, cwd=REPOSITORY, capture_output=True, text=True)


if __name__ == "__main__":
    main()
