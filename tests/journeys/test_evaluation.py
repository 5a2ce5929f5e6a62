"""Scoring an index on gold sets of both forms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    folder = tmp_path / "gold" / "small"
    texts = {
        "cats": "Cats sleep for most of the day.",
        "bees": "Bees dance to tell each other where flowers are.",
        "iron": "Iron rusts in moist air.",
    }
    write_lines(folder / "corpus.jsonl", [{"_id": key, "title": key, "text": text} for key, text in texts.items()])
    write_lines(
        folder / "queries.jsonl",
        [
            {"_id": "q1", "text": "how do bees communicate"},
            {"_id": "q2", "text": "why does iron rust"},
            {"_id": "q3", "text": "how long do cats sleep"},
        ],
    )
    (folder / "qrels").mkdir()
    (folder / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\nq1\tbees\t1\nq2\tiron\t1\nq3\tcats\t1\n", encoding="utf-8"
    )
    return folder


def test_a_gold_set_with_its_corpus_is_scored_in_an_index_of_its_own(rag: Any, beir: Path, tmp_path: Path) -> None:
    outcome = rag("eval", beir, "--json", "--run-file", "first.run")
    assert outcome.status == 0
    report = outcome.json
    assert report["gold"] == "small"
    assert report["queries"] == 3
    assert report["significance"] is None
    assert report["metrics"]["nDCG@10"] == report["metrics"]["R@100"] == 1.0
    assert (tmp_path / "indexes" / "gold-small").is_dir()
    assert not (tmp_path / "indexes" / "default").exists()
    first = (tmp_path / "first.run").read_text(encoding="utf-8").splitlines()[0].split()
    assert first[:4] == ["q1", "Q0", "bees", "1"]


def test_a_baseline_is_compared_and_a_worse_run_fails_the_gate_when_asked(rag: Any, beir: Path, tmp_path: Path) -> None:
    rag("eval", beir, "--run-file", "now.run")
    same = rag("eval", beir, "--baseline", "now.run", "--fail-if-worse", "--json")
    assert same.status == 0
    assert same.json["significance"]["mean_difference"] == 0


def test_a_baseline_of_another_gold_set_is_refused(rag: Any, beir: Path, tmp_path: Path) -> None:
    (tmp_path / "other.run").write_text("x9 Q0 bees 1 0.5 other\n", encoding="utf-8")
    outcome = rag("eval", beir, "--baseline", "other.run")
    assert outcome.status == 1
    assert "x9" in outcome.err


def test_the_gate_needs_a_baseline(rag: Any, beir: Path) -> None:
    assert rag("eval", beir, "--fail-if-worse").status == 2


def test_qrels_that_name_unknown_documents_are_refused(rag: Any, beir: Path) -> None:
    with (beir / "qrels" / "test.tsv").open("a", encoding="utf-8") as file:
        file.write("q1\tdragons\t1\n")
    outcome = rag("eval", beir)
    assert outcome.status == 1
    assert "dragons" in outcome.err


def test_a_span_gold_set_scores_answers_on_what_was_ingested(rag: Any, shop: Path, tmp_path: Path) -> None:
    rag("ingest", "shop")
    text = (shop / "refunds.md").read_text(encoding="utf-8")
    start = text.index("14 days")
    span = {"doc": "shop/refunds.md", "start": start, "end": start + 7, "text": "14 days"}
    write_lines(
        tmp_path / "gold" / "shop" / "questions.jsonl",
        [
            {"id": "1", "question": "Within how many days are refunds paid?", "answers": ["14 days"], "spans": [span]},
            {"id": "2", "question": "Who painted the Mona Lisa?", "answers": [], "spans": []},
        ],
    )
    metrics = rag("eval", "gold/shop", "--json").json["metrics"]
    assert metrics["answer_in_citation"] == metrics["citation_intact"] == 1.0
    assert metrics["refusal_recall"] == 1.0
    assert {"exact_match", "f1", "refusal_precision", "nDCG@10"} <= set(metrics)


def test_a_span_that_is_not_in_the_documents_is_refused(rag: Any, shop: Path, tmp_path: Path) -> None:
    rag("ingest", "shop")
    span = {"doc": "shop/refunds.md", "start": 0, "end": 7, "text": "14 days"}
    write_lines(
        tmp_path / "gold" / "shop" / "questions.jsonl",
        [{"id": "1", "question": "When?", "answers": ["14 days"], "spans": [span]}],
    )
    assert rag("eval", "gold/shop").status == 1


def test_an_index_that_lacks_the_corpus_is_refused_rather_than_filled(rag: Any, shop: Path, beir: Path) -> None:
    rag("ingest", "shop")
    outcome = rag("eval", beir, "--index", "default")
    assert outcome.status == 1
    assert "lacks 3 documents" in outcome.err
