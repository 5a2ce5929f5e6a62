"""Milliseconds to import the package, over bare Python, and to print the help: medians of interleaved runs.

python -m benchmarks.speed.startup
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

RUNS = 15
COMMANDS = {
    "bare": [sys.executable, "-c", "pass"],
    "import": [sys.executable, "-c", "import rag_engine"],
    "help": [sys.executable, "-m", "rag_engine.cli", "--help"],
}


def main() -> None:
    """Prints one JSON object."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(RUNS + 1):
        for name, command in COMMANDS.items():
            started = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            times[name].append((time.perf_counter() - started) * 1000)
    # The first round fills the file system's cache.
    medians = {name: statistics.median(values[1:]) for name, values in times.items()}
    print(
        json.dumps(
            {
                "bare_milliseconds": round(medians["bare"], 1),
                "import_over_bare_milliseconds": round(medians["import"] - medians["bare"], 1),
                "help_milliseconds": round(medians["help"], 1),
            }
        )
    )


if __name__ == "__main__":
    main()
