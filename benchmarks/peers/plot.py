"""Draws the results as one picture of bars with their spread; run where matplotlib is: plot.py RESULTS PNG."""

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

PANELS = {
    "documents_per_second": "ingest, documents/s (more is better)",
    "dense_p50_milliseconds": "dense search p50, ms",
    "hybrid_p50_milliseconds": "hybrid search p50, ms",
    "cold_seconds": "cold start to first answer, s",
    "peak_megabytes": "peak memory of ingest, MB",
    "disk_megabytes": "on disk, MB",
}


def main(results: Path, picture: Path) -> None:
    """One panel a figure, one bar a contender, a line from the least to the most."""
    rows = json.loads(results.read_text(encoding="utf-8"))["rows"]
    figure, panels = plt.subplots(2, 3, figsize=(16, 9), layout="constrained")
    for panel, (name, title) in zip(panels.flat, PANELS.items(), strict=True):
        shown = [row for row in reversed(rows) if name in row["figures"]]
        spreads = [row["figures"][name] for row in shown]
        labels = [row["title"] if row["peer"] == "rag_engine" else f"{row['title']}, {row['regime']}" for row in shown]
        medians = [spread["median"] for spread in spreads]
        below = [spread["median"] - spread["min"] for spread in spreads]
        above = [spread["max"] - spread["median"] for spread in spreads]
        colours = ["tab:orange" if row["peer"] == "rag_engine" else "tab:blue" for row in shown]
        panel.barh(labels, medians, xerr=[below, above], color=colours, capsize=3)
        panel.bar_label(panel.containers[-1], fmt="%.3g", padding=4, fontsize=8)
        panel.set_title(title)
        panel.margins(x=0.15)
        panel.tick_params(axis="y", labelsize=8)
    figure.savefig(picture, dpi=110)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
