from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from rag_engine.context_retrieval.calibration import Calibration
from rag_engine.errors import CalibrationError
from rag_engine.evaluation.question_making import Withheld
from rag_engine.index import Index
from rag_engine.jobs.calibrate import Asked, CalibrateJob, split
from rag_engine.jobs.multi_llm_orchestrator import AskJob
from rag_engine.jobs.questions_about import LEAST_CHUNKS, questions_about
from rag_engine.llm.providers.extractive import ABSTENTION
from rag_engine.prompt_engineering import PromptBuilder
from rag_engine.token_counter import EstimatedTokenizer
from rag_engine.types.document import Document
from rag_engine.types.generation import Completion, FinishReason, Prompt, Quotation
from rag_engine.types.retrieval import Comparison, Passage, Query, SearchMode


def sentences(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\S[^.]*\.?", text)]


def town(number: int) -> Document:
    name = "".join("bcdfghklmn"[int(digit)] + "aeiou"[int(digit) % 5] for digit in f"{number:03}").capitalize()
    return Document(
        id=f"{name}.txt",
        title=name,
        text=f"The market of Old {name} was opened to all visitors by the council in 1{number + 300}.\n\n"
        f"Every workshop near New {name} keeps {number + 2} apprentices for the long winter season.\n\n"
        f"Karl von {name} designed the roof of the tower with local craftsmen and carpenters.",
    )


TOWNS = [town(number) for number in range(60)]


class Shelf:
    """A retriever that brings the documents with most of the question's words, whole."""

    def __init__(self) -> None:
        self.asked: list[Query] = []

    def retrieve(self, query: Query) -> list[Passage]:
        self.asked.append(query)
        words = set(query.text.casefold().split())
        condition = query.filter
        admitted = [
            document for document in TOWNS if not isinstance(condition, Comparison) or document.id != condition.value
        ]
        ranked = sorted(admitted, key=lambda d: -len(words & set(d.text.casefold().replace(".", " ").split())))
        return [
            Passage(rank, 1 / rank, document.id, document.title, rank, 0, len(document.text), document.text)
            for rank, document in enumerate(ranked[: query.k], start=1)
        ]


class Counting:
    """A model that quotes the first source and is the surer the more of the question's words that holds."""

    name = "counting"

    async def complete(self, prompt: Prompt) -> Completion:
        if not prompt.sources:
            return Completion("", self.name, FinishReason.STOP, confidence=0.0)
        passage = prompt.sources[0].passage
        words = prompt.question.casefold().split()
        held = set(passage.text.casefold().replace(".", " ").split())
        sure = sum(word in held for word in words) / len(words)
        quoted = Quotation(1, passage.start, passage.end)
        return Completion("All of it [1].", self.name, FinishReason.STOP, quotations=(quoted,), confidence=sure)


@pytest.fixture
def job(index: Index, ingest: Callable[..., object], hashing_embedder: object) -> CalibrateJob:
    ingest(*TOWNS)
    return CalibrateJob(
        index="towns",
        catalog=index.catalog,
        retriever=Shelf(),
        builder=PromptBuilder(tokenizer=EstimatedTokenizer(), context_tokens=4096),
        model=Counting(),
        embedder=hashing_embedder,  # type: ignore[arg-type]
        split_sentences=sentences,
        mode=SearchMode.HYBRID,
        passages=3,
        least_share=0.0,
    )


def test_a_calibration_is_fitted_on_two_thirds_and_measured_on_the_rest(job: CalibrateJob) -> None:
    report = asyncio.run(job.calibrate(questions=120, seed=1))
    asked = report.fitted + report.held_out
    assert 100 <= asked <= 120
    assert abs(report.held_out - asked / 3) <= 6
    assert abs(report.answerable - asked / 2) <= 12
    assert report.after.auroc == report.before.auroc
    assert report.after.auroc is not None
    assert report.after.auroc > 0.6
    assert (report.risk, report.threshold, report.answered) == (None, None, None)
    assert report.curve[-1].coverage == 1


def test_the_same_seed_calibrates_alike(job: CalibrateJob) -> None:
    first, second = (replace(asyncio.run(job.calibrate(questions=80, seed=4)), seconds=0) for _ in range(2))
    assert first == second
    assert replace(asyncio.run(job.calibrate(questions=80, seed=5)), seconds=0) != first


def test_a_risk_gives_a_threshold_from_which_the_questions_asked_keep_it(job: CalibrateJob) -> None:
    report = asyncio.run(job.calibrate(questions=300, risk=0.6, seed=1))
    assert report.threshold is not None
    assert report.risk_bound is not None
    assert report.risk_bound <= 0.6
    assert report.answered is not None
    assert report.answered >= 1


def test_what_answers_is_kept_out_of_what_is_searched(job: CalibrateJob, index: Index) -> None:
    made, _ = questions_about(index.catalog, 240, split_sentences=sentences, seed=0)
    shelf = job._retriever
    assert isinstance(shelf, Shelf)
    for question in made:
        shelf.asked.clear()
        asked = asyncio.run(job._ask_made(question, "no such answer anywhere"))
        condition = shelf.asked[0].filter
        if question.withheld is Withheld.DOCUMENT:
            assert isinstance(condition, Comparison)
            assert condition.value == question.document
        else:
            assert condition is None
        if question.withheld is Withheld.PASSAGE:
            assert shelf.asked[0].k == 2 * 3
        if asked is not None and not question.answerable:
            assert not asked.right


def test_an_index_too_small_is_refused_with_how_much_it_needs(index: Index, ingest: Callable[..., object]) -> None:
    ingest(*TOWNS[:2])
    with pytest.raises(CalibrationError, match=f"{LEAST_CHUNKS} are needed"):
        questions_about(index.catalog, 100, split_sentences=sentences, seed=0)


def test_an_index_without_sentences_is_refused(index: Index, ingest: Callable[..., object]) -> None:
    ingest(*(Document(id=f"d{n}", text=f"{n} {n + 1} {n + 2} {n + 3}") for n in range(50)))
    with pytest.raises(CalibrationError, match="only 0 questions"):
        questions_about(index.catalog, 100, split_sentences=sentences, seed=0)


def test_too_few_questions_are_refused(job: CalibrateJob, index: Index) -> None:
    with pytest.raises(CalibrationError, match="tell nothing"):
        questions_about(index.catalog, 10, split_sentences=sentences, seed=0)


def test_questions_about_one_document_are_fitted_on_or_held_out_together() -> None:
    asked = [Asked(f"d{n % 20}", n / 100, answerable=n % 2 == 0, right=False) for n in range(100)]
    fitted, held_out = split(asked, seed=1)
    assert not {one.group for one in fitted} & {one.group for one in held_out}
    assert len(held_out) == 35
    with pytest.raises(CalibrationError):
        split([Asked("one", 0.5, answerable=True, right=True)] * 90, seed=1)


def answering(calibration: Calibration | None) -> AskJob:
    texts = {document.id: document.text for document in TOWNS}
    return AskJob(
        retriever=Shelf(),
        builder=PromptBuilder(tokenizer=EstimatedTokenizer(), context_tokens=4096),
        model=Counting(),
        text_of=texts.get,
        page_of=lambda _document, _position: None,
        calibration=calibration,
    )


def test_an_answer_below_the_threshold_is_withheld_with_all_it_cites() -> None:
    question = "who designed the roof of the tower"
    plain = asyncio.run(answering(None).ask(question))
    assert plain.citations
    strict = Calibration(offset=-3.0, slope=1.0, threshold=0.9)
    withheld = asyncio.run(answering(strict).ask(question))
    assert withheld.abstained
    assert withheld.text == ABSTENTION
    assert withheld.citations == ()
    assert withheld.confidence == strict.probability(plain.confidence)


def test_an_answer_above_the_threshold_carries_the_probability() -> None:
    question = "who designed the roof of the tower"
    plain = asyncio.run(answering(None).ask(question))
    lenient = Calibration(offset=1.0, slope=0.5, threshold=0.1)
    answered = asyncio.run(answering(lenient).ask(question))
    assert not answered.abstained
    assert answered.citations == plain.citations
    assert answered.confidence == lenient.probability(plain.confidence) != plain.confidence
