"""Ingests the project's own handbook and README and scores benchmarks/gold/handbook on them.

python -m benchmarks.quality.handbook
"""

from __future__ import annotations

import subprocess
import sys

COMMANDS = (
    ("ingest", "docs", "README.md", "--index", "handbook", "--json"),
    ("eval", "benchmarks/gold/handbook", "--index", "handbook", "--json"),
)


def main() -> None:
    """Prints what the last command prints."""
    for command in COMMANDS:
        result = subprocess.run(
            [sys.executable, "-m", "rag_engine.cli", *command], check=True, stdout=subprocess.PIPE, text=True
        )
    print(result.stdout)


if __name__ == "__main__":
    main()
