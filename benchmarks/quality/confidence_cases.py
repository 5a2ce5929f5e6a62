"""Asks what the confidence is fitted on, and keeps each question with the passages that an answer would draw on.

    python -m benchmarks.quality.confidence_cases SQUAD2 CLAPNQ > CASES.jsonl

SQUAD2 and CLAPNQ are folders of gold sets in span and in pool form: squad2_dev_half and clapnq_dev of the shared data.
Three sets come of them. In ``squad2`` what cannot be answered is written to mislead; in ``clapnq`` the nearest passage
is there and the answer is not; in ``absent`` the same questions are asked with their article and without it, so that
the whole subject is missing. Each line is as ``answer_cases`` reads it.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from benchmarks.corpus import read_documents
from rag_engine.assembly import Assembly
from rag_engine.config import Settings
from rag_engine.context_retrieval import drawn_on
from rag_engine.engine import Engine
from rag_engine.evaluation import GoldQuestion, read_gold_set
from rag_engine.prompt_engineering import PromptBuilder
from rag_engine.types.document import Document
from rag_engine.types.retrieval import Comparator, Comparison

SEED = 1
ABSENT_OF_AN_ARTICLE = 60


def main(squad: Path, clapnq: Path) -> None:
    """Prints the cases."""
    for case in all_cases(squad, clapnq):
        print(json.dumps(case, ensure_ascii=False))


def all_cases(squad: Path, clapnq: Path) -> Iterator[dict[str, Any]]:
    """The cases of all three sets."""
    yield from chain(_squad(squad), _clapnq(clapnq))


def _squad(folder: Path) -> Iterator[dict[str, Any]]:
    documents = read_documents(folder / "docs.jsonl")
    lines = (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    articles = {row["id"]: row["doc"] for row in map(json.loads, lines)}
    of_article: dict[str, list[GoldQuestion]] = {document.id: [] for document in documents}
    for question in read_gold_set(folder).questions:
        of_article[articles[question.id]].append(question)
    drawn = random.Random(SEED)
    with _asking(documents) as ask:
        for article, questions in of_article.items():
            for question in questions:
                yield ask(question, set="squad2", group=article, answerable=bool(question.answerable))
            answerable = [question for question in questions if question.answerable]
            drawn.shuffle(answerable)
            for question in answerable[:ABSENT_OF_AN_ARTICLE]:
                yield ask(question, set="absent", group=article, answerable=True)
                yield ask(question, without=article, set="absent", group=article, answerable=False)


def _clapnq(folder: Path) -> Iterator[dict[str, Any]]:
    with _asking(read_documents(folder / "corpus.jsonl")) as ask:
        for question in read_gold_set(folder).questions:
            yield ask(question, set="clapnq", group="clapnq", answerable=bool(question.answerable))


class _Asking:
    """An index of some documents, asked for what an answer would draw on with the default settings."""

    def __init__(self, assembly: Assembly, engine: Engine) -> None:
        self._engine = engine
        self._settings = assembly.settings.answering
        self._builder = PromptBuilder(
            tokenizer=assembly.embedder.tokenizer, context_tokens=self._settings.context_tokens
        )

    def __call__(self, question: GoldQuestion, *, without: str | None = None, **known: Any) -> dict[str, Any]:
        condition = None if without is None else Comparison("id", Comparator.NOT_EQUAL, without)
        found = self._engine.search(question.text, k=self._settings.passages, filter=condition)
        passages = drawn_on(found, least_share=self._settings.least_share)
        return known | {
            "question": question.text,
            "answers": question.answers if known["answerable"] else (),
            "spans": [
                {"document": span.document, "start": span.start, "end": span.end}
                for span in (question.spans if known["answerable"] else ())
            ],
            "passages": [
                {
                    "document_id": passage.document_id,
                    "title": passage.title,
                    "heading_path": passage.heading_path,
                    "start": passage.start,
                    "end": passage.end,
                    "text": passage.text,
                    "score": passage.score,
                    "scores": dict(passage.scores),
                }
                for passage in (source.passage for source in self._builder.build(question.text, passages).sources)
            ],
        }


@contextmanager
def _asking(documents: Sequence[Document]) -> Iterator[_Asking]:
    with tempfile.TemporaryDirectory(prefix="rag-confidence-") as folder:
        assembly = Assembly(Path(folder) / "index", settings=Settings(), create=True)
        with Engine(assembly) as engine:
            engine.ingest(documents)
            yield _Asking(assembly, engine)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
