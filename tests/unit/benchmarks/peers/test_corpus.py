"""The documents and questions that all peers get."""

import json
from pathlib import Path

import pytest

from benchmarks.peers.corpus import EDITED_SENTENCE, prepare

DOCUMENTS = 300


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    """A gold set whose question n is answered by document 299 - n."""
    folder = tmp_path / "gold"
    (folder / "qrels").mkdir(parents=True)
    rows = [{"_id": f"d{number}", "title": "", "text": f"Text {number}."} for number in range(DOCUMENTS)]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    questions = [{"_id": f"q{number}", "text": f"question {number}"} for number in range(DOCUMENTS)]
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in questions))
    judgements = [f"q{number}\td{DOCUMENTS - 1 - number}\t1\n" for number in range(DOCUMENTS - 50)]
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(judgements))
    return folder


def ids(file: Path) -> list[str]:
    return [json.loads(line)["_id"] for line in file.read_text().splitlines()]


def test_a_whole_corpus_is_taken_with_its_judged_questions(gold: Path, tmp_path: Path) -> None:
    corpus = prepare(gold, tmp_path / "work")

    assert corpus.documents == DOCUMENTS
    assert corpus.original.read_text() == (gold / "corpus.jsonl").read_text()
    assert len(corpus.gold.questions) == DOCUMENTS - 50


def test_a_cut_corpus_holds_all_that_its_questions_need(gold: Path, tmp_path: Path) -> None:
    corpus = prepare(gold, tmp_path / "work", documents=100)

    held = ids(corpus.original)
    assert len(held) == corpus.documents == 100
    assert len(corpus.gold.questions) == 50
    assert {document for question in corpus.gold.questions for document in question.relevant} <= set(held)
    assert corpus.first_question == "question 0"


def test_one_document_of_a_hundred_is_edited(gold: Path, tmp_path: Path) -> None:
    corpus = prepare(gold, tmp_path / "work")

    pairs = zip(corpus.original.read_text().splitlines(), corpus.edited.read_text().splitlines(), strict=True)
    changed = [(json.loads(before), json.loads(after)) for before, after in pairs if before != after]
    assert len(changed) == DOCUMENTS / 100
    assert all(after == {**before, "text": before["text"] + EDITED_SENTENCE} for before, after in changed)


def test_preparing_again_gives_the_same(gold: Path, tmp_path: Path) -> None:
    first = prepare(gold, tmp_path / "work", documents=100)
    before = {file.name: file.read_bytes() for file in first.folder.iterdir() if file.is_file()}

    prepare(gold, tmp_path / "work", documents=100)

    assert {file.name: file.read_bytes() for file in first.folder.iterdir() if file.is_file()} == before
