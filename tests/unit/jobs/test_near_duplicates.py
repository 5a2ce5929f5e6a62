"""Documents that are nearly the same are found and, by policy, kept, linked or dropped."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.faults.hashing_embedder import HashingEmbedder
from benchmarks.faults.victim import chunker_for
from rag_engine.context_retrieval import HybridRetriever
from rag_engine.index import Index
from rag_engine.ingestion import loader_versions
from rag_engine.jobs.ingest import IngestJob
from rag_engine.types.ingestion import IngestReport
from rag_engine.types.retrieval import Query, SearchMode
from tests.in_process_sandbox import InProcessSandbox

Sync = Callable[..., IngestReport]
LETTER = " ".join(f"Clause {number} of the contract is about the matter {number * 17}." for number in range(30))


@pytest.fixture
def sync(index: Index, hashing_embedder: HashingEmbedder, folder: Path) -> Sync:
    def sync(policy: str = "keep", threshold: float = 0.9) -> IngestReport:
        return IngestJob(
            index=index,
            chunker=chunker_for(hashing_embedder),
            embedder=hashing_embedder,
            make_sandbox=InProcessSandbox,  # type: ignore[arg-type]
            loader_versions=loader_versions(),
            near_duplicates=policy,
            near_duplicate_threshold=threshold,
        ).ingest_paths([folder])

    return sync


def pairs(index: Index) -> list[tuple[str, str]]:
    return [(pair.document, pair.of) for pair in index.catalog.near_duplicates.pairs()]


def searched(index: Index) -> set[str]:
    with index.view(dense=False, lexical=True) as view:
        hits = view.lexical.search("clause of the contract", 1000)
        return {passage.document_id for passage in view.passages([hit.chunk for hit in hits]).values()}


@pytest.mark.parametrize("order", list(itertools.permutations("abc")))
def test_the_later_one_in_order_follows_the_first_whichever_came_first(
    index: Index, sync: Sync, folder: Path, order: tuple[str, ...]
) -> None:
    for name in order:
        (folder / f"{name}.md").write_text(f"{LETTER} Signed by {name}.")
        sync()
    assert pairs(index) == [("docs/b.md", "docs/a.md"), ("docs/c.md", "docs/a.md")]
    assert all(0.9 <= pair.similarity < 1 and not pair.dropped for pair in index.catalog.near_duplicates.pairs())
    assert searched(index) == {"docs/a.md", "docs/b.md", "docs/c.md"}


def test_others_are_no_near_duplicates(index: Index, sync: Sync, folder: Path) -> None:
    (folder / "a.md").write_text(LETTER)
    (folder / "b.md").write_text(LETTER[: len(LETTER) // 2])
    (folder / "c.md").write_text("A parcel waits ten days at a pickup point.")
    sync()
    assert pairs(index) == []


def test_the_next_one_leads_when_the_first_goes_or_changes_or_moves(index: Index, sync: Sync, folder: Path) -> None:
    for name in "abcd":
        (folder / f"{name}.md").write_text(f"{LETTER} Signed by {name}.")
    sync()
    (folder / "a.md").unlink()
    sync()
    assert pairs(index) == [("docs/c.md", "docs/b.md"), ("docs/d.md", "docs/b.md")]
    (folder / "b.md").write_text("Another text.")
    sync()
    assert pairs(index) == [("docs/d.md", "docs/c.md")]
    (folder / "c.md").rename(folder / "e.md")
    sync()
    assert pairs(index) == [("docs/e.md", "docs/d.md")]


def test_dropped_ones_are_recorded_and_not_searched_and_come_back(index: Index, sync: Sync, folder: Path) -> None:
    for name in "abc":
        (folder / f"{name}.md").write_text(f"{LETTER} Signed by {name}.")
    sync("drop")
    assert searched(index) == {"docs/a.md"}
    assert [pair.dropped for pair in index.catalog.near_duplicates.pairs()] == [True, True]
    (folder / "a.md").unlink()
    sync("drop")
    assert searched(index) == {"docs/b.md"}
    report = sync("keep")
    assert searched(index) == {"docs/b.md", "docs/c.md"}
    assert report.documents.unchanged == 2
    assert sync("keep").commit == report.commit


def test_another_threshold_compares_everything_anew(index: Index, sync: Sync, folder: Path) -> None:
    (folder / "a.md").write_text(LETTER)
    (folder / "b.md").write_text(LETTER + "".join(f" {number}" for number in range(50)))
    sync()
    assert pairs(index) == []
    sync(threshold=0.8)
    assert pairs(index) == [("docs/b.md", "docs/a.md")]


def test_linked_ones_are_shown_as_one_that_names_the_others(
    index: Index, sync: Sync, folder: Path, hashing_embedder: HashingEmbedder
) -> None:
    for name in "abc":
        (folder / f"{name}.md").write_text(f"{LETTER} Signed by {name}.")
    (folder / "other.md").write_text("A clause of another contract.")
    sync("link")
    retriever = HybridRetriever(index=index, embedder=hashing_embedder, link_near_duplicates=True)
    found = retriever.retrieve(Query("signed by c, clause of the contract", k=50, mode=SearchMode.LEXICAL))
    assert {passage.document_id for passage in found} == {"docs/c.md", "docs/other.md"}
    assert {passage.near_duplicates for passage in found} == {("docs/a.md", "docs/b.md"), ()}
    assert [passage.rank for passage in found] == list(range(1, len(found) + 1))
