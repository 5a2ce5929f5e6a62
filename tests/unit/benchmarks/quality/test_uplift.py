"""What ours is compared with, and how."""

from __future__ import annotations

import math

import pytest

from benchmarks.faults.hashing_embedder import HashingEmbedder
from benchmarks.quality.naive import TUNED_B, TUNED_K1, bm25_runs, naive_run
from benchmarks.quality.uplift import _against, _exchanged, _part
from rag_engine.types.document import Document

DOCUMENTS = [
    Document("cats", "cats chase mice, and mice fear cats", title="Cats"),
    Document("dogs", "dogs chase cats"),
    Document("birds", "birds sing in the morning of a long day"),
]


def by_hand(question: list[str], words: list[str], others: list[list[str]], k1: float, b: float) -> float:
    """BM25 of a document, term by term (Robertson and Zaragoza, 2009)."""
    mean = sum(map(len, others)) / len(others)
    total = 0.0
    for term in question:
        holding = sum(term in other for other in others)
        rarity = math.log(1 + (len(others) - holding + 0.5) / (holding + 0.5))
        count = words.count(term)
        total += rarity * count * (k1 + 1) / (count + k1 * (1 - b + b * len(words) / mean))
    return total


def test_bm25_is_the_formula_for_every_pair_of_parameters() -> None:
    words = [
        ["cat", "cat", "chase", "mice", "mice", "fear", "cat"],
        ["dog", "chase", "cat"],
        ["bird", "sing", "morn", "long", "day"],
    ]
    runs = list(bm25_runs(DOCUMENTS, {"q": "cats that chase"}))
    parameters = [(k1, b) for k1 in TUNED_K1 for b in TUNED_B]
    assert len(runs) == len(parameters)
    for run, (k1, b) in zip(runs, parameters, strict=True):
        expected = {
            document.id: by_hand(["cat", "chase"], terms, words, k1, b)
            for document, terms in zip(DOCUMENTS, words, strict=True)
        }
        assert dict(run["q"]) == pytest.approx(expected, rel=1e-5)
        assert [name for name, _ in run["q"]] == sorted(expected, key=lambda name: -expected[name])


def test_naive_retrieval_ranks_every_document_by_its_best_window() -> None:
    long = Document("long", "filler words. " * 400 + "cats chase mice")
    run = naive_run([*DOCUMENTS, long], {"q": "birds sing"}, embedder=HashingEmbedder())
    assert sorted(name for name, _ in run["q"]) == ["birds", "cats", "dogs", "long"]
    assert run["q"][0][0] == "birds"


def test_the_control_gives_every_question_the_ranking_of_another() -> None:
    run = {name: [(name, 1.0)] for name in "abcdef"}
    exchanged = _exchanged(run)
    assert exchanged.keys() == run.keys()
    assert sorted(ranking[0][0] for ranking in exchanged.values()) == sorted(run)
    assert all(ranking[0][0] != question for question, ranking in exchanged.items())


def test_harm_is_counted_by_question() -> None:
    naive, ours = {"a": 0.5, "b": 0.5, "c": 0.5, "d": 0.5}, {"a": 1.0, "b": 0.4, "c": 0.46, "d": 0.9}
    found = _against(naive, ours)
    assert (found["harmed"], found["helped"]) == (0.25, 0.5)
    assert found["uplift"] == pytest.approx(0.38)
    assert found["interval"][0] <= found["uplift"] <= found["interval"][1]


def test_a_part_gains_what_the_default_has_over_the_variant_without_it() -> None:
    found = _part({"a": 0.2, "b": 0.6}, {"a": 0.4, "b": 0.5}, 0.8)
    assert (found["gain"], found["harmed"], found["of_default"]) == (0.05, 0.5, 0.8)
