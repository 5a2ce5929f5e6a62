"""Kills ingests at random moments and examines what is left: ``python -m benchmarks.faults.kill --kills 200 --json``.

Some kills hit not the ingest but a process that parses or chunks for it; that ingest must finish as if nothing had
been.
Most victims embed with ``HashingEmbedder``, so that there can be many; ``--commands`` of the kills hit the real
command ``rag ingest`` with the real model. After every kill the index is examined; when a round ends, the ingest is
finished and compared with a fresh index of the same folder. Exit status 1 where anything is amiss.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from benchmarks.faults.corpus import Corpus
from benchmarks.faults.examination import Faults, content, examine_survivor
from benchmarks.faults.hashing_embedder import HashingEmbedder
from benchmarks.faults.victim import BATCH_CHUNKS, WORKERS, ingest_job, stored_texts
from rag_engine.embedding import DEFAULT_MODEL, default_cache, find_model, open_embedder
from rag_engine.index import CATALOG_NAME, Index
from rag_engine.protocols import Embedder

REPOSITORY = Path(__file__).resolve().parents[2]
KILLS_A_ROUND = 8
# When a victim is killed: so long after it was started, or after it said that it is at a stage or commit.
MOMENTS = ("start", "open", "scan", "read", "commit", "index")


@dataclass(slots=True)
class Victim:
    """What a killed process had said, and where it was hit.

    ``moment`` is None where it ended by itself, ``failed`` where it did so with an error.
    """

    moment: str | None
    commit: int
    reported: dict[str, str]
    commits: int = 0
    failed: bool = False


@dataclass(slots=True)
class Report:
    """The outcome, as it is printed."""

    kills: int = 0
    commands_killed: int = 0
    sandboxes_killed: int = 0
    chunkers_killed: int = 0
    rounds: int = 0
    moments: Counter[str] = field(default_factory=Counter)
    commits_reported: int = 0
    seconds: float = 0.0


def kill_one(index: Path, sources: Path, generator: random.Random, *, moment: str) -> Victim:
    """Starts a victim and kills it at a random time after ``moment``."""
    before = stored_texts(index / CATALOG_NAME) if (index / CATALOG_NAME).exists() else {}
    victim = Victim(moment, -1, dict(before))
    command = [sys.executable, "-m", "benchmarks.faults.victim", str(index), sources.name]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=sources.parent, env=environment)
    assert process.stdout is not None
    reach = {"start": 1.0, "open": 0.05, "scan": 0.3, "read": 0.4, "commit": 0.05, "index": 0.15}[moment]
    after_commits = generator.randrange(1, 10)
    deadline = time.monotonic() + generator.uniform(0, reach) if moment == "start" else None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        os.set_blocking(process.stdout.fileno(), False)
        unread = b""
        while True:
            wait = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not selector.select(wait):
                break
            part = process.stdout.read()
            if not part:
                victim.moment = None
                break
            *lines, unread = (unread + part).split(b"\n")
            for line in lines:
                said = json.loads(line)
                _hear(victim, said)
                reached = said.get("stage") == moment or (moment == "commit" and victim.commits == after_commits)
                if reached and deadline is None:
                    deadline = time.monotonic() + generator.uniform(0, reach)
    process.kill()
    os.set_blocking(process.stdout.fileno(), True)
    # What it had said before it died counts, whether it was read before or is read now.
    *lines, _ = (unread + process.stdout.read()).split(b"\n")
    for line in lines:
        _hear(victim, json.loads(line))
    process.stdout.close()
    victim.failed = process.wait() not in (0, -9)
    return victim


def _hear(victim: Victim, said: Mapping[str, object]) -> None:
    if "commit" in said:
        victim.commits += 1
        victim.commit = said["commit"]  # type: ignore[assignment]
        victim.reported.update(said["came"])  # type: ignore[call-overload]
        for identifier in said["went"]:  # type: ignore[attr-defined]
            victim.reported.pop(identifier, None)


def finish_and_compare(index: Path, corpus: Corpus, work: Path, faults: Faults, embedder: Embedder) -> None:
    """Finishes an ingest that was killed; notes what differs from a fresh index of the same folder."""
    working_folder = Path.cwd()
    os.chdir(corpus.folder.parent)  # documents are named after their path from here
    try:
        fresh = work / "fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        for folder in (index, fresh):
            with closing(Index.open(folder, create=True)) as opened:
                report = ingest_job(opened, embedder).ingest_paths([corpus.folder])
                for failure in report.failures:
                    faults.note("different", f"{failure.source}: {failure.error}")
    finally:
        os.chdir(working_folder)
    finished, wanted = content(index, embedder), content(fresh, embedder)
    for part, value in wanted.items():
        if finished[part] != value:
            faults.note("different", f"{part} of the finished index and of a fresh one")
    if stored_texts(index / CATALOG_NAME) != corpus.expected():
        faults.note("different", "the stored texts and the folder's")


def kill_victims(report: Report, faults: Faults, *, kills: int, files: int, seed: int, work: Path) -> None:
    """``kills`` kills of victims without a model, in rounds that start with a changed folder."""
    generator, embedder = random.Random(seed), HashingEmbedder()
    corpus = Corpus(work / "sources", files=files, generator=generator)
    index, round_number = work / "index-0", 0
    report.rounds = 1
    killed_in_round = attempts = 0
    while report.kills < kills:
        moment = MOMENTS[attempts % len(MOMENTS)]
        attempts += 1
        path = index / CATALOG_NAME
        before = stored_texts(path) if path.exists() else {}
        victim = kill_one(index, corpus.folder, generator, moment=moment)
        if victim.failed:
            faults.note("stuck", f"an ingest after kill {report.kills} failed by itself")
        if victim.moment is not None:
            report.kills += 1
            report.moments[moment] += 1
            report.commits_reported += victim.commits
            killed_in_round += 1
            if path.exists():
                examine_survivor(
                    index,
                    faults,
                    embedder=embedder,
                    reported=victim.reported,
                    reported_commit=victim.commit,
                    before=before,
                    expected=corpus.expected(),
                )
            elif victim.reported:
                faults.note("lost", "the catalog")
        if victim.moment is None or killed_in_round >= KILLS_A_ROUND or report.kills == kills:
            finish_and_compare(index, corpus, work, faults, embedder)
            if report.kills == kills:
                break
            corpus.change()
            report.rounds += 1
            round_number += 1
            killed_in_round = 0
            if round_number % 3 == 0:  # a birth can be killed as well
                shutil.rmtree(index)
                index = work / f"index-{round_number}"


def kill_workers(report: Report, faults: Faults, *, kills: int, seed: int, work: Path) -> None:
    """``kills`` kills of processes that parse or chunk for an ingest, at most one of each kind for one ingest."""
    generator, embedder = random.Random(seed), HashingEmbedder()
    corpus = Corpus(work / "worker-sources", files=100, generator=generator)
    index, hit = work / "index-workers", 0
    while hit < kills:
        shutil.rmtree(index, ignore_errors=True)  # so that there is something to do
        command = [sys.executable, "-m", "benchmarks.faults.victim", str(index), corpus.folder.name]
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=corpus.folder.parent, env=environment)
        wanted = {"sandbox_worker", "chunking_worker"}
        while process.poll() is None and wanted and hit < kills:
            for kind, worker in _workers_of(process.pid):
                if kind in wanted:
                    time.sleep(generator.uniform(0, 0.15))
                    with contextlib.suppress(psutil.NoSuchProcess):
                        worker.kill()
                        wanted.discard(kind)
                        hit += 1
                        report.sandboxes_killed += kind == "sandbox_worker"
                        report.chunkers_killed += kind == "chunking_worker"
                    break
        if process.wait() != 0:
            faults.note("stuck", "an ingest did not outlive its worker")
        finish_and_compare(index, corpus, work, faults, embedder)
        corpus.change()


def _workers_of(ingest: int) -> list[tuple[str, psutil.Process]]:
    """The processes that parse and chunk for an ingest, the youngest first, each with its kind."""
    found = []
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in reversed(psutil.Process(ingest).children()):
            with contextlib.suppress(psutil.NoSuchProcess):
                line = " ".join(child.cmdline())
                found += [(kind, child) for kind in ("sandbox_worker", "chunking_worker") if kind in line]
    return found


def kill_commands(report: Report, faults: Faults, *, kills: int, seed: int, work: Path) -> None:
    """``kills`` kills of ``rag ingest`` with the real model."""
    generator = random.Random(seed)
    corpus = Corpus(work / "command-sources", files=12, generator=generator)
    embedder = open_embedder(find_model(DEFAULT_MODEL), runtime="auto", cache=default_cache(), batch_size=32)
    path = work / "indexes" / "default" / CATALOG_NAME
    environment = {
        **os.environ,
        "PYTHONPATH": str(REPOSITORY),
        "RAG_ENGINE__INGESTION__BATCH_CHUNKS": str(BATCH_CHUNKS),
        "RAG_ENGINE__INGESTION__WORKERS": str(WORKERS),
        "RAG_ENGINE__CHUNKING__TARGET_TOKENS": str(embedder.identity.max_tokens),
    }
    command = [sys.executable, "-m", "rag_engine.cli", "ingest", corpus.folder.name, "--root", str(work / "indexes")]
    hit = 0
    while hit < kills:
        before = stored_texts(path) if path.exists() else {}
        process = subprocess.Popen(command, cwd=work, env=environment, stdout=subprocess.DEVNULL)
        commits_wanted, seen = generator.randrange(1, 8), before
        while process.poll() is None and commits_wanted > 0:
            now = stored_texts(path) if path.exists() and path.stat().st_size else {}
            commits_wanted -= now != seen
            seen = now
            time.sleep(0.01)
        time.sleep(generator.uniform(0, 0.05))
        process.kill()
        if process.wait() not in (0, -9):
            faults.note("stuck", f"rag ingest failed by itself after kill {report.commands_killed}")
            break
        if process.returncode == -9:
            hit += 1
            report.commands_killed += 1
            examine_survivor(
                path.parent,
                faults,
                embedder=embedder,
                reported=seen,
                reported_commit=0,
                before=before,
                expected=corpus.expected(),
            )
        else:
            corpus.change()
    if kills:
        subprocess.run(command, cwd=work, env=environment, stdout=subprocess.DEVNULL, check=True)
        if stored_texts(path) != corpus.expected():
            faults.note("different", "the texts stored by rag ingest and the folder's")


def main() -> int:
    """Runs everything and prints the report; 1 where anything is amiss."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="kills altogether")
    parser.add_argument("--commands", type=int, help="kills of these that hit rag ingest (a twentieth)")
    parser.add_argument("--files", type=int, default=100, help="Markdown files, and as many records")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--workers", type=int, help="kills of these that hit a process of the ingest's (a tenth)")
    arguments = parser.parse_args()
    commands = arguments.kills // 20 if arguments.commands is None else arguments.commands
    workers = arguments.kills // 10 if arguments.workers is None else arguments.workers
    report, faults, started = Report(), Faults(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rag-kill-") as folder:
        work = Path(folder).resolve()
        victims = arguments.kills - commands - workers
        kill_victims(report, faults, kills=victims, files=arguments.files, seed=arguments.seed, work=work)
        kill_workers(report, faults, kills=workers, seed=arguments.seed, work=work)
        kill_commands(report, faults, kills=commands, seed=arguments.seed, work=work)
    report.kills += report.commands_killed + report.sandboxes_killed + report.chunkers_killed
    report.seconds = round(time.monotonic() - started, 1)
    outcome = {**asdict(report), **asdict(faults), "moments": dict(report.moments)}
    print(json.dumps(outcome) if arguments.json else "\n".join(f"{name}: {value}" for name, value in outcome.items()))
    return 1 if faults.examples else 0


if __name__ == "__main__":
    sys.exit(main())
