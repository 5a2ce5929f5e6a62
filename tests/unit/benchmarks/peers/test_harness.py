"""What the peers' programs share, with a peer that needs no model: it finds documents by common words."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.peers.catalogue import FOLDER
from rag_engine.embedding import DEFAULT_MODEL, find_model

PEER = """
import json
from harness import Peer, read_corpus, run


class Words(Peer):
    def ingest(self, corpus, store):
        records = read_corpus(corpus)
        (store / "texts.json").write_text(json.dumps([[record.id, record.content] for record in records]))
        return len(records)

    def open(self, store):
        self.texts = json.loads((store / "texts.json").read_text())

    def search(self, question, *, mode, k):
        common = lambda text: -len(set(text.lower().split()) & set(question.lower().split()))
        best = sorted(self.texts, key=lambda row: common(row[1]))[:k]
        return [identifier for identifier, _ in best for _ in range(2)]


run(Words)
"""


@pytest.fixture
def peer(tmp_path: Path) -> Path:
    """The program, with a corpus and questions beside it."""
    (tmp_path / "words_peer.py").write_text(PEER)
    rows = [("1", "Cells", "cells divide"), ("2", "", "stars shine"), ("3", "Rivers", "water flows")]
    lines = [json.dumps({"_id": identifier, "title": title, "text": text}) for identifier, title, text in rows]
    (tmp_path / "corpus.jsonl").write_text("\n".join(lines) + "\n")
    (tmp_path / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": "which stars shine"}) + "\n")
    return tmp_path


def run(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "words_peer.py", *arguments]
    environment = {"PYTHONPATH": str(FOLDER / "programs"), "PATH": ""}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_a_program_ingests_searches_and_answers(peer: Path) -> None:
    ingested = json.loads(run(peer, "ingest", "corpus.jsonl", "store", "--model", "."))
    assert ingested["embedded"] == 3
    assert ingested["seconds"] > 0

    searched = run(peer, "search", "store", "queries.jsonl", "out.json", "--mode", "dense", "--model", ".")
    out = json.loads((peer / "out.json").read_text())
    assert json.loads(searched)["questions"] == len(out["seconds"]) == 1
    assert out["rankings"]["q"][0] == "2"
    assert sorted(out["rankings"]["q"]) == ["1", "2", "3"]  # a document by its best chunk, once

    assert json.loads(run(peer, "cold", "store", "water flows", "--model", ".")) == {"first": ["3"]}


def test_the_imports_of_a_program_need_no_model(peer: Path) -> None:
    assert run(peer, "imports") == ""


@pytest.fixture(scope="module")
def windows():
    """``token_windows`` with the tokenizer of the default model."""
    transformers = pytest.importorskip("transformers")
    sys.path.insert(0, str(FOLDER / "programs"))
    try:
        import harness
    finally:
        sys.path.pop(0)
    tokenizer = transformers.AutoTokenizer.from_pretrained(find_model(DEFAULT_MODEL).folder)
    return lambda text: (harness.token_windows(tokenizer, text), tokenizer, harness.TEXT_TOKENS)


@given(
    words=st.lists(st.sampled_from(["a", "cell", "immunohistochemistry", "Ω", "3.14", "\n\n", "x" * 50]), max_size=700)
)
def test_windows_of_tokens_lose_nothing_and_fit_the_model(windows, words: list[str]) -> None:
    text = " ".join(words)

    pieces, tokenizer, most = windows(text)

    assert "".join(pieces) == text
    assert all(len(tokenizer(piece, add_special_tokens=False)["input_ids"]) <= most for piece in pieces)
