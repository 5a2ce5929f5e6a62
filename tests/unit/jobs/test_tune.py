"""Fitting the dense leg's weight to a gold set."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.faults.hashing_embedder import HashingEmbedder
from rag_engine.errors import GoldSetError
from rag_engine.evaluation import GoldForm, GoldQuestion, GoldSet
from rag_engine.index import Index
from rag_engine.jobs.tune import LEAST_QUESTIONS, OFFSETS, TuneJob
from rag_engine.jobs.tuning_file import FILE_NAME, remove_tuning, tuned_offset, write_tuning
from rag_engine.protocols import Retriever
from rag_engine.types.document import Document
from rag_engine.types.ingestion import IngestReport
from rag_engine.types.retrieval import Passage, Query

Ingest = Callable[..., IngestReport]


def gold_set(questions: int) -> GoldSet:
    asked = tuple(
        GoldQuestion(f"q{number}", f"question {number}", {"right": 1}, (), (), None) for number in range(questions)
    )
    return GoldSet("mine", GoldForm.BEIR, None, asked)


class Ranking:
    """Finds the right document first where its rule says so for a question, else second."""

    def __init__(self, is_first: Callable[[str], bool]) -> None:
        self.is_first = is_first

    def retrieve(self, query: Query) -> list[Passage]:
        names = ["right", "wrong"] if self.is_first(query.text) else ["wrong", "right"]
        return [Passage(rank, 1 / rank, name, "", rank, 0, 1, "x") for rank, name in enumerate(names, start=1)]


def tune_job(index: Index, retriever_with: Callable[[float], Retriever]) -> TuneJob:
    return TuneJob(catalog=index.catalog, embedder=HashingEmbedder(), retriever_with=retriever_with)


@pytest.fixture(autouse=True)
def documents(ingest: Ingest) -> None:
    ingest(Document("right", "common one"), Document("wrong", "common two"))


def test_an_offset_that_helps_on_questions_left_out_is_kept(index: Index) -> None:
    report = tune_job(index, lambda offset: Ranking(lambda _: offset == 1.0)).tune(gold_set(40))
    assert report.offset == 1.0
    assert report.gain > 0.3
    assert report.p_value < 0.05
    assert report.values[1.0] == 1.0


def test_without_a_difference_the_weight_is_left_as_it_is(index: Index) -> None:
    report = tune_job(index, lambda _: Ranking(lambda _: True)).tune(gold_set(40))
    assert (report.offset, report.gain, report.p_value) == (0.0, 0.0, 1.0)
    assert set(report.values) == set(OFFSETS)


def test_what_is_better_on_single_questions_alone_is_not_kept(index: Index) -> None:
    lucky = {"question 3", "question 8"}
    report = tune_job(index, lambda offset: Ranking(lambda text: offset == 2.0 and text in lucky)).tune(gold_set(40))
    assert report.offset == 0.0


def test_too_few_questions_are_refused(index: Index) -> None:
    with pytest.raises(GoldSetError, match=f"{LEAST_QUESTIONS} at least"):
        tune_job(index, lambda _: Ranking(lambda _: True)).tune(gold_set(LEAST_QUESTIONS - 1))


def test_what_was_found_holds_until_the_model_changes_or_it_is_removed(index: Index, index_folder: Path) -> None:
    catalog = index.catalog
    report = tune_job(index, lambda offset: Ranking(lambda _: offset == -1.0)).tune(gold_set(40))
    assert tuned_offset(index_folder, catalog=catalog) == 0.0
    write_tuning(index_folder, report, catalog=catalog)
    assert tuned_offset(index_folder, catalog=catalog) == -1.0
    assert remove_tuning(index_folder)
    assert not remove_tuning(index_folder)
    assert tuned_offset(index_folder, catalog=catalog) == 0.0


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"offset": "x"}', '{"offset": 1e999}', '{"offset": 1, "made_with": []}']
)
def test_a_file_that_is_damaged_or_of_another_model_is_ignored_and_named(
    index: Index, index_folder: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    (index_folder / FILE_NAME).write_text(content)
    with closing(Index.open(index_folder)) as other:
        assert tuned_offset(index_folder, catalog=other.catalog) == 0.0
    assert "rag tune" in caplog.text
