"""What a route adds to a call: routes of two and of a hundred deployments over the bare wire, beside LiteLLM's Router.

    python -m benchmarks.speed.route_overhead [--rounds 150] [--json]

As in ``benchmarks.speed.llm_overhead``, of which this has its server, harness and clocks: the contenders take turns
batch by batch, and what is told as added is added within one process: by our routes over our own bare wire, over
raw httpx, and over one model without a route; by LiteLLM over raw httpx. Whole answers, and
streams of 100 chunks, in milliseconds a call.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.environments import Environments
from benchmarks.speed.llm_contenders import BASELINE, FLOOR, OURS, REPOSITORY, Contender, interpreters
from benchmarks.speed.llm_overhead import LEAST_MS, Samples, measured, percentile
from benchmarks.speed.llm_server import running_server

PEER = "litellm"
WIRE, MODEL = "transport", "model"
ROUTES = ("route_2", "route_100")
BY_STREAM = "route_2_by_stream"
ROUTERS = ("litellm_router_2", "litellm_router_100")
WAYS = {OURS: (WIRE, MODEL, *ROUTES, BY_STREAM, BASELINE, FLOOR), PEER: (*ROUTERS, BASELINE)}
PROGRAMS = {OURS: "rag_engine_routes", PEER: "litellm_routes"}
BATCHES = {"whole": 10, "stream": 3}
# Aims of a call, whole or streamed: milliseconds added over the bare wire, and how many times that the peer's adds.
MOST_MS_P50, MOST_MS_P99, LEAST_TIMES = 0.35, 1.0, 10.0


def figures(samples: Mapping[tuple[str, str], Samples], baseline: str) -> dict[str, dict[str, float]]:
    """Of one program, milliseconds by way: of a call and of a stream, p50 and p99, and what each has over the
    baseline's."""
    told: dict[str, dict[str, float]] = {}
    for way in dict.fromkeys(way for way, _ in samples):
        told[way] = {}
        for kind in BATCHES:
            seconds = samples[way, kind].seconds
            told[way][f"{kind}_ms_p50"] = statistics.median(seconds) * 1e3
            told[way][f"{kind}_ms_p99"] = percentile(seconds, 0.99) * 1e3
    least = dict(told[baseline])
    for way, of in told.items():
        for name, value in least.items():
            # What the wire itself does for a whole answer that is read as a stream is a stream.
            beside = least[name.replace("whole", "stream")] if way == BY_STREAM else value
            of[f"added_{name}"] = of[name] - beside
    return told


def run(pythons: Mapping[str, Path], rounds: int) -> dict[str, Any]:
    """Everything that is printed."""
    with running_server() as url, contextlib.ExitStack() as stack:
        contenders = [
            stack.enter_context(Contender(name, python, url, WAYS[name], program=PROGRAMS[name]))
            for name, python in pythons.items()
        ]
        samples = measured(contenders, rounds, BATCHES)
    ours = figures(samples[OURS], WIRE)
    beside = {base: figures(samples[OURS], base) for base in (BASELINE, MODEL)}
    peers = figures(samples[PEER], BASELINE) if PEER in samples else {}
    times = {
        f"{router} against {route}": {
            name: round(peers[router][f"added_{name}"] / max(ours[route][f"added_{name}"], LEAST_MS), 1)
            for name in ("whole_ms_p50", "stream_ms_p50", "whole_ms_p99", "stream_ms_p99")
        }
        for route, router in zip(ROUTES, ROUTERS, strict=True)
        if router in peers
    }
    peers = {f"{BASELINE} beside {PEER}" if way == BASELINE else way: of for way, of in peers.items()}
    record = {
        "versions": {one.name: one.start["version"] for one in contenders},
        "samples": {kind: rounds * count for kind, count in BATCHES.items()},
        "ways": _rounded({**ours, **peers}),
        **{
            f"ours_over_{base}": _rounded({way: _added(of[way]) for way in (*ROUTES, BY_STREAM)})
            for base, of in beside.items()
        },
        **{
            f"worst_added_over_{base}_ms_{part}": _worst(of, part)
            for base, of in {WIRE: ours, **beside}.items()
            for part in ("p50", "p99")
        },
        "times_ours": times,
        "least_times_p50": min((of[f"{kind}_ms_p50"] for of in times.values() for kind in BATCHES), default=None),
    }
    return {**record, "short_of": short_of(record)}


def _worst(told: Mapping[str, Mapping[str, float]], part: str) -> float:
    """The most that a route adds to a call of either kind."""
    return round(max(told[route][f"added_{kind}_ms_{part}"] for route in ROUTES for kind in BATCHES), 3)


def short_of(record: Mapping[str, Any]) -> list[str]:
    """The aims that are not reached."""
    short = []
    for base in (WIRE, BASELINE):
        for part, most in (("p50", MOST_MS_P50), ("p99", MOST_MS_P99)):
            added = record[f"worst_added_over_{base}_ms_{part}"]
            if added > most:
                short.append(f"{added} ms are added over {base} ({part}), more than {most}")
    if record["least_times_p50"] is not None and record["least_times_p50"] < LEAST_TIMES:
        short.append(f"the peer's Router adds {record['least_times_p50']} times as much, not {LEAST_TIMES}")
    return short


def _added(values: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if name.startswith("added_")}


def _rounded(told: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    return {way: {name: round(value, 3) for name, value in of.items()} for way, of in told.items()}


def to_markdown(record: Mapping[str, Any]) -> str:
    """A row a way."""
    names = list(next(iter(record["ways"].values())))
    lines = ["| ms a call | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    lines += [
        f"| {way} | " + " | ".join(f"{of[name]:.3f}" for name in names) + " |" for way, of in record["ways"].items()
    ]
    for base in (BASELINE, MODEL):
        lines += ["", *(f"{way} over {base}: {of}" for way, of in record[f"ours_over_{base}"].items())]
    lines += [f"{pair}: times ours {of}" for pair, of in record["times_ours"].items()]
    return "\n".join([*lines, f"short of: {record['short_of'] or 'nothing'}"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints; 2 where a contender could not be run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.route_overhead", description=__doc__)
    parser.add_argument("--contenders", nargs="*", choices=[PEER], default=[PEER])
    parser.add_argument("--rounds", type=int, default=150, help=f"of {BATCHES} answers a way")
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
