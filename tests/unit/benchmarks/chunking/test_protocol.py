"""The protocol's figures, worked out by hand on texts of a few words."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benchmarks.chunking.__main__ import main
from benchmarks.chunking.comparison import compare
from benchmarks.chunking.contenders import DEFAULT, baseline, check, is_own, own_settings, own_share, own_similarity
from benchmarks.chunking.measures import at_equal_reading, omega, recall_curve, retrieval_measures
from benchmarks.chunking.plot import Line, draw
from benchmarks.chunking.remembering import RememberingEmbedder
from benchmarks.chunking.retrieval import CutDocument, retrieve
from benchmarks.chunking.span_set import read_span_set
from benchmarks.faults.hashing_embedder import HashingEmbedder
from rag_engine.config import Settings
from rag_engine.errors import GoldSetError, UsageError
from rag_engine.evaluation.span_measures import CharacterSpan
from rag_engine.semantic_chunking import FixedWindowChunker
from rag_engine.types.document import Document
from rag_engine.types.retrieval import SearchMode

FIRST, SECOND = "Red apples grow on trees. ", "Blue whales swim in the sea."


def span(start: int, end: int, document: str = "d") -> CharacterSpan:
    return CharacterSpan(document, start, end)


def of_length(one: CharacterSpan) -> int:
    return one.end - one.start


def test_measures_are_means_over_questions_with_their_population_deviation() -> None:
    retrieved = [[span(0, 10), span(10, 20)], [span(50, 60)]]
    references = [[span(5, 15)], [span(0, 10)]]

    measured = retrieval_measures(retrieved, references, of_length)

    assert measured["recall"] == {"mean": 0.5, "deviation": 0.5}
    assert measured["precision"] == {"mean": 0.25, "deviation": 0.25}
    assert measured["iou"] == {"mean": 0.25, "deviation": 0.25}
    assert (measured["read_characters"], measured["read_tokens"]) == (15, 15)


def test_the_curve_reads_one_chunk_more_at_each_point() -> None:
    points = recall_curve([[span(0, 10), span(10, 20)]], [[span(5, 15)]], of_length, most=2)

    assert [(point["n"], point["read_tokens"], point["recall"]) for point in points] == [(1, 10, 0.5), (2, 20, 1.0)]


def test_chunkers_compare_at_the_tokens_and_the_recall_that_they_reach() -> None:
    curve = [
        {"n": 1, "read_tokens": 400, "recall": 0.6, "iou": 0.2},
        {"n": 2, "read_tokens": 800, "recall": 0.8, "iou": 0.1},
    ]

    assert at_equal_reading(curve) == {
        "recall_at_tokens": {"500": 0.65, "750": 0.775},
        "iou_at_recall": {"60%": 0.2, "70%": 0.15, "80%": 0.1},
    }


def test_precision_omega_counts_every_chunk_that_touches_a_reference_and_no_other() -> None:
    chunks = [span(0, 10), span(10, 20), span(20, 30), span(5, 15, "other")]

    assert omega(chunks, [[span(5, 15)], [span(0, 10)]]) == {"mean": 0.75, "deviation": 0.25}


@pytest.mark.parametrize("mode", list(SearchMode))
def test_every_mode_finds_the_chunk_that_has_the_words(mode: SearchMode) -> None:
    embedder = HashingEmbedder()
    chunker = FixedWindowChunker(tokenizer=embedder.tokenizer, window_tokens=12)
    documents = [Document("one", FIRST), Document("two", SECOND)]
    cut = [CutDocument(document, chunker.chunk(document)) for document in documents]

    found = retrieve(cut, ["where do blue whales swim"], embedder, [mode], few=1, most=2)[mode]

    assert [one.document for one in found.few[0]] == ["two"]
    assert found.many[0][:1] == found.few[0]


def test_a_text_is_embedded_once_and_charged_each_time() -> None:
    inner = HashingEmbedder()
    embedder = RememberingEmbedder(inner)

    first = embedder.embed(["a b", "c", "a b"])
    charged = embedder.charged
    again = embedder.embed(["c", "a b", "a b"])

    assert inner.embedded == 2
    assert (again == first[[1, 0, 2]]).all()
    assert embedder.charged == pytest.approx(2 * charged)
    assert embedder.spent < embedder.charged


@pytest.mark.parametrize("name", DEFAULT)
def test_the_chunkers_compared_are_known_by_their_names(name: str) -> None:
    assert check(name) == name
    if not is_own(name):
        assert baseline(name, HashingEmbedder()).identity


def test_a_name_says_the_sizes() -> None:
    embedder = HashingEmbedder()
    assert "tokens=128 overlap=32" in baseline("recursive-128/32", embedder).identity
    assert own_settings("rag_engine") == Settings.model_validate({})
    assert own_settings("rag_engine-64").chunking.target_tokens == 64
    assert own_settings("rag_engine_chunks").retrieval.passage_tokens == 0
    assert own_settings("rag_engine_structure-200") == own_settings("rag_engine_chunks-200")
    assert own_similarity("rag_engine_chunks-200")
    assert not own_similarity("rag_engine_structure-200")
    assert own_share("rag_engine") == 0
    assert own_share("rag_engine_answer") == own_settings("rag_engine").answering.least_share


@pytest.mark.parametrize("name", ["", "fixed", "unheard-12", "cluster-200/10", "rag_engine-x", "recursive-1/2/3"])
def test_other_names_are_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        check(name)
    assert "recursive-N[/OVERLAP]" in caught.value.hint


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    folder = tmp_path / "gold"
    folder.mkdir()
    text = FIRST + SECOND
    spans = [{"doc": "d", "start": len(FIRST), "end": len(text), "text": SECOND}]
    questions = [
        {"id": "1", "question": "where do whales swim", "answers": [], "spans": spans},
        {"id": "2", "question": "who knows", "answers": [], "spans": []},
    ]
    (folder / "docs.jsonl").write_text(json.dumps({"_id": "d", "text": text}) + "\n", encoding="utf-8")
    (folder / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in questions))
    return folder


def test_questions_without_spans_are_left_out(gold: Path) -> None:
    assert read_span_set(gold).questions == ["where do whales swim"]


def test_a_folder_without_documents_is_refused(gold: Path) -> None:
    (gold / "docs.jsonl").unlink()
    with pytest.raises(GoldSetError):
        read_span_set(gold)


def test_a_baseline_is_measured_from_its_chunks_to_its_curve(gold: Path) -> None:
    embedder = RememberingEmbedder(HashingEmbedder(max_tokens=8))

    row = compare("recursive-10", read_span_set(gold), embedder, [SearchMode.HYBRID], few=1, most=2)

    # Each sentence is a chunk, and the question finds the one that is its reference.
    assert row["chunks"] == 2
    assert row["characters"] == round((len(FIRST) - 1 + len(SECOND)) / 2)
    assert row["precision_omega"]["mean"] == 1.0
    hybrid = row["modes"]["hybrid"]
    assert [hybrid[name]["mean"] for name in ("recall", "precision", "iou")] == [1.0, 1.0, 1.0]
    assert hybrid["read_characters"] == len(SECOND)
    assert [point["n"] for point in hybrid["curve"]] == [1, 2]


def test_chunks_over_the_window_are_told(gold: Path) -> None:
    embedder = RememberingEmbedder(HashingEmbedder(max_tokens=5))

    row = compare("recursive-100", read_span_set(gold), embedder, [SearchMode.DENSE], few=1, most=0)

    assert row["over_window"]["chunks"] == 1.0
    assert 0 < row["over_window"]["tokens"] < 1
    assert "curve" not in row["modes"]["dense"]


def test_the_engines_row_goes_through_ingest_and_search(gold: Path) -> None:
    embedder = RememberingEmbedder(HashingEmbedder(max_tokens=256))

    row = compare("rag_engine-24", read_span_set(gold), embedder, [SearchMode.HYBRID], few=1, most=2)

    assert row["modes"]["hybrid"]["recall"]["mean"] == 1.0
    assert row["over_window"]["chunks"] == 0.0


def test_a_chunker_that_is_not_known_ends_with_status_2(gold: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(gold), "--chunkers", "unheard"]) == 2
    assert "unheard" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options", [["--n", "0"], ["--curve", "-1"], ["--curve", "0", "--plot", "p.svg"], ["--plot", "absent/p.svg"]]
)
def test_options_that_cannot_be_are_refused_before_anything_is_measured(gold: Path, options: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([str(gold), *options])
    assert caught.value.code == 2


def test_the_picture_is_xml_with_a_line_and_a_legend_for_each_chunker() -> None:
    lines = [Line("rag_engine", [(100, 0.5), (400, 0.9)]), Line("fixed-64 <&>", [(50, 0.2), (800, 0.8)])]

    root = ET.fromstring(draw({"set, dense": lines, "set, hybrid": lines}))

    names = {"svg": "http://www.w3.org/2000/svg"}
    labels = [text.text for text in root.findall("svg:text", names)]
    assert len(root.findall("svg:polyline", names)) == 4
    assert labels.count("fixed-64 <&>") == 1
    assert labels.count("recall") == 2
    assert {"64", "512", "0.2", "1.0"} <= set(labels)
