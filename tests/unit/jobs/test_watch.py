"""A real folder is watched: each batch of changes that has settled is one ingest of what it affects."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from rag_engine.errors import IndexLockedError, RagEngineError, SourceNotFoundError
from rag_engine.jobs import watch as watch_module
from rag_engine.jobs.watch import WatchJob
from rag_engine.types.ingestion import IngestReport

SETTLE_SECONDS = 0.15
PATIENCE_SECONDS = 20.0


class Watched:
    """A watch in a thread, and what it ingested."""

    def __init__(self, index: Path) -> None:
        self.ingested: queue.Queue[list[str]] = queue.Queue()
        self.failures: queue.Queue[RagEngineError] = queue.Queue()
        self.raising: list[RagEngineError] = []
        self.stop = threading.Event()
        self.job = WatchJob(
            ingest=self._ingest,
            settle_seconds=SETTLE_SECONDS,
            passed_over=index,
            done=lambda _: None,
            failed=self.failures.put,
            stop=self.stop,
        )
        self.thread: threading.Thread | None = None

    def _ingest(self, paths: Sequence[str]) -> IngestReport:
        if self.raising:
            raise self.raising.pop()
        self.ingested.put(list(paths))
        return cast("IngestReport", None)

    def start(self, *paths: Path | str) -> None:
        self.thread = threading.Thread(target=self.job.watch, args=([str(path) for path in paths],))
        self.thread.start()

    def next(self) -> list[str]:
        return self.ingested.get(timeout=PATIENCE_SECONDS)

    def nothing_more(self) -> bool:
        try:
            self.ingested.get(timeout=5 * SETTLE_SECONDS)
        except queue.Empty:
            return True
        return False


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(tmp_path / "docs" / "index")
    yield made
    made.stop.set()
    if made.thread is not None:
        made.thread.join(PATIENCE_SECONDS)
        assert not made.thread.is_alive()


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    (tmp_path / "docs" / "index").mkdir(parents=True)
    (tmp_path / "docs" / "a.md").write_text("one")
    return tmp_path / "docs"


def test_it_begins_with_everything_and_goes_on_with_each_batch(watched: Watched, docs: Path) -> None:
    watched.start(docs)
    assert watched.next() == [str(docs)]
    for number in range(5):
        (docs / f"{number}.md").write_text("new")
    assert watched.next() == [str(docs)]
    assert watched.nothing_more()
    (docs / "0.md").unlink()
    assert watched.next() == [str(docs)]


def test_only_what_is_affected_is_ingested(watched: Watched, docs: Path) -> None:
    (docs / "part").mkdir()
    (docs / "other").mkdir()
    watched.start(docs / "part", docs / "a.md", str(docs / "other/*.txt"))
    assert len(watched.next()) == 3
    (docs / "part" / "b.md").write_text("new")
    assert watched.next() == [str(docs / "part")]
    (docs / "a.md").write_text("changed")
    assert watched.next() == [str(docs / "a.md")]
    (docs / "other" / "c.txt").write_text("new")
    assert watched.next() == [str(docs / "other/*.txt")]


@pytest.mark.parametrize("name", [".hidden", ".git/config", "index/catalog.sqlite"])
def test_what_is_hidden_and_the_index_itself_do_not_count(watched: Watched, docs: Path, name: str) -> None:
    (docs / name).parent.mkdir(exist_ok=True)
    watched.start(docs)
    watched.next()
    (docs / name).write_text("changed")
    assert watched.nothing_more()


def test_other_rules_count(watched: Watched, docs: Path) -> None:
    watched.start(docs)
    watched.next()
    (docs / ".ragignore").write_text("*.tmp")
    assert watched.next() == [str(docs)]


def test_a_failing_ingest_is_told_of_and_tried_again_where_that_may_help(
    watched: Watched, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "_RETRY_SECONDS", 0.3)
    watched.raising = [IndexLockedError("another one writes")]
    watched.start(docs)
    assert watched.failures.get(timeout=PATIENCE_SECONDS).code == "index_locked"
    assert watched.next() == [str(docs)]


def test_a_folder_that_goes_and_comes_again_is_watched_again(watched: Watched, docs: Path, tmp_path: Path) -> None:
    (docs / "part").mkdir()
    watched.start(docs / "part")
    watched.next()
    (docs / "part").rename(tmp_path / "aside")
    watched.next()
    (docs / "part").mkdir()
    watched.next()
    while not watched.nothing_more():
        pass
    (docs / "part" / "new.md").write_text("new")
    assert watched.next() == [str(docs / "part")]


@pytest.mark.parametrize("make", [lambda docs: docs / "nope.md", lambda docs: docs / "nope" / "deeper"])
def test_a_path_that_does_not_exist_is_an_error_at_the_start(
    watched: Watched, docs: Path, make: Callable[[Path], Any]
) -> None:
    with pytest.raises(SourceNotFoundError, match="nope"):
        watched.job.watch([make(docs)])
