"""An index as a whole: opening, views, and other processes at the same folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.faults.hashing_embedder import HashingEmbedder
from rag_engine.errors import CatalogDamagedError, IndexNotFoundError, StorageError
from rag_engine.index import Index
from rag_engine.types.document import Document
from rag_engine.types.ingestion import IngestReport

REPOSITORY = Path(__file__).resolve().parents[3]
OpenIndex = Callable[[], Index]
Ingest = Callable[..., IngestReport]


def held(index: Index) -> dict[str, list[str]]:
    """Ids of the documents that each leg, and the catalog, has chunks of."""
    with index.view(dense=True, lexical=True) as view:
        numbers = [hit.chunk for hit in view.lexical.search("common", 10_000)]
        by_leg = {"catalog": index.catalog.chunk_numbers().tolist(), "lexical": numbers}
        vector = HashingEmbedder(dimension=view.dense.dimension).embed(["common"])[0]  # type: ignore[attr-defined]
        by_leg["dense"] = [hit.chunk for hit in view.dense.search(vector, 10_000)]
        return {
            leg: sorted(passage.document_id for passage in view.passages(numbers).values())
            for leg, numbers in by_leg.items()
        }


def everywhere(*ids: str) -> dict[str, list[str]]:
    return {place: list(ids) for place in ("catalog", "lexical", "dense")}


def test_an_index_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFoundError):
        Index.open(tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


def test_added_changed_and_deleted_documents_show_in_both_legs(index: Index, ingest: Ingest, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / f"{name}.md").write_text(f"common words of {name}")
    ingest(folder)
    stem = f"{folder}/"
    assert held(index) == everywhere(f"{stem}a.md", f"{stem}b.md", f"{stem}c.md")
    (folder / "a.md").write_text("other words of a")
    (folder / "b.md").unlink()
    (folder / "c.md").rename(folder / "d.md")
    report = ingest(folder)
    assert (report.documents.updated, report.documents.deleted, report.documents.moved) == (1, 1, 1)
    assert held(index) == {
        "catalog": [f"{stem}a.md", f"{stem}d.md"],
        "dense": [f"{stem}a.md", f"{stem}d.md"],
        "lexical": [f"{stem}d.md"],
    }
    with index.view(dense=True, lexical=True) as view:
        assert len(view.dense) == len(view.lexical) == 2


def test_only_new_texts_are_embedded(ingest: Ingest, hashing_embedder: HashingEmbedder) -> None:
    long = "\n\n".join(f"Paragraph {number} " + "with many words " * 12 for number in range(8))
    first = ingest(Document("a", long))
    assert first.embedded == first.chunks.total > 4
    longer = long + "\n\nOne more paragraph at the end."
    assert 1 <= ingest(Document("a", longer)).embedded < 3
    assert ingest(Document("copy", longer)).embedded == 0


def test_an_empty_index_is_searched_without_complaint(index: Index, caplog: pytest.LogCaptureFixture) -> None:
    with index.view(dense=True, lexical=True) as view:
        assert len(view.dense) == 0
        assert view.lexical.search("anything", 10) == []
    assert caplog.records == []


def test_documents_can_come_after_an_empty_search(index: Index, ingest: Ingest) -> None:
    held(index)
    ingest(Document("a", "common"))
    assert held(index) == everywhere("a")


def test_an_index_open_elsewhere_sees_what_comes(open_index: OpenIndex, ingest: Ingest) -> None:
    other = open_index()
    for name in ("a", "b"):
        ingest(Document(name, f"common {name}"))
        assert held(other)["catalog"][-1] == name
        assert held(other) == held(open_index())


def test_an_index_open_elsewhere_follows_an_embedder_of_another_dimension(
    open_index: OpenIndex, index: Index, ingest: Ingest
) -> None:
    from benchmarks.faults.victim import ingest_job

    ingest(Document("a", "common"))
    other = open_index()
    assert held(other) == everywhere("a")
    ingest_job(index, HashingEmbedder(dimension=16)).re_embed()
    assert held(other) == everywhere("a")
    assert held(index) == everywhere("a")


def test_a_leg_that_was_not_asked_for_is_refused(index: Index) -> None:
    with index.view(dense=False, lexical=False) as view:
        with pytest.raises(LookupError):
            view.dense  # noqa: B018
        with pytest.raises(LookupError):
            view.lexical  # noqa: B018


def test_a_vanished_catalog_is_damage_not_a_new_index(index: Index, ingest: Ingest, index_folder: Path) -> None:
    ingest(Document("a", "common"))
    index.close()
    for file in index_folder.glob("catalog.sqlite*"):
        file.unlink()
    with pytest.raises(CatalogDamagedError, match="gone"):
        Index.open(index_folder, create=True)


def test_leftovers_of_a_killed_birth_do_not_stand_in_the_way(index_folder: Path) -> None:
    index_folder.mkdir()
    (index_folder / "catalog.new").write_bytes(b"half")
    (index_folder / "catalog.new-wal").write_bytes(b"half")
    Index.open(index_folder, create=True).close()
    assert not list(index_folder.glob("catalog.new*"))


def in_process(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *map(str, arguments)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
    )


AS_NOBODY = """
import os, sys, pathlib, tempfile
sys.path.insert(0, os.getcwd())
from benchmarks.faults.hashing_embedder import HashingEmbedder
from benchmarks.faults.victim import ingest_job
from rag_engine.errors import IndexReadOnlyError
from rag_engine.index import Index
from rag_engine.types.document import Document

def search(folder):
    index = Index.open(folder)
    with index.view(dense=True, lexical=True) as view:
        print(len(view.dense), [hit.chunk for hit in view.lexical.search("common", 9)])
    return index

with tempfile.TemporaryDirectory() as warm:  # imports everything: another user may not read the interpreter's files
    warmed = Index.open(pathlib.Path(warm, "index"), create=True)
    ingest_job(warmed, HashingEmbedder()).ingest_documents([Document("b", "more")])
    warmed.close()
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
try:
    index = search(pathlib.Path(sys.argv[1]))
    ingest_job(index, HashingEmbedder()).ingest_documents([Document("b", "more")])
except IndexReadOnlyError as error:
    print(error.public_message)
"""


def as_nobody(index_folder: Path, tmp_path: Path) -> list[str]:
    """What AS_NOBODY prints of an index that only its owner can write."""
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)  # pytest's folders are the user's own; another user must get through
    for path in (*index_folder.rglob("*"), index_folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        done = in_process(AS_NOBODY, index_folder)
    finally:
        for path in (index_folder, *index_folder.rglob("*")):
            path.chmod(0o755)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_commits_that_cannot_be_read_in_a_read_only_folder_are_not_passed_over(
    index: Index, ingest: Ingest, index_folder: Path, tmp_path: Path
) -> None:
    ingest(Document("a", "common"))
    killed = Path(shutil.copytree(index_folder, tmp_path / "killed"))  # its commits are still in the journal
    (killed / "catalog.sqlite-shm").unlink()
    [refused] = as_nobody(killed, tmp_path)
    assert "holds commits" in refused
    Index.open(killed).close()
    assert as_nobody(killed, tmp_path)[0] == "1 [1]"


def test_a_read_only_folder_is_searched_and_not_written(
    index: Index, ingest: Ingest, index_folder: Path, tmp_path: Path
) -> None:
    ingest(Document("a", "common"))
    index.close()
    searched, refused = as_nobody(index_folder, tmp_path)
    assert searched == "1 [1]"
    assert "cannot be" in refused
    assert "--root" in refused


def test_caches_behind_the_catalog_in_a_read_only_folder_are_caught_up_in_memory(
    index: Index, ingest: Ingest, index_folder: Path, tmp_path: Path
) -> None:
    ingest(Document("a", "common"))
    index.caches.save()
    behind = Path(shutil.copytree(index_folder / "dense", tmp_path / "behind"))
    ingest(Document("c", "common too"))
    index.close()
    shutil.rmtree(index_folder / "dense")
    shutil.copytree(behind, index_folder / "dense")
    before = {path: path.read_bytes() for path in (index_folder / "dense").iterdir()}
    assert as_nobody(index_folder, tmp_path)[0] == "2 [1, 2]"
    assert {path: path.read_bytes() for path in (index_folder / "dense").iterdir()} == before


READER = """
import sys, pathlib, collections
from rag_engine.index import Index
index = Index.open(pathlib.Path(sys.argv[1]))
print("ready", flush=True)
views = torn = 0
seen = set()
while max(seen, default=0) < int(sys.argv[2]):
    with index.view(dense=True, lexical=True) as view:
        hits = [hit.chunk for hit in view.lexical.search("common", 10_000)]
        groups = collections.Counter(p.metadata["group"] for p in view.passages(hits).values())
        torn += any(count != 5 for count in groups.values())
        numbers = index.catalog.chunk_numbers().tolist()
        torn += sorted(hits) != numbers or view.dense.numbers().tolist() != numbers
    views += 1
    seen.add(len(groups))
print(views, torn, len(seen))
"""


def test_readers_in_other_processes_see_each_commit_whole(
    index: Index, index_folder: Path, hashing_embedder: HashingEmbedder
) -> None:
    from benchmarks.faults.victim import ingest_job

    groups = 12
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, str(index_folder), str(groups)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for reader in readers:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
    for group in range(groups):
        ingest_job(index, hashing_embedder).ingest_documents(
            Document(f"{group}/{number}", f"common text {group} {number}", metadata={"group": group})
            for number in range(5)
        )
    for reader in readers:
        output, _ = reader.communicate(timeout=60)
        assert reader.returncode == 0
        views, torn, distinct = map(int, output.split())
        assert torn == 0
        assert views >= distinct >= 1


def test_the_lock_file_says_what_the_catalog_says(index: Index, ingest: Ingest, index_folder: Path) -> None:
    ingest(Document("a", "common"))
    lock = json.loads((index_folder / "rag.lock.json").read_text())
    assert lock["embedder"]["model"] == "hashing-0"
    assert len(lock["canaries"]) == 16
    (index_folder / "rag.lock.json").write_text("{}")
    ingest(Document("b", "common"))
    assert json.loads((index_folder / "rag.lock.json").read_text()) == lock


def test_a_disk_without_space_keeps_what_was_committed(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.getuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)]).returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        fill_and_check(disk)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def fill_and_check(disk: Path) -> None:
    from benchmarks.faults.victim import ingest_job
    from rag_engine.errors import StorageFullError

    index = Index.open(disk / "index", create=True)
    committed = 0
    with pytest.raises(StorageFullError):  # noqa: PT012 - the error comes from one of many rounds
        for number in range(1000):
            text = f"common text {number} " + " ".join(f"word{number}x{word}" for word in range(400))
            ingest_job(index, HashingEmbedder()).ingest_documents([Document(f"d{number}", text)])
            committed = number + 1
    assert committed > 3
    index.close()
    index = Index.open(disk / "index")
    assert index.catalog.integrity_findings() == []
    assert list(index.catalog.broken_documents()) == []
    assert index.catalog.document_ids()[:committed] == [f"d{number}" for number in range(committed)]
    index.close()


def test_a_read_only_error_names_the_way_out(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("no folder")
    with pytest.raises(StorageError) as raised:
        Index.open(file / "index", create=True)
    assert "--root" in raised.value.hint
