"""What our side of a language model's call costs over raw httpx, beside LiteLLM and OpenAI's SDK: time a call and a
chunk, processor, memory, and imports, against one server on the same machine.

``python -m benchmarks.speed.llm_overhead --json``. The contenders take turns batch by batch, each in a process of its
own with raw httpx beside it, so that what is told as added is added within one process; work that a library does
behind its answers (a ledger's writes, a log's) counts as its processor time. The bare socket shows that the server is
not what is waited for.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.peers.environments import Environments
from benchmarks.speed.llm_contenders import (
    BASELINE,
    FLOOR,
    OURS,
    REPOSITORY,
    WAYS,
    Contender,
    interpreters,
)
from benchmarks.speed.llm_server import CHUNKS, running_server

# Answers in one batch of a kind: whole ones, streams as fast as they come, streams of one chunk a millisecond.
BATCHES = {"whole": 10, "stream": 3, "slow": 1}
STARTS = 5
# What a median of this run tells apart: less added than this, or nothing, counts as this much in a ratio.
LEAST_MS = 0.01
LEAST_US = 1.0


@dataclass
class Samples:
    """Of one way and kind, in seconds: a value an answer, of ``processor`` a value a batch."""

    seconds: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


def figures(samples: Mapping[tuple[str, str], Samples]) -> dict[str, dict[str, float]]:
    """Of one program: by way, the medians, and what each has over raw httpx in the same process. Where the processor's
    time of slow chunks is told, that of waiting for them is part of it, for all alike."""
    told: dict[str, dict[str, float]] = {}
    for way in dict.fromkeys(way for way, _ in samples):
        whole, stream, slow = (samples[way, kind] for kind in BATCHES)
        told[way] = {
            "call_ms_p50": statistics.median(whole.seconds) * 1e3,
            "call_ms_p99": percentile(whole.seconds, 0.99) * 1e3,
            "call_processor_ms": statistics.median(whole.processor) * 1e3,
            "chunk_us": statistics.median(stream.seconds) / CHUNKS * 1e6,
            "chunk_processor_us": statistics.median(stream.processor) / CHUNKS * 1e6,
            "slow_chunk_processor_us": statistics.median(slow.processor) / CHUNKS * 1e6,
            "first_chunk_ms": statistics.median(stream.first) * 1e3,
        }
    baseline = dict(told[BASELINE])
    for of in told.values():
        of |= {f"added_{name}": value - baseline[name] for name, value in of.items()}
    return told


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def times_ours(told: Mapping[str, Mapping[str, float]], other: str) -> dict[str, float]:
    """How many times what we add over raw httpx the other adds."""
    least = {"call_ms_p50": LEAST_MS, "call_processor_ms": LEAST_MS}
    return {
        name: told[other][f"added_{name}"] / max(told[OURS][f"added_{name}"], least.get(name, LEAST_US))
        for name in ("call_ms_p50", "call_processor_ms", "chunk_us", "chunk_processor_us")
    }


def measured(
    contenders: Sequence[Contender], rounds: int, batches: Mapping[str, int] = BATCHES
) -> dict[str, dict[tuple[str, str], Samples]]:
    """By program, way and kind; the first round is not counted. Whose turn is first goes round."""
    samples: dict[str, dict[tuple[str, str], Samples]] = {one.name: defaultdict(Samples) for one in contenders}
    turns = [(one, way) for one in contenders for way in one.ways]
    for number in range(rounds + 1):
        for kind, count in batches.items():
            for one, way in turns[number % len(turns) :] + turns[: number % len(turns)]:
                batch = one.batch(way, kind, count)
                if number:
                    into = samples[one.name][way, kind]
                    into.seconds += batch["seconds"]
                    into.first += batch["first"]
                    into.processor.append(batch["processor"] / count)
    return samples


def starts(pythons: Mapping[str, Path], url: str) -> dict[str, dict[str, float]]:
    """By way, medians of new processes that do nothing else: milliseconds until the library is imported and a model
    is opened (``import_ms`` without the interpreter's own start, with asyncio), until its first answer is there, and
    what it holds in memory then."""
    told: dict[str, list[dict[str, float]]] = defaultdict(list)
    for number in range(STARTS + 1):
        for name, python in pythons.items():
            for way in WAYS[name]:
                if name == OURS or way != BASELINE:
                    with Contender(name, python, url, (way,)) as one:
                        if number:  # the first fills the file system's cache
                            told[way].append(one.start)
    kinds = ("import_ms", "import_processor_ms", "library_ms", "first_call_ms", "rss_mb")
    return {way: {kind: statistics.median(of[kind] for of in all_of) for kind in kinds} for way, all_of in told.items()}


def run(pythons: Mapping[str, Path], rounds: int) -> dict[str, Any]:
    """Everything that is printed."""
    with running_server() as url, contextlib.ExitStack() as stack:
        begun = starts(pythons, url)
        contenders = [stack.enter_context(Contender(name, pythons[name], url, WAYS[name])) for name in pythons]
        samples = measured(contenders, rounds)
    told: dict[str, dict[str, float]] = {}
    for name, of in samples.items():
        for way, values in figures(of).items():
            told[way if name == OURS or way != BASELINE else f"{BASELINE} beside {name}"] = values
    for way, values in begun.items():
        told[way] |= values
    return {
        "versions": {one.name: one.start["version"] for one in contenders},
        "ways": {way: {name: round(value, 3) for name, value in values.items()} for way, values in told.items()},
        "times_ours": {
            way: {name: round(value, 1) for name, value in times_ours(told, way).items()}
            for way in told
            if way not in (OURS, FLOOR) and not way.startswith(BASELINE)
        },
    }


def to_markdown(record: Mapping[str, Any]) -> str:
    """A row a figure, a column a way."""
    ways = record["ways"]
    names = list(next(iter(ways.values())))
    lines = ["| | " + " | ".join(ways) + " |", "|---|" + "---:|" * len(ways)]
    lines += [f"| {name} | " + " | ".join(str(of.get(name, "")) for of in ways.values()) + " |" for name in names]
    return "\n".join([*lines, "", *(f"{way}: times ours {of}" for way, of in record["times_ours"].items())])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints; 2 where a contender could not be run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.llm_overhead", description=__doc__)
    parser.add_argument("--contenders", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--rounds", type=int, default=40, help=f"of {BATCHES} answers a way")
    parser.add_argument("--work", type=Path, default=REPOSITORY / "benchmarks" / "results" / "faults")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    environments = Environments(options.work.resolve() / "environments")
    pythons, not_run = interpreters((OURS, *options.contenders), environments)
    record = run(pythons, options.rounds)
    print(json.dumps({**record, "not_run": not_run}) if options.json else to_markdown(record))
    return 2 if not_run else 0


if __name__ == "__main__":
    sys.exit(main())
