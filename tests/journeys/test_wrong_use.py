"""Mistakes: one line that says what, why and the mend; status 2 for wrong usage, 1 for what failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def one_line(err: str) -> str:
    lines = [line for line in err.splitlines() if line.startswith("rag: ")]
    assert len(lines) == 1, err
    assert lines[0].endswith(")"), "the mend stands in brackets at the end"
    return lines[0]


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("ingest", "absent"), 1, "absent"),
        (("ingest", "*.nothing"), 1, "*.nothing"),
        (("ingest",), 2, "nothing to ingest"),
        (("ingest", "--re-embed"), 1, "no index"),
        (("search", "x", "-i", "absent"), 1, "no index"),
        (("search", "x", "-i", "../up"), 2, "no name for an index"),
        (("ask", "x", "-i", "absent"), 1, "no index"),
        (("status", "-i", "absent"), 1, "no index"),
        (("doctor", "-i", "absent"), 1, "no index"),
        (("eval", "absent"), 1, "absent"),
        (("verify", "absent.json"), 2, "absent.json"),
        (("search", "x", "--config", "absent.toml"), 2, "absent.toml"),
        (("search", "x", "--mode", "magic"), 2, "magic"),
        (("ingest", "shop", "--model", "no/such-model"), 1, "no/such-model"),
        (("ingest", "shop", "--model", "./absent-model"), 1, "absent-model"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_its_mend(
    rag: Any, shop: Path, arguments: tuple[str, ...], status: int, says: str
) -> None:
    outcome = rag(*arguments)
    assert outcome.status == status
    assert says in one_line(outcome.err)
    assert outcome.out == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("search", ""), "empty"),
        (("search", "y" * 100_000), "100,000"),
        (("search", "x", "-k", 0), "k is 0"),
        (("search", "x", "-k", 1_000_000), "1000000"),
        (("search", "x", "--filter", "year >>> 3"), "year >>> 3"),
        (("ask", "   "), "empty"),
        (("ask", "x", "--filter", "{"), "JSON"),
    ],
)  # fmt: skip
def test_an_unfit_question_is_wrong_usage(rag: Any, shop: Path, arguments: tuple[object, ...], says: str) -> None:
    rag("ingest", "shop")
    outcome = rag(*arguments)
    assert outcome.status == 2
    assert says in one_line(outcome.err)


@pytest.mark.parametrize(
    "question", ["\x00\x01what?", "\ud800 lone", "' OR 1=1 --", "AND OR NOT (", "title:^~*", "。", "🙂"]
)
def test_any_characters_may_be_asked(rag: Any, shop: Path, question: str) -> None:
    rag("ingest", "shop")
    for command in ("search", "ask"):
        outcome = rag(command, question, "--json")
        assert outcome.status == 0, outcome.err
        assert outcome.json


def test_a_filter_that_admits_nothing_finds_nothing(rag: Any, shop: Path) -> None:
    rag("ingest", "shop")
    assert rag("search", "refunds", "--filter", "year > 3000", "--json").json["results"] == []
    assert rag("ask", "refunds?", "--filter", "year > 3000", "--json").json["abstained"]


def test_files_that_cannot_be_read_are_listed_and_the_rest_goes_on(rag: Any, shop: Path) -> None:
    (shop / "picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (shop / "empty.md").write_bytes(b"")
    (shop / "broken.jsonl").write_text('{"_id": "ok", "text": "fine"}\n{"_id": \n', encoding="utf-8")
    (shop / "twice.jsonl").write_text('{"_id": "note-1", "text": "another text"}\n', encoding="utf-8")
    outcome = rag("ingest", "shop", "--json")
    report = outcome.json
    assert outcome.status == 0
    assert report["documents"]["added"] == 7
    failures = {
        (Path(failure["source"]).name.split(":")[0], failure["error"] != "", failure["hint"] != "")
        for failure in report["failures"]
    }
    assert failures == {(name, True, True) for name in ("picture.txt", "empty.md", "broken.jsonl", "twice.jsonl")}
    assert any(failure["source"].endswith("broken.jsonl:2") for failure in report["failures"])
    status = rag("status", "--json").json
    assert len(status["quarantined"]) == 4
    assert rag("doctor").status == 1

    again = rag("ingest", "shop", "--json").json
    assert again["documents"]["added"] == 0
    (shop / "empty.md").write_text("no longer empty", encoding="utf-8")
    assert rag("ingest", "shop", "--json").json["documents"]["added"] == 1


def test_when_nothing_could_be_ingested_the_status_says_so(rag: Any, tmp_path: Path) -> None:
    (tmp_path / "empty.md").write_bytes(b"")
    assert rag("ingest", "empty.md").status == 1


def test_an_unknown_setting_stops_every_command(rag: Any, shop: Path, tmp_path: Path) -> None:
    (tmp_path / "rag.toml").write_text("[retrieval]\nkk = 3\n", encoding="utf-8")
    outcome = rag("ingest", "shop")
    assert outcome.status == 2
    assert "retrieval.kk" in one_line(outcome.err)


def test_debug_shows_the_traceback(rag: Any) -> None:
    from rag_engine.errors import IndexNotFoundError

    with pytest.raises(IndexNotFoundError):
        rag("search", "x", "-i", "absent", "--debug")


def test_names_and_documents_cannot_make_a_terminal_obey(rag: Any, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "clear\x1b[2J\n.md").write_text("# Escape\n\nThe escape room costs 30 euros \x9b31m per person.")
    (folder / "bad\x1b[2J.pdf").write_text("no PDF")
    shown = [rag("ingest", "docs"), rag("search", "escape room"), rag("ask", "How much is it?"), rag("status")]
    shown.append(rag("ingest", "absent\x1b[2J"))
    for outcome in shown:
        assert not {"\x1b", "\x9b"} & set(outcome.out + outcome.err)
    assert "docs/clear\u241b[2J\u240a.md" in shown[1].out
