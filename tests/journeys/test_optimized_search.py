"""What is made of a question, as the user of the command sees it; the real model, no network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag_engine import Document, Engine, Settings
from rag_engine.types.optimization import QueryExperience, StrategyName, TaskType
from tests.journeys.conftest import Rag

NOTES = (
    ("n1", "Holidays", "All stores are closed on the first of January.", 2024, "Amelia Brandt"),
    ("n2", "Parking", "Parking is free behind the Harbour store.", 2019, "Jane Smith"),
    ("n3", "Killing Time", "Killing Time is a short film by Mark Doyle.", 2001, "Jane Smith"),
    ("n4", "Mark Doyle", "Mark Doyle, a director, grew up in Galway.", 2001, "Jane Smith"),
)


@pytest.fixture
def notes(tmp_path: Path, rag: Rag) -> Path:
    file = tmp_path / "notes.jsonl"
    rows = [dict(zip(("_id", "title", "text", "year", "author"), note, strict=True)) for note in NOTES]
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert rag("ingest", file).status == 0
    return file


@pytest.mark.usefixtures("notes")
def test_a_search_says_what_was_made_of_the_question(rag: Rag) -> None:
    question = "Could you please tell me about parking author: Smith"
    found = rag("search", question, "--mode", "lexical", "--json").json
    assert found["query"] == question
    assert found["optimized"]["text"] == "parking"
    assert [step["strategy"] for step in found["optimized"]["steps"]] == ["simplification", "constraints"]
    assert [hit["document"] for hit in found["results"]] == ["n2"]
    assert found["notes"] == []
    shown = rag("search", question, "--mode", "lexical").out
    assert "searched for: parking" in " ".join(shown.split())


@pytest.mark.usefixtures("notes")
def test_no_optimize_searches_for_the_question_as_it_stands(rag: Rag) -> None:
    found = rag("search", "Could you please tell me about parking", "--mode", "lexical", "--no-optimize", "--json").json
    assert found["optimized"] is None
    assert [hit["document"] for hit in found["results"]] == ["n2"]


@pytest.mark.usefixtures("notes")
def test_a_filter_that_admits_nothing_is_never_loosened_and_is_named(rag: Rag) -> None:
    found = rag(
        "search", "parking", "--mode", "lexical", "--filter", "year >= 2019 and author == 'Miller'", "--json"
    ).json
    assert found["results"] == []
    assert found["notes"] == ["the filter admits no document: none satisfies author == 'Miller'"]


@pytest.mark.usefixtures("notes")
def test_a_year_in_the_question_finds_its_documents_and_is_let_go_where_nothing_has_the_words(rag: Rag) -> None:
    found = rag("search", "notes from 2019 about the store", "--mode", "lexical", "--json").json
    assert [hit["document"] for hit in found["results"]] == ["n2"]
    gone = rag("search", "notes from 2019 about January", "--mode", "lexical", "--json").json
    assert [hit["document"] for hit in gone["results"]][:1] == ["n1"]
    assert "searched without" in gone["optimized"]["steps"][0]["reason"]


@pytest.mark.usefixtures("notes")
def test_a_name_in_the_first_result_leads_to_the_document_that_answers(rag: Rag) -> None:
    question = "In what town was the man who made Killing Time raised?"
    with_it = rag("search", question, "-k", "2", "--json").json
    assert [hit["document"] for hit in with_it["results"]] == ["n3", "n4"]
    assert with_it["optimized"]["steps"][0]["strategy"] == "decomposition"
    assert 0 < with_it["optimized"]["quality"] < 1


@pytest.mark.usefixtures("notes")
def test_questions_that_are_none_are_searched_for_all_the_same(rag: Rag) -> None:
    for question in ("the of and", "!!! ???", "'; DROP TABLE documents; --", "駐車場はどこですか", "word " * 3_900):
        assert rag("search", question, "--json").status == 0
        assert rag("ask", question, "--json").status == 0


def test_an_evaluation_learns_what_strategies_gain(rag: Rag, notes: Path, tmp_path: Path) -> None:
    gold = tmp_path / "gold"
    (gold / "qrels").mkdir(parents=True)
    (gold / "corpus.jsonl").write_text(notes.read_text(encoding="utf-8"), encoding="utf-8")
    questions = {"q1": "Could you please tell me about parking", "q2": "holidays"}
    lines = [json.dumps({"_id": key, "text": text}) for key, text in questions.items()]
    (gold / "queries.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (gold / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tn2\t1\nq2\tn1\t1\n", encoding="utf-8")
    found = rag("eval", gold, "--mode", "lexical", "--learn", "--json").json
    assert found["learned"] == {"simplification": 1}
    again = rag("search", "please tell me about parking", "-i", "gold-gold", "--mode", "lexical", "--json").json
    assert again["optimized"]["steps"][0]["applied"]
    refused = rag("eval", gold, "--learn", "--no-optimize")
    assert refused.status == 2
    assert "--no-optimize" in refused.err


def test_a_strategy_that_did_harm_is_left_alone_after_it_was_recorded(tmp_path: Path) -> None:
    question = "Could you please tell me about parking"
    with Engine.open(tmp_path / "index", settings=Settings()) as engine:
        engine.ingest(Document("a", "Parking is free.", "Parking", {}))
        plan = engine.look_up(question, mode="lexical").optimized
        assert plan is not None
        assert plan.text == "parking"
        harm = QueryExperience(TaskType.QUESTION, StrategyName.SIMPLIFICATION, plan.features, -1.0, 1.0)
        for _ in range(3):
            engine.record(harm)
    with Engine.open(tmp_path / "index", settings=Settings()) as engine:
        plan = engine.look_up(question, mode="lexical").optimized
        assert plan is not None
        assert (plan.text, plan.steps[0].applied) == (question, False)


def test_a_damaged_ledger_stops_no_search(tmp_path: Path) -> None:
    with Engine.open(tmp_path / "index", settings=Settings()) as engine:
        engine.ingest(Document("a", "Parking is free.", "Parking", {}))
    (tmp_path / "index" / "ledger.sqlite").write_bytes(b"not a database " * 1000)
    with Engine.open(tmp_path / "index", settings=Settings()) as engine:
        assert [hit.document_id for hit in engine.search("please tell me about parking", mode="lexical")] == ["a"]
