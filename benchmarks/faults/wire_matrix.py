"""The matrix of faults, provider by provider: ``python -m benchmarks.faults.wire_matrix --json``.

Every cell is one fault of one provider's golden answer or stream, over a real socket. Of each it is asked: the whole
right answer or an error of the allowed kinds, with provider, phase and attempts; by the deadline and 50 ms; with no
more calls than allowed; the key in no error, answer or log; no task and no socket left; no usage that cannot be. Exit
status 1 where a cell is not so.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.arguments import names_among
from benchmarks.faults import wire_cells_answers as answers
from benchmarks.faults import wire_cells_network as network
from benchmarks.faults import wire_cells_streams as streams
from benchmarks.faults import wire_cells_tools as tools
from benchmarks.faults.wire_cells import Cell, Chapter
from benchmarks.faults.wire_golden import Golden
from benchmarks.faults.wire_golden_native import anthropic, cohere, google, ollama
from benchmarks.faults.wire_golden_openai import META, OPENAI, azure, mistral
from benchmarks.faults.wire_matrix_call import Call, run_cell

GOLDEN: tuple[Golden, ...] = (OPENAI, azure(), anthropic(), google(), mistral(), cohere(), META, ollama())
CHAPTERS: dict[str, Chapter] = {
    "network": network.network,
    "heads": network.heads,
    "lengths": network.lengths,
    "statuses": answers.statuses,
    "bodies": answers.bodies,
    "waits": answers.waits,
    "ends": streams.ends,
    "paces": streams.paces,
    "forms": streams.forms,
    "events": streams.events,
    "tools": tools.tools,
}


@dataclass
class Tally:
    """What one provider's cells came to."""

    cells: int = 0
    right: int = 0
    latest: float = 0.0
    failures: dict[str, list[str]] = field(default_factory=dict)

    def note(self, chapter: str, cell: Cell, call: Call) -> None:
        """Counts one."""
        self.cells += 1
        self.right += not call.amiss
        self.latest = max(self.latest, call.seconds - cell.deadline)
        if call.amiss:
            self.failures[f"{chapter}/{cell.name}"] = [*call.amiss, f"came: {call.shown}"]


def cells_of(golden: Golden, chapters: Sequence[str] = tuple(CHAPTERS)) -> Iterator[tuple[str, Cell]]:
    """Every cell of a provider, with its chapter."""
    for chapter in chapters:
        for cell in CHAPTERS[chapter](golden):
            yield chapter, cell


async def run_provider(golden: Golden, chapters: Sequence[str], cells: Sequence[str]) -> Tally:
    """One cell after another."""
    tally = Tally()
    for chapter, cell in cells_of(golden, chapters):
        if cells and cell.name not in cells:
            continue
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always", ResourceWarning)
            call = await run_cell(golden, cell)
            gc.collect()
        call.amiss += [f"warned: {warning.message}" for warning in warned if warning.category is ResourceWarning]
        tally.note(chapter, cell, call)
        if call.amiss:
            print(f"{golden.provider} {chapter}/{cell.name}: {'; '.join(call.amiss)}", file=sys.stderr, flush=True)
    return tally


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs everything and prints the counts; 1 where any cell is not as it must be."""
    options = _parser().parse_args(arguments)
    started = time.monotonic()
    tallies: dict[str, Tally] = {}
    for golden in GOLDEN:
        if options.providers and golden.provider not in options.providers:
            continue
        tally = asyncio.run(run_provider(golden, options.chapters, options.cells))
        tallies[golden.provider] = tally
        print(f"{golden.provider}: {tally.right} of {tally.cells}", file=sys.stderr, flush=True)
    report = _report(tallies, time.monotonic() - started)
    if options.json:
        print(json.dumps(report))
    else:
        print("\n".join(f"{name}: {tally.right} of {tally.cells}" for name, tally in tallies.items()))
        print(f"together: {report['right']} of {report['cells']}, {report['seconds']} s")
    return int(report["right"] < report["cells"])


def _report(tallies: dict[str, Tally], seconds: float) -> dict[str, Any]:
    """``share`` is that of the cells that are right, ``fewest`` the cells of the provider with the fewest, ``latest``
    the longest time behind a deadline, in seconds; negative where every call ended before."""
    cells = sum(tally.cells for tally in tallies.values())
    right = sum(tally.right for tally in tallies.values())
    return {
        "cells": cells,
        "right": right,
        "share": right / cells if cells else 0.0,
        "fewest": min((tally.cells for tally in tallies.values()), default=0),
        "latest": round(max((tally.latest for tally in tallies.values()), default=0.0), 3),
        "providers": {name: {"cells": tally.cells, "right": tally.right} for name, tally in tallies.items()},
        "failures": {name: tally.failures for name, tally in tallies.items() if tally.failures},
        "seconds": round(seconds, 1),
    }


def _parser() -> argparse.ArgumentParser:
    providers = names_among([golden.provider for golden in GOLDEN])
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults.wire_matrix", description=__doc__)
    parser.add_argument("--providers", type=providers, default=[], help="these only, with commas between")
    parser.add_argument("--chapters", type=names_among(list(CHAPTERS)), default=list(CHAPTERS), help="these only")
    parser.add_argument("--cells", type=lambda text: text.split(","), default=[], help="these only")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
