"""Scoring an index on gold sets of both forms."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

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


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A gold set of 22 questions, each with a document of its own."""
    folder = tmp_path / "gold" / "many"
    animals = re.findall(
        r"\w+", "cat dog bee ant owl bat cow hen fox pig rat elk emu yak eel cod koi ape ram ewe doe cub"
    )
    write_lines(
        folder / "corpus.jsonl", [{"_id": name, "title": name, "text": f"The {name} sleeps."} for name in animals]
    )
    write_lines(folder / "queries.jsonl", [{"_id": f"q-{name}", "text": f"where is the {name}?"} for name in animals])
    (folder / "qrels").mkdir()
    lines = "".join(f"q-{name}\t{name}\t1\n" for name in animals)
    (folder / "qrels" / "test.tsv").write_text(lines, encoding="utf-8")
    return folder


def turn_round(folder: Path) -> None:
    """The same questions and documents, whose texts are now about another animal each."""
    rows = [json.loads(line) for line in (folder / "corpus.jsonl").read_text(encoding="utf-8").splitlines()]
    texts = [(row["title"], row["text"]) for row in rows]
    for row, (title, text) in zip(rows, [*texts[1:], texts[0]], strict=True):
        row.update(title=title, text=text)
    write_lines(folder / "corpus.jsonl", rows)


@pytest.mark.parametrize("baseline", ["before.run", "before.json"])
def test_the_gate_opens_for_the_same_and_shuts_for_what_is_worse(
    rag: Any, many: Path, tmp_path: Path, baseline: str
) -> None:
    lexical = ("eval", many, "--mode", "lexical")
    before = rag(*lexical, "--run-file", "before.run", "--json")
    (tmp_path / "before.json").write_text(before.out, encoding="utf-8")
    same = rag(*lexical, "--baseline", baseline, "--fail-if-worse", "--json")
    assert same.status == 0
    assert (same.json["significance"]["worse"], same.json["significance"]["losses"]) == ([], [])
    assert {compared["difference"] for compared in same.json["significance"]["metrics"]} == {0}

    turn_round(many)
    files = ("--junit", "report.xml", "--html", "report.html")
    worse = rag(*lexical, "--baseline", baseline, "--fail-if-worse", "--json", *files)
    assert worse.status == 1
    significance = worse.json["significance"]
    assert "nDCG@10" in significance["worse"]
    assert significance["baseline"] == baseline
    reason = significance["losses"][0]["reasons"][0]
    assert "fell from 1 to" in reason or "1 before, is no longer among 100" in reason
    suites = ET.parse(tmp_path / "report.xml").getroot()
    assert int(suites.get("failures", 0)) == len(significance["worse"])
    assert reason.split(";")[0] in (tmp_path / "report.html").read_text(encoding="utf-8")
    # Without the option what is worse is told, and is no failure.
    told = rag(*lexical, "--baseline", baseline)
    assert told.status == 0
    assert " worse\n" in told.out


def test_a_gold_set_of_one_question_works_and_never_shuts_the_gate(rag: Any, beir: Path, tmp_path: Path) -> None:
    for name in ("queries.jsonl", "qrels/test.tsv"):
        lines = (beir / name).read_text(encoding="utf-8").splitlines(keepends=True)
        (beir / name).write_text("".join(lines[: 2 if name.endswith("tsv") else 1]), encoding="utf-8")
    (tmp_path / "best.run").write_text("q1 Q0 bees 1 1.0 best\n", encoding="utf-8")
    rows = [json.loads(line) for line in (beir / "corpus.jsonl").read_text(encoding="utf-8").splitlines()]
    write_lines(beir / "corpus.jsonl", [row | {"title": "Stones", "text": "Granite is hard."} for row in rows])
    outcome = rag("eval", beir, "--mode", "lexical", "--baseline", "best.run", "--fail-if-worse", "--html", "r.html")
    assert outcome.status == 0
    assert "nDCG@10: -1.0000" in outcome.out
    assert "one question can show nothing" in outcome.out


def test_an_evaluation_of_another_gold_set_is_refused_by_name(rag: Any, beir: Path, many: Path, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text(rag("eval", many, "--json").out, encoding="utf-8")
    outcome = rag("eval", beir, "--baseline", "other.json")
    assert outcome.status == 1
    assert "is of the gold set many, not of small" in outcome.err


def test_a_baseline_of_another_gold_set_is_refused(rag: Any, beir: Path, tmp_path: Path) -> None:
    (tmp_path / "other.run").write_text("x9 Q0 bees 1 0.5 other\n", encoding="utf-8")
    outcome = rag("eval", beir, "--baseline", "other.run")
    assert outcome.status == 1
    assert "x9" in outcome.err


def test_the_gate_needs_a_baseline(rag: Any, beir: Path) -> None:
    assert rag("eval", beir, "--fail-if-worse").status == 2
    assert rag("eval", beir, "--junit", "report.xml").status == 2


def test_a_report_that_could_not_be_written_is_refused_before_anything_is_done(
    rag: Any, beir: Path, tmp_path: Path
) -> None:
    outcome = rag("eval", beir, "--html", "absent/report.html")
    assert outcome.status == 1
    assert "there is no folder absent" in outcome.err
    assert not (tmp_path / "indexes").exists()


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
    assert {"exact_match", "f1", "refusal_precision", "nDCG@10", "AURC", "ECE"} <= set(metrics)


def test_answers_are_compared_with_a_stored_evaluation(rag: Any, shop: Path, tmp_path: Path) -> None:
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
    (tmp_path / "before.json").write_text(rag("eval", "gold/shop", "--json").out, encoding="utf-8")
    (tmp_path / "rag.toml").write_text("[answering]\nabstain_below = 1.0\n", encoding="utf-8")
    significance = rag("eval", "gold/shop", "--baseline", "before.json", "--json").json["significance"]
    by_name = {compared["metric"]: compared for compared in significance["metrics"]}
    assert list(by_name) == [
        "nDCG@10",
        "R@100",
        "RR@10",
        "f1",
        "answer_in_text",
        "answer_in_citation",
        "refusal_recall",
    ]
    assert by_name["answer_in_citation"]["difference"] == -1.0
    assert [(loss["query"], loss["reasons"]) for loss in significance["losses"]] == [("1", ["now abstains"])]


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
