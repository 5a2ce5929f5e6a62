"""Two handbooks that contradict each other, a reranker and diversity, from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cross_encoders import save_cross_encoder


@pytest.fixture
def handbooks(rag: Any, tmp_path: Path) -> Path:
    folder = tmp_path / "handbooks"
    folder.mkdir()
    common = "We answer every letter. Please write to the address on your bill."
    (folder / "old.md").write_text(f"Refunds are paid within 14 days to the card you used.\n\n{common}\n")
    (folder / "new.md").write_text(f"Refunds are paid within 30 days to the card you used.\n\n{common}\n")
    (folder / "copy.md").write_text("Parcels wait ten days at a pickup point.\n")
    (folder / "other.md").write_text("Parcels wait ten days at a pickup point!\n")
    rag("ingest", "handbooks")
    return folder


def test_a_search_says_which_results_contradict_each_other_and_which_say_the_same(rag: Any, handbooks: Path) -> None:
    results = rag("search", "refund days parcels", "-k", 4, "--json").json["results"]
    by_document = {Path(result["document"]).stem: result for result in results}
    (conflict,) = by_document["old"]["conflicts"]
    assert conflict["what"] == "number"
    assert conflict["rank"] == by_document["new"]["rank"]
    own = by_document["old"]
    sentence = own["text"][conflict["start"] - own["start"] : conflict["end"] - own["start"]]
    assert sentence == "Refunds are paid within 14 days to the card you used."
    assert by_document["copy"]["duplicates"] == [by_document["other"]["rank"]]
    shown = rag("search", "refund days parcels", "-k", 4).out
    assert f"contradicts {by_document['new']['rank']} in a number: Refunds are paid within 14 days" in shown
    assert "says the same as" in shown


def test_an_answer_names_the_sources_that_contradict_each_other(rag: Any, handbooks: Path) -> None:
    answer = rag("ask", "Within how many days are refunds paid?", "--json").json
    (pair,) = answer["conflicts"]
    assert pair["what"] == "number"
    assert {Path(pair["document"]).stem, Path(pair["other_document"]).stem} == {"old", "new"}
    for document, start, end, text in (
        (pair["document"], pair["start"], pair["end"], pair["text"]),
        (pair["other_document"], pair["other_start"], pair["other_end"], pair["other_text"]),
    ):
        assert (handbooks.parent / document).read_text()[start:end] == text
    assert "sources contradict each other in a number" in rag("ask", "Within how many days are refunds paid?").out


def test_diversity_brings_the_same_results_in_another_order(rag: Any, handbooks: Path) -> None:
    plain = rag("search", "parcels at a pickup point", "--json").json["results"]
    diverse = rag("search", "parcels at a pickup point", "--diversity", "0.9", "--json").json["results"]
    assert {result["document"] for result in plain[:2]} == {"handbooks/copy.md", "handbooks/other.md"}
    assert {result["document"] for result in diverse[:2]} != {"handbooks/copy.md", "handbooks/other.md"}
    assert {result["document"] for result in diverse} == {result["document"] for result in plain}
    assert rag("search", "parcels", "--diversity", "1.5").status == 2


def test_a_cross_encoder_of_the_settings_ranks_the_results(
    rag: Any, handbooks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "reranker"
    folder.mkdir()
    save_cross_encoder(folder, likes="refund")
    monkeypatch.setenv("RAG_ENGINE__RETRIEVAL__RERANKER", str(folder))
    results = rag("search", "parcels", "--mode", "lexical", "--json").json["results"]
    assert results
    assert all("rerank" in result["scores"] for result in results)


@pytest.mark.parametrize("name", ["/nowhere/at/all", "./nowhere", "nobody/no-such-reranker"])
def test_a_reranker_that_is_not_to_be_had_is_one_line_with_the_mend(
    rag: Any, handbooks: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setenv("RAG_ENGINE__RETRIEVAL__RERANKER", name)
    outcome = rag("search", "refunds")
    assert outcome.status == 1
    assert "the reranker cannot be had" in outcome.err
    assert "retrieval.reranker" in outcome.err


def test_an_embedding_model_is_no_reranker(rag: Any, handbooks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_ENGINE__RETRIEVAL__RERANKER", "all-MiniLM-L6-v2")
    outcome = rag("search", "refunds")
    assert outcome.status == 1
    assert "no cross-encoder" in outcome.err
