"""``rag trace``: from an answer to what it took, without a word of what was asked."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from rag_engine import Engine
from rag_engine.config import load_settings
from rag_engine.tracing import read_traces
from tests.journeys.conftest import Rag

QUESTION = "when are refunds paid?"


@pytest.fixture
def folder(tmp_path: Path, rag: Rag, shop: Path) -> Path:
    """An index that was made, asked and searched."""
    assert rag("ingest", shop).status == 0
    return tmp_path / "indexes" / "default"


def test_an_answers_trace_is_found_by_its_id_and_shows_every_stage(rag: Rag, folder: Path) -> None:
    answer = rag("ask", QUESTION, "--json").json
    assert len(answer["trace"]) == 32
    outcome = rag("trace", answer["trace"])
    assert outcome.status == 0
    first, *others = outcome.out.splitlines()
    assert first.startswith("ask  ")
    assert answer["trace"] in first
    text = outcome.out
    for stage in ("ask retrieve", "search", "retrieval", "ask build prompt", "chat extractive", "ask prove citations"):
        assert f" {stage}  " in text, stage
    assert all(line[0] in "├└│ " for line in others)
    assert rag("trace", answer["trace"][:8]).out == outcome.out


def test_nothing_of_question_or_documents_stands_in_traces(rag: Rag, folder: Path) -> None:
    rag("ask", QUESTION)
    rag("search", "gift cards")
    written = "".join(path.read_text() for path in folder.glob("traces*.jsonl"))
    assert written.count("\n") == 3
    for text in ("refunds paid", "gift cards", "Gift cards", "14 days", "Rotterdam"):
        assert text not in written


def test_with_content_the_question_stands_there(rag: Rag, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_ENGINE__TRACING__CONTENT", "true")
    rag("search", "gift\x1b[2J cards")
    shown = rag("trace", "-n", "1").out
    assert "retrieval.query.text=gift" in shown
    assert "\x1b" not in shown


def test_the_last_ones_are_shown_oldest_first_and_as_many_as_asked_for(rag: Rag, folder: Path) -> None:
    rag("ask", QUESTION)
    rag("search", "stores")
    traces = rag("trace", "--json").json["traces"]
    assert [trace["root"]["name"] for trace in traces] == ["ingest", "ask", "search"]
    assert [trace["root"]["name"] for trace in rag("trace", "--last", 1, "--json").json["traces"]] == ["search"]


def test_the_slowest_come_first_and_the_failing_alone(rag: Rag, folder: Path) -> None:
    rag("search", "stores")
    assert rag("search", "stores", "--model", "no-such-model-anywhere").status == 1
    everything = rag("trace", "--slowest", "--last", 9, "--json").json["traces"]
    seconds = [trace["root"]["seconds"] for trace in everything]
    assert seconds == sorted(seconds, reverse=True)
    failing = rag("trace", "--failing", "--json").json["traces"]
    assert [trace["root"]["error"] for trace in failing] == ["model_not_found"]
    assert "model_not_found" in rag("trace", "--failing").out
    rows = rag("trace", "--operations", "--failing", "--json").json["operations"]
    assert {row["last_error"] for row in rows} == {"model_not_found"}


def test_the_figures_of_operations_are_those_of_the_traces(rag: Rag, folder: Path) -> None:
    for _ in range(3):
        rag("search", "stores")
    rows = {row["name"]: row for row in rag("trace", "--operations", "--json").json["operations"]}
    assert rows["search"]["count"] == 3
    assert rows["ingest"]["count"] == 1
    assert rows["search"]["least"] <= rows["search"]["p50"] <= rows["search"]["most"]
    table = rag("trace", "--operations", "--slowest").out
    assert table.splitlines()[1].startswith("ingest ")


def test_questions_of_an_evaluation_do_not_push_out_what_users_did(rag: Rag, folder: Path, tmp_path: Path) -> None:
    gold = tmp_path / "gold"
    gold.mkdir()
    (gold / "questions.jsonl").write_text(
        '{"id": "q1", "question": "when are refunds paid?", "answers": ["14 days"], "doc": "shop/refunds.md", '
        '"spans": [{"doc": "shop/refunds.md", "start": 11, "end": 18, "text": "Refunds"}]}\n'
    )
    before = len(read_traces(folder))
    assert rag("eval", gold).status == 0
    assert len(read_traces(folder)) == before


def test_in_python_too_the_id_leads_to_the_trace(rag: Rag, folder: Path) -> None:
    with Engine.open(folder, create=False) as engine:
        found = {engine.ask(QUESTION).trace, engine.ask(QUESTION).trace}
    assert len(found) == 2
    assert found == {record.trace for record in read_traces(folder)[-2:]}


def test_no_trace_is_kept_where_none_is_wished_and_the_id_is_there_all_the_same(
    rag: Rag, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_ENGINE__TRACING__KEEP", "0")
    before = len(read_traces(folder))
    answer = rag("ask", QUESTION, "--json").json
    assert len(read_traces(folder)) == before
    outcome = rag("trace", answer["trace"])
    assert outcome.status == 2
    assert "no trace" in outcome.err


def test_traces_that_cannot_be_written_fail_nothing(rag: Rag, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "traces.jsonl").unlink()
    (folder / "traces.jsonl").mkdir()
    with caplog.at_level(logging.WARNING), Engine.open(folder, settings=load_settings(), create=False) as engine:
        assert engine.search("stores")
        assert engine.ask(QUESTION).citations
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["traces are not kept"]
    assert rag("trace").status == 1


def test_traces_are_shown_where_the_index_itself_is_damaged(rag: Rag, folder: Path) -> None:
    (folder / "catalog.sqlite").write_bytes(b"no database")
    assert rag("trace").out.startswith("ingest  ")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("not-an-id",), 2, "no id of a trace"),
        (("ab",), 2, "at least 4"),
        (("0123456789",), 2, "no trace 0123456789"),
        (("--index", "none"), 1, "no index"),
        (("--last", "0"), 2, "--last"),
    ],
)
def test_wrong_use_is_said_in_one_line(
    rag: Rag, folder: Path, arguments: tuple[str, ...], status: int, said: str
) -> None:
    outcome = rag("trace", *arguments)
    assert (outcome.status, outcome.out) == (status, "")
    assert said in outcome.err


def test_before_anything_was_done_that_is_said(rag: Rag, tmp_path: Path) -> None:
    (tmp_path / "indexes" / "default").mkdir(parents=True)
    assert rag("trace").out == "no trace is kept yet\n"
    assert rag("trace", "--json").json == {"index": "default", "traces": []}
