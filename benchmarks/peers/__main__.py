"""Measures rag_engine beside its peers: ``python -m benchmarks.peers``.

Makes a virtual environment per peer, then runs round after round through all of them, and writes results.json,
table.md and plot.png. What was measured is kept: an interrupted run goes on where it stood.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.peers import results
from benchmarks.peers.catalogue import FOLDER, PEERS, Contender, Regime, contenders
from benchmarks.peers.corpus import prepare
from benchmarks.peers.environments import Environments, PeerEnvironmentError
from benchmarks.peers.measurement import Bench, Measurement
from benchmarks.process_tree import CommandError
from benchmarks.runner import REPOSITORY
from rag_engine.errors import RagEngineError


def main() -> int:
    """Prints one JSON object; exit status 1 where a peer failed, 2 for wrong usage."""
    options = _parser().parse_args()
    try:
        chosen = contenders(options.peers, options.regimes)
        name = options.gold.resolve().name + (f"-{options.documents}" if options.documents else "")
        work = options.work.resolve() / name
        corpus = prepare(options.gold, work / "corpus", documents=options.documents)
    except RagEngineError as error:
        print(error.public_message, file=sys.stderr)
        return 2
    environments = Environments(options.work.resolve() / "environments")
    bench = Bench(corpus, environments, work / "runs")
    measurements = list(
        measured(bench.measure, chosen, work / "measurements", rounds=options.rounds, fresh=options.fresh)
    )
    table = results.rows(chosen, measurements)
    (work / "table.md").write_text(results.to_markdown(table), encoding="utf-8")
    summary = {"gold": name, "documents": corpus.documents, "ratios": results.against_best(table)}
    (work / "results.json").write_text(
        json.dumps(summary | {"rows": results.to_json(table)}, indent=1), encoding="utf-8"
    )
    if options.plot:
        _plot(environments, work)
    print(results.to_markdown(table), file=sys.stderr)
    failures = {row.contender.name: row.errors for row in table if row.errors}
    print(json.dumps(summary | {"failures": failures, "folder": str(work)}))
    return int(bool(failures))


def measured(
    measure: Callable[[Contender, int], Measurement],
    chosen: Sequence[Contender],
    folder: Path,
    *,
    rounds: int,
    fresh: bool = False,
) -> Iterator[Measurement]:
    """Every contender in every round, each round beginning with another one; what is in ``folder`` is not repeated.

    One that does not work at all is tried once.
    """
    folder.mkdir(parents=True, exist_ok=True)
    broken: set[Contender] = set()
    for number in range(1, rounds + 1):
        turn = (number - 1) % len(chosen)
        for contender in [*chosen[turn:], *chosen[:turn]]:
            file = folder / f"{contender.name}-{number}.json"
            if file.is_file() and not fresh:
                yield Measurement(**json.loads(file.read_text(encoding="utf-8")))
                continue
            if contender in broken:
                continue
            print(f"round {number}: {contender.name}", file=sys.stderr, flush=True)
            try:
                measurement = measure(contender, number)
            except (PeerEnvironmentError, CommandError) as error:
                broken.add(contender)
                measurement = Measurement(contender.name, number, "", errors={"setting up": str(error)})
            if not measurement.errors:
                file.write_text(measurement.to_json(), encoding="utf-8")
            yield measurement


def _plot(environments: Environments, work: Path) -> None:
    try:
        python = environments.made("plot", FOLDER / "requirements" / "plot.txt")
        command = [str(python), str(FOLDER / "plot.py"), str(work / "results.json"), str(work / "plot.png")]
        subprocess.run(command, check=True, timeout=300)
    except (PeerEnvironmentError, subprocess.SubprocessError) as error:
        print(f"no plot was drawn: {error}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--gold", type=Path, default=REPOSITORY.parent / "shared" / "gold" / "scifact")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--peers",
        type=lambda names: names.split(","),
        default=[peer.name for peer in PEERS],
        help="names with commas between; rag_engine is always among them",
    )
    parser.add_argument(
        "--regimes",
        type=lambda names: [Regime(name) for name in names.split(",")],
        default=list(Regime),
        help="whole, chunked, or both with a comma between",
    )
    parser.add_argument("--documents", type=int, help="cut the corpus to so many")
    parser.add_argument("--work", type=Path, default=REPOSITORY / "benchmarks" / "results" / "peers")
    parser.add_argument("--fresh", action="store_true", help="measure again what was measured before")
    parser.add_argument("--no-plot", dest="plot", action="store_false", help="draw nothing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
