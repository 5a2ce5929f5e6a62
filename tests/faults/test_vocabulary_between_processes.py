"""Word files that are written, killed while written, and read by several processes at once."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from benchmarks.faults.hashing_embedder import HashingEmbedder
from benchmarks.faults.victim import ingest_job
from rag_engine.errors import CacheDamagedError
from rag_engine.index import Index
from rag_engine.index.vocabulary import WordIndex
from rag_engine.types.document import Document

REPOSITORY = Path(__file__).resolve().parents[2]
WRITER = """
import sys
from pathlib import Path
from rag_engine.index.vocabulary import WordIndex
folder = Path(sys.argv[1])
names = [a + b + c for a in "abcdefgh" for b in "ijklmnop" for c in "qrstuvwxyz"]
words = WordIndex.load(folder, index_id="mine")
print("ready", flush=True)
while True:
    commit = words.commit + 1
    words.update(["common " + " ".join(names[commit % 90 :: 90])], removed=0, commit=commit)
    if commit % 7 == 0:
        words = words.emptied()
        words.update(["common"] * commit, removed=0, commit=commit + 1)
"""


def start_writer(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder)]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_files_of_a_killed_writer_are_whole_and_later_ones_are_never_older(tmp_path: Path) -> None:
    folder = tmp_path / "vocabulary"
    WordIndex(folder, index_id="mine").update(["common"], removed=0, commit=1)
    generator = random.Random(1)
    reached = 1
    for _ in range(12):
        with start_writer(folder) as process:
            time.sleep(generator.uniform(0, 0.1))
            process.kill()
        words = WordIndex.load(folder, index_id="mine", read=True)
        assert words.commit >= reached
        assert words.count("common")[0] == words.chunks
        reached = words.commit
    assert reached > 12
    # What kills left behind goes with the next update.
    words.update(["common"], removed=0, commit=reached + 1)
    assert sorted(path.name for path in folder.glob("words.*")) == sorted(file.name for file in words._files)


def test_readers_beside_a_writer_see_whole_words_of_some_commit(tmp_path: Path) -> None:
    folder = tmp_path / "vocabulary"
    WordIndex(folder, index_id="mine").update(["common"], removed=0, commit=1)
    seen: list[int] = []
    with start_writer(folder) as process:
        end = time.monotonic() + 2
        while time.monotonic() < end:
            try:
                words = WordIndex.load(folder, index_id="mine")
            except CacheDamagedError:
                continue  # a file went between the manifest and its opening: the cache's lock settles this
            assert words.count("common")[0] == words.chunks
            assert dict(words.near("comon", 1))["common"][1] == words.chunks
            seen.append(words.commit)
        process.kill()
    assert seen == sorted(seen)
    assert len(set(seen)) > 3


def test_an_index_whose_word_files_vanish_under_a_reader_answers_on(tmp_path: Path) -> None:
    documents = [Document(f"d{number}", f"Common text about turbines {number}") for number in range(5)]
    with closing(Index.open(tmp_path / "index", create=True)) as index:
        ingest_job(index, HashingEmbedder()).ingest_documents(documents)
        for path in (tmp_path / "index" / "vocabulary").iterdir():
            path.unlink()
        with index.view(dense=False, lexical=True) as view:
            assert view.vocabulary.near("turbnies", 1) == [("turbines", 5)]
    with closing(Index.open(tmp_path / "index")) as index, index.view(dense=True, lexical=False) as view:
        assert view.vocabulary.frequency("turbines") == 5


def test_removed_words_are_found_no_more_and_leave_the_files_in_the_end(tmp_path: Path) -> None:
    with closing(Index.open(tmp_path / "index", create=True)) as index:
        job = ingest_job(index, HashingEmbedder())
        job.ingest_documents([Document(f"d{number}", f"Common turbines {number}") for number in range(80)])
        for _ in range(2):
            changed = [Document(f"d{number}", f"Common propellers {number} {_}") for number in range(80)]
            ingest_job(index, HashingEmbedder()).ingest_documents(changed)
        with index.view(dense=False, lexical=True) as view:
            assert view.vocabulary.found("turbines") == 0
            assert view.vocabulary.frequency("turbines") == 0
            assert view.vocabulary.frequency("propellers") == 80
