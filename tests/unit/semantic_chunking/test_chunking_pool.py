"""A pool of processes chunks as the chunker does, in order, whatever happens to a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from benchmarks.faults.faulty_chunker import DEADLY, DEADLY_ONCE, EXHAUSTING, FAULTY, FaultyChunker
from rag_engine.errors import ChunkingError, ModelDamagedError
from rag_engine.semantic_chunking import ChunkingPool, FixedWindowChunker, StructuralChunker
from rag_engine.token_counter import EstimatedTokenizer, ModelTokenizer
from rag_engine.types.document import Chunk, Document

CHUNKER = StructuralChunker(tokenizer=EstimatedTokenizer(), max_tokens=64, target_tokens=64)


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[ChunkingPool]:
    """Two processes from the first document on, that fail where a document says so."""
    with ChunkingPool(chunker=FaultyChunker(CHUNKER, notes=tmp_path), workers=2, small_characters=0) as pool:
        yield pool


def documents(count: int) -> list[Document]:
    return [
        Document(f"{number}", f"# Part {number}\n\n" + f"Sentence {number} says something. " * (number % 40 + 1))
        for number in range(count)
    ]


def chunked(pool: ChunkingPool, *given: Document) -> list[list[Chunk]]:
    return [pending.result() for pending in [pool.submit(document) for document in given]]


def test_every_document_gets_the_chunkers_own_chunks_in_order(pool: ChunkingPool) -> None:
    given = documents(300)
    assert chunked(pool, *given) == [CHUNKER.chunk(document) for document in given]
    assert 1 <= len(pool.process_ids) <= 2


def test_texts_beyond_the_basic_plane_and_titles_come_back_as_they_were(pool: ChunkingPool) -> None:
    document = Document("a", "😀 née 漢字. " * 60, title="Ein Titel: 漢字")
    assert chunked(pool, document) == [CHUNKER.chunk(document)]


def test_a_little_is_chunked_without_a_process() -> None:
    with ChunkingPool(chunker=CHUNKER, workers=2, small_characters=1000) as pool:
        little, much = Document("a", "A sentence. " * 50), Document("b", "A sentence. " * 50)
        assert chunked(pool, little) == [CHUNKER.chunk(little)]
        assert pool.process_ids == []
        assert chunked(pool, much) == [CHUNKER.chunk(much)]
        assert len(pool.process_ids) == 1


def test_a_chunker_that_cannot_be_sent_chunks_here() -> None:
    class Local(FixedWindowChunker):
        pass

    chunker = Local(tokenizer=EstimatedTokenizer(), window_tokens=64)
    with ChunkingPool(chunker=chunker, workers=2, small_characters=0) as pool:
        given = documents(20)
        assert chunked(pool, *given) == [chunker.chunk(document) for document in given]
        assert pool.process_ids == []


def test_a_killed_process_is_replaced_and_its_documents_are_chunked_again(pool: ChunkingPool) -> None:
    given = documents(2000)
    pending = [pool.submit(document) for document in given[:1000]]
    found = [pending[0].result()]
    for process in pool.process_ids:
        os.kill(process, signal.SIGKILL)
    pending += [pool.submit(document) for document in given[1000:]]
    found += [one.result() for one in pending[1:]]
    assert found == [CHUNKER.chunk(document) for document in given]


def test_a_document_that_ends_its_process_once_is_tried_again(pool: ChunkingPool) -> None:
    given = [*documents(5), Document("once", DEADLY_ONCE), *documents(5)]
    assert chunked(pool, *given) == [CHUNKER.chunk(document) for document in given]


@pytest.mark.parametrize(("text", "reason"), [(DEADLY, "died"), (EXHAUSTING, "died"), (FAULTY, "ValueError")])
def test_a_document_at_fault_fails_alone_and_says_why(pool: ChunkingPool, text: str, reason: str) -> None:
    pending = [pool.submit(document) for document in (*documents(9), Document("bad", text), *documents(9))]
    for one, document in zip(pending[:9], documents(9), strict=True):
        assert one.result() == CHUNKER.chunk(document)
    with pytest.raises(ChunkingError, match=reason) as caught:
        pending[9].result()
    assert "bad" in caught.value.message
    for one, document in zip(pending[10:], documents(9), strict=True):
        assert one.result() == CHUNKER.chunk(document)


def test_what_is_wrong_with_the_chunker_itself_is_told_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    file.write_text("{}")
    tokenizer = ModelTokenizer(file, name="damaged")
    tokenizer.special_tokens = 2
    chunker = StructuralChunker(tokenizer=tokenizer, max_tokens=64, target_tokens=64)
    for small in (0, 10_000):
        with (
            ChunkingPool(chunker=chunker, workers=1, small_characters=small) as pool,
            pytest.raises(ModelDamagedError),
        ):
            chunked(pool, Document("a", "text"))


def test_only_so_much_is_under_way(pool: ChunkingPool) -> None:
    assert not pool.full
    large = [pool.submit(Document(f"{number}", "A sentence. " * 100_000)) for number in range(4)]
    assert pool.full
    for pending in large:
        pending.result()
    assert not pool.full


def test_leaving_in_the_middle_ends_every_process_and_thread(tmp_path: Path) -> None:
    with ChunkingPool(chunker=CHUNKER, workers=2, small_characters=0) as pool:
        for number in range(200):
            pool.submit(Document(f"{number}", "A sentence goes here. " * 2000))
        while not (processes := pool.process_ids):
            time.sleep(0.01)
    assert pool.process_ids == []
    assert not any(psutil.pid_exists(process) for process in processes)


def test_the_processes_end_with_their_parent() -> None:
    program = (
        "import time; from rag_engine.semantic_chunking import ChunkingPool, StructuralChunker\n"
        "from rag_engine.token_counter import EstimatedTokenizer; from rag_engine.types.document import Document\n"
        "chunker = StructuralChunker(tokenizer=EstimatedTokenizer(), max_tokens=64, target_tokens=64)\n"
        "with ChunkingPool(chunker=chunker, workers=1, small_characters=0) as pool:\n"
        "    pool.submit(Document('a', 'text')).result()\n"
        "    print(*pool.process_ids, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    assert psutil.wait_procs([child], timeout=60)[0] == [child]


def test_an_interrupt_does_not_stop_a_process(pool: ChunkingPool) -> None:
    (document,) = documents(1)
    chunked(pool, document)
    (process,) = pool.process_ids
    os.kill(process, signal.SIGINT)
    assert chunked(pool, document) == [CHUNKER.chunk(document)]
    assert pool.process_ids == [process]


def test_a_process_starts_without_the_heavy_libraries_and_without_the_users_program(tmp_path: Path) -> None:
    heavy = "{'torch', 'faiss', 'pydantic', 'opentelemetry', 'sqlite3', 'sqlite_utils', 'tantivy', 'tokenizers'}"
    program = (
        "import sys; before = set(sys.modules); import rag_engine.semantic_chunking.chunking_worker; "
        f"print(sorted({heavy} & (set(sys.modules) - before)))"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
    script = tmp_path / "script.py"  # without ``if __name__ == "__main__"``, as people write them
    script.write_text(
        "from rag_engine.semantic_chunking import ChunkingPool, StructuralChunker\n"
        "from rag_engine.token_counter import EstimatedTokenizer; from rag_engine.types.document import Document\n"
        "print('run')\n"
        "chunker = StructuralChunker(tokenizer=EstimatedTokenizer(), max_tokens=64, target_tokens=64)\n"
        "with ChunkingPool(chunker=chunker, workers=2, small_characters=0) as pool:\n"
        "    print(len(pool.submit(Document('a', 'text')).result()), len(pool.process_ids))\n"
    )
    shown = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["run", "1", "1"]
