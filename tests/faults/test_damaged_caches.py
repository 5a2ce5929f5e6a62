"""Index files that are damaged are noticed, rebuilt from the catalog, and never answered from."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.faults.hashing_embedder import HashingEmbedder
from benchmarks.faults.victim import ingest_job
from rag_engine.errors import CacheDamagedError
from rag_engine.index import Index
from rag_engine.types.document import Document

QUESTIONS = ("common text", "word7 of document 3", "shared heading")
Results = list[tuple[str, int]]


def documents(first: int, last: int) -> list[Document]:
    return [
        Document(f"d{number}", f"Common text with word{number}, of document {number}.", title="Shared heading")
        for number in range(first, last)
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of forty documents, a copy of its files as they were at twenty, and another index."""
    folder = tmp_path_factory.mktemp("made")
    for name, last in (("index", 20), ("other", 30)):
        with closing(Index.open(folder / name, create=True)) as index:
            ingest_job(index, HashingEmbedder()).ingest_documents(documents(0, last))
    shutil.copytree(folder / "index", folder / "older")
    with closing(Index.open(folder / "index")) as index:
        ingest_job(index, HashingEmbedder()).ingest_documents(documents(20, 40))
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "made")
    return tmp_path / "made" / "index"


def results(index: Index) -> dict[str, tuple[Results, ...]]:
    embedder = HashingEmbedder()
    with index.view(dense=True, lexical=True) as view:
        passages = view.passages(index.catalog.chunk_numbers().tolist())
        words = [(word, view.vocabulary.frequency(word)) for word in ("common", "shared", "absent")]

        def named(hits: list) -> Results:  # type: ignore[type-arg]
            # Without scores: BM25 counts what was removed until tantivy merges it away; a new index has none of it.
            return [(passages[hit.chunk].document_id, passages[hit.chunk].start) for hit in hits]

        return {
            question: (
                named(view.dense.search(embedder.embed([question])[0], 40)),
                named(view.lexical.search(question, 40)),
                named(view.stretches.search(question, 40)),
                words,
            )
            for question in QUESTIONS
        }


def dense_files(folder: Path) -> list[Path]:
    return list((folder / "dense").iterdir())


def segment_files(folder: Path) -> list[Path]:
    return [file for file in (folder / "lexical").iterdir() if len(file.stem) == 32]


def word_files(folder: Path) -> list[Path]:
    return list((folder / "vocabulary").iterdir())


def on_files(change: Callable[[Path], object], files: Callable[[Path], list[Path]]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        for file in files(folder):
            change(file)

    return damage


def truncate(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def zero(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def garbage(file: Path) -> None:
    file.write_bytes(os.urandom(file.stat().st_size))


def swap(name: str, origin: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        taken, given = folder / name, folder.parent / origin / name
        if taken.is_dir():
            shutil.rmtree(taken)
            shutil.copytree(given, taken)
        else:
            shutil.copy(given, taken)

    return damage


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


DAMAGES = {
    **{
        f"{change.__name__} {files.__name__}": on_files(change, files)
        for change in (truncate, zero, garbage, Path.unlink)
        for files in (dense_files, segment_files, word_files)
    },
    "no lexical folder": lambda folder: shutil.rmtree(folder / "lexical"),
    "no folder of stretches": lambda folder: shutil.rmtree(folder / "stretches"),
    "garbage meta of stretches": lambda folder: (folder / "stretches" / "meta.json").write_text("{{"),
    "no lexical meta": lambda folder: (folder / "lexical" / "meta.json").unlink(),
    "garbage lexical meta": lambda folder: (folder / "lexical" / "meta.json").write_text("{{"),
    "no dense folder": lambda folder: shutil.rmtree(folder / "dense"),
    "no dense manifest": lambda folder: (folder / "dense" / "manifest.json").unlink(),
    "no dense rows": lambda folder: next((folder / "dense").glob("rows.*")).unlink(),
    "one bit of the dense rows": lambda folder: flip(next((folder / "dense").glob("rows.*"))),
    "one bit of the dense manifest": lambda folder: flip(folder / "dense" / "manifest.json"),
    "no vocabulary folder": lambda folder: shutil.rmtree(folder / "vocabulary"),
    "no vocabulary manifest": lambda folder: (folder / "vocabulary" / "manifest.json").unlink(),
    "no words": lambda folder: next((folder / "vocabulary").glob("words.*")).unlink(),
    "one bit of the words": lambda folder: flip(next((folder / "vocabulary").glob("words.*"))),
    "one bit of the vocabulary manifest": lambda folder: flip(folder / "vocabulary" / "manifest.json"),
    "another index's vocabulary": swap("vocabulary", "other"),
    "another index's dense": swap("dense", "other"),
    "another index's lexical": swap("lexical", "other"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_is_noticed_and_mended_at_the_next_use(
    made: Path, folder: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    with closing(Index.open(made / "index")) as whole:
        expected = results(whole)
    damage(folder)
    # What is simply absent, as in a new index, is no damage to warn of.
    warned = all((folder / name).exists() for name in ("dense", "lexical", "stretches", "vocabulary"))
    with closing(Index.open(folder)) as index:
        assert any(isinstance(state, str) for state in index.caches.on_disk().values())
        assert results(index) == expected
        assert ("rebuilt from the catalog" in caplog.text) == warned
        index.caches.save()
        assert set(index.caches.on_disk().values()) == {index.catalog.commit_number()}


@pytest.mark.parametrize("name", ["dense", "lexical", "stretches", "vocabulary"])
def test_an_older_copy_catches_up(made: Path, folder: Path, name: str) -> None:
    swap(name, "older")(folder)
    with closing(Index.open(made / "index")) as whole, closing(Index.open(folder)) as index:
        assert index.caches.on_disk()[name] < index.catalog.commit_number()  # type: ignore[operator]
        assert results(index) == results(whole)


@pytest.mark.parametrize("change", [zero, garbage, Path.unlink], ids=lambda change: change.__name__)
def test_a_reader_whose_lexical_files_are_damaged_says_so_or_goes_on_and_then_answers(
    made: Path, folder: Path, change: Callable[[Path], None]
) -> None:
    """In a process of its own, that a crash would end."""
    for attempt in range(3):
        copy = folder.parent / f"copy-{attempt}"
        shutil.copytree(folder, copy)
        done = subprocess.run(
            [sys.executable, "-c", READER, str(copy), change.__name__],
            cwd=Path(__file__).resolve().parents[2],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == "[8]"


READER = """
import os, sys, pathlib
from rag_engine.errors import CacheDamagedError
from rag_engine.index import Index
folder = pathlib.Path(sys.argv[1])
index = Index.open(folder)
def search():
    with index.view(dense=True, lexical=True) as view:
        return [hit.chunk for hit in view.lexical.search("word7", 5)]
assert search() == [8]
for file in (folder / "lexical").iterdir():
    if len(file.stem) == 32:
        if sys.argv[2] == "unlink":
            file.unlink()
            continue
        size = file.stat().st_size
        with file.open("r+b") as opened:
            opened.write(bytes(size) if sys.argv[2] == "zero" else os.urandom(size))
try:
    print(search())
except CacheDamagedError as error:
    print(error.public_message)
index.close()
index = Index.open(folder)
print(search())
"""


def test_a_panic_inside_the_search_is_an_error_of_ours(folder: Path) -> None:
    with closing(Index.open(folder)) as index:
        with index.view(dense=False, lexical=True) as view:
            for file in segment_files(folder):
                with file.open("r+b") as opened:
                    opened.write(b"\xff" * file.stat().st_size)
            with pytest.raises(CacheDamagedError):
                view.lexical.search("common word7", 5)
        with index.view(dense=False, lexical=True) as view:
            assert [hit.chunk for hit in view.lexical.search("word7", 5)] == [8]
