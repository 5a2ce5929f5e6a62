"""Whatever becomes of a folder, and however its ingests end: the index equals a fresh one of the same folder."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import closing, suppress
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from benchmarks.faults.examination import content
from benchmarks.faults.hashing_embedder import HashingEmbedder
from benchmarks.faults.victim import chunker_for
from rag_engine.index import Index
from rag_engine.ingestion import loader_versions
from rag_engine.jobs.ingest import IngestJob
from rag_engine.types.ingestion import IngestProgress
from tests.in_process_sandbox import InProcessSandbox

NAMES = st.sampled_from(
    ["a.md", "b.md", "B.md", "b.txt", "one/a.md", "one/c.md", "one/two/d.md", "three/a.md", "three/d.txt"]
)
TEXTS = st.sampled_from(
    [
        "# Refunds\n\nA refund is paid within ten days after the parcel came back.",
        "# Refunds\n\nA refund is paid within ten days after the parcel came back, or on the same day.",
        "# Delivery\n\nA parcel waits ten days at a pickup point.\n\n## Abroad\n\nIt waits for a month there.",
        "".join(f"## Part {number}\n\nThe turbine has a bearing of {number} millimetres.\n\n" for number in range(12)),
        "No heading, one line.",
        # Nearly the same: words 60, 62 or both are others.
        *(
            " ".join(("a", "b", "c")[n % 3] + str(n) for n in range(60)) + f" {end}"
            for end in ("x y z", "x y v", "w y v")
        ),
    ]
)
RECORDS = st.sampled_from(["rows.jsonl", "one/rows.jsonl", "one/more.jsonl"])
FOLDERS = st.sampled_from(["one", "one/two", "three"])
RULES = st.sampled_from(["", "*.txt", "one/", "one/*\n!one/a.md", "d.*", "/b.md\nthree"])


class Killed(BaseException):
    """Ends an ingest as a kill would, as far as this process can."""


class SyncedFolder(RuleBasedStateMachine):
    """A folder to which anything happens, and its index."""

    def __init__(self) -> None:
        super().__init__()
        self.work = Path(tempfile.mkdtemp(prefix="rag-sync-")).resolve()
        self.docs = self.work / "docs"
        self.docs.mkdir()
        self.embedder = HashingEmbedder()
        self.before = Path.cwd()
        self.records = 0
        self.policy = "keep"
        os.chdir(self.work)

    def teardown(self) -> None:
        """After a last ingest the index equals a fresh one."""
        try:
            self._run(self.work / "index")
            self._run(self.work / "fresh")
            synced, fresh = (content(self.work / name, self.embedder) for name in ("index", "fresh"))
            for part, value in fresh.items():
                assert synced[part] == value, part
        finally:
            os.chdir(self.before)
            shutil.rmtree(self.work)

    @initialize(
        files=st.dictionaries(NAMES, TEXTS, min_size=3, max_size=6),
        record_files=st.sets(RECORDS),
        policy=st.sampled_from(["keep", "link", "drop"]),
    )
    def begin(self, files: dict[str, str], record_files: set[str], policy: str) -> None:
        """A folder that was ingested."""
        self.policy = policy
        for name, text in files.items():
            self.write(name, text)
        for name in sorted(record_files):
            self.write_records(name, 2)
        self.ingest()

    @rule(name=NAMES, text=TEXTS)
    def write(self, name: str, text: str) -> None:
        """A file is added or changed."""
        place = self.docs / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    @rule(name=RECORDS, count=st.integers(1, 3))
    def write_records(self, name: str, count: int) -> None:
        """A file of records that no other one has is added or changed."""
        place = self.docs / name
        place.parent.mkdir(parents=True, exist_ok=True)
        self.records += count
        rows: list[dict[str, str]] = [{"text": f"A row without an id in file {self.records}."}]
        rows += [{"_id": f"r{self.records - n}", "text": f"Record {self.records - n}."} for n in range(count)]
        place.write_text("\n".join(json.dumps(row) for row in rows))

    @rule(name=st.one_of(NAMES, RECORDS), data=st.data())
    def copy(self, name: str, data: st.DataObject) -> None:
        """A file is copied, perhaps over another one."""
        if (self.docs / name).exists():
            place = self.docs / data.draw(RECORDS if name.endswith("jsonl") else NAMES)
            place.parent.mkdir(parents=True, exist_ok=True)
            if place != self.docs / name:
                shutil.copy(self.docs / name, place)

    @rule(name=st.one_of(NAMES, RECORDS), data=st.data())
    def move(self, name: str, data: st.DataObject) -> None:
        """A file is moved, perhaps over another one."""
        if (self.docs / name).exists():
            place = self.docs / data.draw(RECORDS if name.endswith("jsonl") else NAMES)
            place.parent.mkdir(parents=True, exist_ok=True)
            (self.docs / name).replace(place)

    @rule(name=NAMES, other=NAMES)
    def swap(self, name: str, other: str) -> None:
        """Two files swap their places."""
        one, two = self.docs / name, self.docs / other
        if one != two and one.exists() and two.exists():
            one.rename(self.work / "aside")
            two.rename(one)
            (self.work / "aside").rename(two)

    @rule(name=st.one_of(NAMES, RECORDS))
    def delete(self, name: str) -> None:
        """A file is deleted."""
        (self.docs / name).unlink(missing_ok=True)

    @rule(name=FOLDERS, other=st.sampled_from(["moved", "three", "one/two/three"]))
    def move_folder(self, name: str, other: str) -> None:
        """A folder is moved."""
        source, place = self.docs / name, self.docs / other
        if source.is_dir() and not place.exists() and source not in place.parents:
            place.parent.mkdir(parents=True, exist_ok=True)
            source.rename(place)

    @rule(policy=st.sampled_from(["keep", "drop"]))
    def decide(self, policy: str) -> None:
        """Near-duplicates are kept or dropped from now on."""
        self.policy = policy

    @rule(rules=RULES)
    def ignore(self, rules: str) -> None:
        """Other files are left out from now on."""
        (self.docs / ".ragignore").write_text(rules)

    @rule()
    def ingest(self) -> None:
        """The index is brought up to date."""
        self._run(self.work / "index")

    @rule(reports=st.integers(1, 25))
    def ingest_and_kill(self, reports: int) -> None:
        """An ingest ends in the middle."""
        with suppress(Killed):
            self._run(self.work / "index", reports=reports)

    @rule(folder=FOLDERS)
    def ingest_folder(self, folder: str) -> None:
        """Only a part of the folder is brought up to date."""
        if any(place.is_file() for place in (self.docs / folder).rglob("*")):
            self._run(self.work / "index", asked=self.docs / folder)

    def _run(self, folder: Path, *, asked: Path | None = None, reports: int | None = None) -> None:
        left = reports

        def progress(_: IngestProgress) -> None:
            nonlocal left
            if left is not None:
                left -= 1
                if left == 0:
                    raise Killed

        with closing(Index.open(folder, create=True)) as index:
            job = IngestJob(
                index=index,
                chunker=chunker_for(self.embedder),
                embedder=self.embedder,
                make_sandbox=InProcessSandbox,  # type: ignore[arg-type]
                loader_versions=loader_versions(),
                batch_chunks=4,
                near_duplicates=self.policy,
                near_duplicate_threshold=0.9,
                progress=progress,
            )
            # What is empty or all left out must be asked for too, to be brought up to date.
            (self.docs / "never empty.md").write_text("This file stays.")
            job.ingest_paths([asked or self.docs])


SyncedFolder.TestCase.settings = settings(
    max_examples=int(os.environ.get("SYNC_EXAMPLES", "12")),  # more than a suite has time for, on request
    stateful_step_count=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestSyncedFolder = SyncedFolder.TestCase
