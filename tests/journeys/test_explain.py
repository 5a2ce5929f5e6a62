"""Somebody asks why a document was not found, does what the answer says, and finds it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def ingested(rag: Any, shop: Path) -> None:
    assert rag("ingest", "shop").status == 0


def documents(found: Any) -> list[str]:
    return [result["document"] for result in found.json["results"]]


def test_a_document_below_the_results_is_found_with_the_number_that_is_told(rag: Any) -> None:
    question = "When are refunds paid to the card?"
    outcome = rag("explain", question, "--expect", "shop/delivery.txt", "-k", 1, "--json")
    assert outcome.status == 0
    told = outcome.json
    assert (told["found"], told["cut"]["reason"], told["beaten_by"]["document"]) == (
        False,
        "results",
        "shop/refunds.md",
    )
    assert {leg["leg"] for leg in told["legs"]} >= {"dense", "lexical", "stretches"}
    (change,) = [change for change in told["changes"] if change["what"] == "k"]
    assert "shop/delivery.txt" not in documents(rag("search", question, "-k", change["to"] - 1, "--json"))
    assert documents(rag("search", question, "-k", change["to"], "--json"))[-1] == "shop/delivery.txt"


def test_a_document_that_a_filter_leaves_out_is_found_with_the_filter_that_is_told(rag: Any) -> None:
    given = ("stores on holidays", "--filter", "year >= 2024 and title != 'Parcels'")
    told = rag("explain", *given, "--expect", "note-2", "--json").json
    assert told["cut"]["reason"] == "filter"
    assert told["conditions"] == [{"condition": "year >= 2024", "value": 2019}]
    (change,) = told["changes"]
    assert "note-2" not in documents(rag("search", *given, "--json"))
    assert "note-2" in documents(rag("search", given[0], "--filter", change["to"], "--json"))


def test_words_that_are_not_in_a_document_are_told_with_the_mode_that_needs_none(rag: Any) -> None:
    told = rag("explain", "automobile zone", "--expect", "note-2", "--mode", "lexical", "--json").json
    assert (told["cut"]["reason"], told["words"]["nowhere"]) == ("words", ["automobile", "zone"])
    assert "mode" in [change["what"] for change in told["changes"]]
    assert "note-2" in documents(rag("search", "automobile zone", "--json"))


def test_the_same_is_told_in_words(rag: Any) -> None:
    text = rag("explain", "When are refunds paid?", "--expect", "shop/delivery.txt", "-k", 1).out
    assert text.startswith("shop/delivery.txt: its best passage is number ")
    assert "The last one in, number 1: shop/refunds.md" in text
    assert "admit" in text
    found = rag("explain", "When are refunds paid?", "--expect", "shop/refunds.md").out
    assert "it is result 1, and an answer may draw on it." in found


def test_an_id_that_is_not_there_is_wrong_use_and_brings_the_nearest(rag: Any, shop: Path) -> None:
    outcome = rag("explain", "refunds", "--expect", "refund.md")
    assert (outcome.status, outcome.out) == (2, "")
    assert "shop/refunds.md" in outcome.err


def test_a_file_that_was_set_aside_is_told_to_be(rag: Any, shop: Path) -> None:
    (shop / "broken.pdf").write_bytes(b"%PDF-1.4 nothing of it is right")
    rag("ingest", "shop")
    outcome = rag("explain", "refunds", "--expect", "shop/broken.pdf")
    assert outcome.status == 2
    assert "was set aside" in outcome.err
