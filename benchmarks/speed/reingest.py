"""Ingesting 10,000 small files again: unchanged, and with one paragraph of one file edited.

    python -m benchmarks.speed.reingest [--files 10000] [--rounds 3]

Every ingest is the command ``rag ingest`` in a fresh process, timed from outside.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.process_tree import Finished, run_measured
from benchmarks.speed.generated_text import paragraph

FILES_OF_A_FOLDER = 100
# The document whose paragraph is edited is long enough to have many chunks.
LONG_PARAGRAPHS = 40
# Files written a moment ago could change once more within the same instant: an ingest does not trust them yet.
SETTLE_SECONDS = 3.0


def main() -> None:
    """Prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rag-reingest-") as name:
        print(json.dumps(measure(Path(name), files=options.files, rounds=options.rounds)))


def measure(work: Path, *, files: int, rounds: int) -> dict[str, Any]:
    """Seconds of each ingest, process start included, and what it embedded."""
    sources, root = work / "sources", work / "indexes"
    long_file = _write(sources, files)
    time.sleep(SETTLE_SECONDS)
    first, report = _ingest(sources, root)
    if report["documents"]["added"] != files:
        raise SystemExit(f"{report['documents']} instead of {files} documents added")
    unchanged = []
    for _ in range(rounds):
        finished, report = _ingest(sources, root)
        if report["documents"]["unchanged"] != files or report["embedded"]:
            raise SystemExit(f"the unchanged files came to {report['documents']}, {report['embedded']} embedded")
        unchanged.append(finished.seconds)
    paragraphs = long_file.read_text(encoding="utf-8").split("\n\n")
    paragraphs[len(paragraphs) // 2] = paragraph(random.Random("edited"), sentences=4)
    long_file.write_text("\n\n".join(paragraphs), encoding="utf-8")
    edited, report = _ingest(sources, root)
    return {
        "files": files,
        "first_seconds": round(first.seconds, 1),
        "unchanged_seconds": round(statistics.median(unchanged), 2),
        "unchanged_seconds_least": round(min(unchanged), 2),
        "unchanged_seconds_most": round(max(unchanged), 2),
        "edited_seconds": round(edited.seconds, 2),
        "edited_embedded": report["embedded"],
        "edited_documents": report["documents"]["updated"],
    }


def _write(sources: Path, files: int) -> Path:
    generator = random.Random(files)
    for number in range(files - 1):
        folder = sources / f"folder-{number // FILES_OF_A_FOLDER}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"note-{number}.txt").write_text(paragraph(generator, sentences=1), encoding="utf-8")
    long_file = sources / "long.md"
    paragraphs = [paragraph(generator, sentences=4) for _ in range(LONG_PARAGRAPHS)]
    long_file.write_text("\n\n".join(paragraphs), encoding="utf-8")
    return long_file


def _ingest(sources: Path, root: Path) -> tuple[Finished, dict[str, Any]]:
    command = [sys.executable, "-m", "rag_engine.cli", "ingest", str(sources), "--root", str(root), "--json"]
    finished = run_measured(command)
    return finished, json.loads(finished.stdout)


if __name__ == "__main__":
    main()
