"""Making confidences probabilities for a folder's own documents, and a gold set of them for a person to correct."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

# Towns of a made-up country, each with its own names and numbers.
TOWNS = ("Alder", "Birch", "Cedar", "Drake", "Ember", "Fenn", "Grove", "Heath", "Ivory", "Juniper", "Kestrel", "Larch")
TRADES = ("glass", "paper", "wool", "salt", "copper", "honey", "linen", "barley", "amber", "cheese", "rope", "tiles")


@pytest.fixture
def country(tmp_path: Path) -> Path:
    folder = tmp_path / "country"
    folder.mkdir()
    for number, (town, trade) in enumerate(zip(TOWNS, TRADES, strict=True)):
        (folder / f"{town.lower()}.md").write_text(
            f"# {town}\n\n"
            f"The town of {town} was founded by Baron Otto {town}man in 1{200 + number * 37}. "
            f"Traders of {town} became rich because the river carried their {trade} to the sea.\n\n"
            f"## The market of {town}\n\n"
            f"The covered market of {town} is a hall of oak that shelters {number + 14} stalls from the rain. "
            f"Every autumn the guild of {trade} makers elects {number + 3} wardens in the hall of {town}.\n\n"
            f"## The walls of {town}\n\n"
            f"The northern wall was rebuilt by Queen Maud {town}lake after the great flood of 1{300 + number * 29}. "
            f"Visitors climb the {trade} tower of {town} by {number * 7 + 60} steps to see the whole valley.\n\n"
            f"## Who governs {town}?\n\n"
            f"A council of {number + 5} elders governs {town} and meets in the old school near the western gate.\n",
            encoding="utf-8",
        )
    return folder


def test_a_calibration_is_made_shown_followed_and_removed(rag: Any, country: Path, tmp_path: Path) -> None:
    rag("ingest", country)
    plain = rag("ask", "who founded the town of Cedar?", "--json").json
    outcome = rag("calibrate", "--questions", 80, "--plot", "risk.svg", "--json")
    assert outcome.status == 0
    report = outcome.json
    assert report["source"] == "self-made"
    assert 60 <= report["fitted"] + report["held_out"] <= 80
    assert report["threshold"] is None
    assert (tmp_path / "risk.svg").read_text(encoding="utf-8").startswith("<svg")
    stored = json.loads((tmp_path / "indexes" / "default" / "calibration.json").read_text(encoding="utf-8"))
    assert stored["calibration"]["offset"] == report["offset"]
    status = rag("status", "--json").json["calibration"]
    assert status["ignored"] is None
    assert status["commit"] == report["commit"]

    asked = rag("ask", "who founded the town of Cedar?", "--json").json
    assert asked["citations"] == plain["citations"]
    assert asked["confidence"] != plain["confidence"]

    assert rag("calibrate", "--reset").out == "the calibration was removed\n"
    assert rag("calibrate", "--reset", "--json").json == {"removed": False}
    again = rag("ask", "who founded the town of Cedar?", "--json").json
    assert again["confidence"] == plain["confidence"]


def test_the_same_seed_stores_the_same_calibration(rag: Any, country: Path, tmp_path: Path) -> None:
    rag("ingest", country)
    first, second = (rag("calibrate", "--questions", 60, "--seed", 3, "--json").json for _ in range(2))
    del first["seconds"], second["seconds"]
    assert first == second


def test_a_calibration_of_other_settings_or_a_damaged_one_is_ignored_with_a_note(
    rag: Any, country: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rag("ingest", country)
    plain = rag("ask", "how many steps has the salt tower?", "--json").json
    rag("calibrate", "--questions", 60)
    monkeypatch.setenv("RAG_ENGINE__ANSWERING__PASSAGES", "7")
    rag("ask", "how many steps has the salt tower?", "--json")
    assert "other settings" in caplog.text
    monkeypatch.delenv("RAG_ENGINE__ANSWERING__PASSAGES")
    caplog.clear()

    file = tmp_path / "indexes" / "default" / "calibration.json"
    file.write_bytes(file.read_bytes()[:100])
    asked = rag("ask", "how many steps has the salt tower?", "--json").json
    assert asked["confidence"] == plain["confidence"]
    assert "is ignored: it cannot be read" in caplog.text
    assert "rag calibrate" in rag("status").out
    doctor = rag("doctor", "--json")
    assert doctor.status == 0
    assert any("calibration.json is ignored" in note for note in doctor.json["notes"])


def test_an_index_too_small_is_refused_and_nothing_is_stored(rag: Any, shop: Path, tmp_path: Path) -> None:
    rag("ingest", shop)
    outcome = rag("calibrate")
    assert outcome.status == 1
    assert "chunks; 40 are needed" in outcome.err
    assert not (tmp_path / "indexes" / "default" / "calibration.json").exists()


def test_a_reset_together_with_something_to_make_is_wrong_usage(rag: Any) -> None:
    assert rag("calibrate", "--reset", "--risk", 0.1).status == 2


def test_a_made_gold_set_is_evaluated_and_calibrated_on_as_it_stands(rag: Any, country: Path, tmp_path: Path) -> None:
    rag("ingest", country)
    made = rag("gold", "make", "--out", "mine", "--questions", 90, "--seed", 2, "--json").json
    rows = [json.loads(line) for line in (tmp_path / "mine" / "questions.jsonl").read_text("utf-8").splitlines()]
    assert made["questions"] == len(rows) >= 60
    assert made["answerable"] == sum(bool(row["spans"]) for row in rows)
    assert 0 < made["answerable"] < len(rows)
    assert all(row["synthetic"] is True and row["kind"] for row in rows)
    assert "calibrate --gold" in (tmp_path / "mine" / "README.md").read_text(encoding="utf-8")

    report = rag("eval", "mine", "--json")
    assert report.status == 0
    assert report.json["queries"] == len(rows)
    assert report.json["metrics"]["R@100"] > 0.9
    assert report.json["metrics"]["citation_intact"] == 1

    calibrated = rag("calibrate", "--gold", "mine", "--index", "gold-mine", "--json")
    assert calibrated.status == 0
    assert calibrated.json["source"] == "mine"


def test_a_folder_that_holds_something_is_left_alone(rag: Any, country: Path) -> None:
    rag("ingest", country)
    outcome = rag("gold", "make", "--out", country)
    assert outcome.status == 1
    assert "holds something already" in outcome.err
