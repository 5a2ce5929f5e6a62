"""Ingests one corpus into a fresh index in a process of its own: wall time by stage, and peak memory.

python -m benchmarks.speed.ingest CORPUS
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
from pathlib import Path

# What the stages of an ingest are reported as; "index" is the caches catching up and being saved.
STAGES = ("hash", "parse", "chunk", "embed", "commit", "index")


def main() -> None:
    """Prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    corpus = parser.parse_args().corpus.resolve()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "rag_engine.cli", "ingest", str(corpus), "--root", folder, "--json"]
        with (Path(folder) / "out").open("w+b") as out:
            process = os.posix_spawn(
                sys.executable, command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1)]
            )
            _, status, usage = os.wait4(process, 0)
            out.seek(0)
            report = json.loads(out.read() or b"{}")
        if os.waitstatus_to_exitcode(status) != 0:
            raise SystemExit("the ingest failed")
        on_disk = sum(file.stat().st_size for file in (Path(folder) / "default").rglob("*") if file.is_file())
    print(
        json.dumps(
            {
                "documents": report["documents"]["added"],
                "chunks": report["chunks"]["total"],
                "seconds": round(report["seconds"], 1),
                "documents_per_second": round(report["documents"]["added"] / report["seconds"], 1),
                "peak_megabytes": round(_bytes(usage) / 1e6),
                "disk_megabytes": round(on_disk / 1e6, 1),
                "stages": {stage: round(report["stages"].get(stage, 0.0), 2) for stage in STAGES},
                "commit": report["commit"],
            }
        )
    )


def _bytes(usage: resource.struct_rusage) -> int:
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
