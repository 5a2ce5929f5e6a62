"""One contender, once through everything that is measured, each step in a process of its own."""

from __future__ import annotations

import json
import shutil
import statistics
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.peers.catalogue import OURS, Contender
from benchmarks.peers.corpus import Corpus
from benchmarks.peers.environments import Environments, environment_variables
from benchmarks.process_tree import CommandError, Finished, run_measured
from rag_engine.evaluation import score_run

COLD_STARTS = 3
IMPORTS = 3


@dataclass(slots=True)
class Measurement:
    """What came of it: ``figures`` by name, and for each step that failed its error."""

    contender: str
    round: int
    version: str
    figures: dict[str, float] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """As it is kept."""
        return json.dumps(asdict(self), indent=1)


class Bench:
    """Runs the programs of the peers on one corpus, in ``folder``."""

    def __init__(self, corpus: Corpus, environments: Environments, folder: Path) -> None:
        self._corpus = corpus
        self._environments = environments
        self._folder = folder
        self._warm: set[Contender] = set()

    def measure(self, contender: Contender, number: int) -> Measurement:
        """Everything. A step that fails is noted; what stands on it is left out, the rest goes on.

        Raises:
            PeerEnvironmentError, CommandError: the peer could not be installed, or does not work at all.
        """
        if contender not in self._warm:
            self._warm_up(contender)
            self._warm.add(contender)
        measurement = Measurement(contender.name, number, self._environments.version(contender.peer))
        trial = _Trial(contender, self._corpus, self._environments, self._folder / contender.name, measurement)
        trial.step("imports", trial.imports)
        if trial.step("ingest", trial.ingest):
            for mode in contender.peer.modes:
                trial.step(mode, lambda mode=mode: trial.search(mode))  # type: ignore[misc]
            trial.step("cold", trial.cold)
            trial.step("unchanged", lambda: trial.reingest("unchanged", self._corpus.original))
            trial.step("changed", lambda: trial.reingest("changed", self._corpus.edited))
        shutil.rmtree(trial.folder, ignore_errors=True)
        return measurement

    def _warm_up(self, contender: Contender) -> None:
        """One ingest and some searches that nobody counts: files come into memory, models are compiled."""
        measurement = Measurement(contender.name, 0, "")
        trial = _Trial(contender, self._corpus, self._environments, self._folder / contender.name, measurement)
        few = self._corpus.original.read_text(encoding="utf-8").splitlines(keepends=True)[:20]
        trial.corpus_file.write_text("".join(few), encoding="utf-8")
        trial.run("ingest", str(trial.corpus_file), str(trial.store))
        trial.cold()
        shutil.rmtree(trial.folder)


class _Trial:
    def __init__(
        self,
        contender: Contender,
        corpus: Corpus,
        environments: Environments,
        folder: Path,
        measurement: Measurement,
    ) -> None:
        self._contender = contender
        self._corpus = corpus
        self._python = environments.python(contender.peer)
        self._model = environments.model(contender.peer)
        self._figures = measurement.figures
        self._errors = measurement.errors
        self.folder = folder
        self.store = folder / "store"
        # Under one path throughout: that is how rag_engine knows a file again.
        self.corpus_file = folder / "corpus.jsonl"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    def step(self, name: str, work: Callable[[], None]) -> bool:
        """Whether it went well."""
        print(f"  {self._contender.name}: {name} ...", file=sys.stderr, flush=True)
        try:
            work()
        except CommandError as error:
            self._errors[name] = str(error)
            print(f"  {self._contender.name}: {name} failed: {error}", file=sys.stderr, flush=True)
            return False
        return True

    def run(self, verb: str, *arguments: str) -> tuple[Finished, dict[str, Any]]:
        """A verb of the peer's program, and the object that it printed."""
        program = [str(self._python), str(self._contender.peer.program), verb, *arguments]
        if verb != "imports":
            program += ["--model", str(self._model), "--regime", self._contender.regime]
        finished = run_measured(program, environment=environment_variables(), folder=self.folder)
        # In the last line, and there behind what progress bars leave.
        last = next((line for line in reversed(finished.stdout.splitlines()) if "{" in line), "{}")
        return finished, json.loads(last[last.index("{") :])

    def imports(self) -> None:
        """The library's import, over the start of its bare interpreter."""
        variables = environment_variables()
        bare = [run_measured([str(self._python), "-c", "pass"], environment=variables).seconds for _ in range(IMPORTS)]
        whole = [self.run("imports")[0].seconds for _ in range(IMPORTS)]
        self._figures["import_seconds"] = statistics.median(whole) - statistics.median(bare)

    def ingest(self) -> None:
        """From a file to searchable and persisted."""
        shutil.copyfile(self._corpus.original, self.corpus_file)
        finished, printed = self.run("ingest", str(self.corpus_file), str(self.store))
        self._figures |= {
            "ingest_seconds": printed["seconds"],
            "ingest_process_seconds": finished.seconds,
            "documents_per_second": self._corpus.documents / printed["seconds"],
            "documents_per_second_of_process": self._corpus.documents / finished.seconds,
            "texts": printed["embedded"],
            "peak_megabytes": finished.peak_bytes / 1e6,
            "disk_megabytes": sum(file.stat().st_size for file in self.store.rglob("*") if file.is_file()) / 1e6,
        }

    def search(self, mode: str) -> None:
        """Every question, one by one, in one process."""
        out = self.folder / f"{mode}.json"
        self.run("search", str(self.store), str(self._corpus.queries), str(out), "--mode", mode)
        found = json.loads(out.read_text(encoding="utf-8"))
        milliseconds = sorted(seconds * 1000 for seconds in found["seconds"])
        run = {
            question: [(document, -float(rank)) for rank, document in enumerate(documents[:10])]
            for question, documents in found["rankings"].items()
        }
        self._figures |= {
            f"{mode}_p50_milliseconds": statistics.median(milliseconds),
            f"{mode}_p95_milliseconds": milliseconds[int(0.95 * (len(milliseconds) - 1))],
            f"{mode}_nDCG@10": score_run(self._corpus.gold.qrels, run, ["nDCG@10"]).metrics["nDCG@10"],
        }

    def cold(self) -> None:
        """Fresh processes, from their start to the end of the first answer."""
        question = self._corpus.first_question
        if self._contender.peer.name == OURS:
            rag = [str(self._python.with_name("rag")), "search", question, "--root", str(self.store), "--json"]
            times = [
                run_measured(rag, environment=environment_variables(), folder=self.folder).seconds
                for _ in range(COLD_STARTS)
            ]
        else:
            times = [self.run("cold", str(self.store), question)[0].seconds for _ in range(COLD_STARTS)]
        self._figures["cold_seconds"] = statistics.median(times)

    def reingest(self, name: str, corpus: Path) -> None:
        """The corpus again. A peer that cannot tell what changed embeds all of it, as its ingest did."""
        if self._contender.peer.tells_changes:
            shutil.copyfile(corpus, self.corpus_file)
            finished, printed = self.run("reingest", str(self.corpus_file), str(self.store))
            seconds, embedded = finished.seconds, printed["embedded"]
        else:
            seconds, embedded = self._figures["ingest_process_seconds"], self._figures["texts"]
        self._figures |= {f"{name}_seconds": seconds, f"{name}_embedded": embedded}
