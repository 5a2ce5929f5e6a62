"""Writes a gold set of questions made from an index, for a person to correct and for ``rag eval`` to read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from rag_engine.errors import GoldSetError
from rag_engine.evaluation.question_making import MadeQuestion, Withheld, mentions
from rag_engine.index import Catalog
from rag_engine.index.files import write_text, writing
from rag_engine.jobs.questions_about import questions_about
from rag_engine.protocols import SentenceSplitter
from rag_engine.types.document import Document
from rag_engine.types.evaluation import MadeGoldSet

QUESTIONS = 200
# Of the documents, one of so many is left out of the set, so that what is asked about it has no answer.
LEFT_OUT_ONE_OF = 5
README = """# Questions to correct

These {questions} questions were made by a program from {documents} documents of the index {index} (commit {commit},
seed {seed}); no person has read them. `rag eval` reads the folder as it stands. It says something about the index only
after a person has corrected it.

Go through `questions.jsonl`, a question a line, best in its order: where you stop, what came before is a fair sample.

1. `question`: would somebody ask this? Write it as they would, in their words; not in the document's. Delete the line
   if nobody would.
2. `spans`: is the answer all of `text`, and nothing but it? `start` and `end` are characters of the document `doc` in
   `docs.jsonl`; the three must agree, and `rag eval` names the line where they do not. Put the same into `answers`.
   Further places that answer it are further spans.
3. A line without spans is a question without an answer ({unanswerable} of them): does really no document answer it? If
   one does, give it that span, or delete the line.
4. Put `"synthetic": false` on each line that you have read.

`kind` says how a question was made; delete it, or leave it. Fifty corrected questions are a sensible minimum, half of
them with and half without an answer. Then:

    rag eval FOLDER                                   how good search and answers are
    rag calibrate --gold FOLDER --index gold-NAME     what a confidence is worth
"""


class GoldMakingJob:
    """Makes gold sets of one index."""

    def __init__(self, *, index: str, catalog: Catalog, split_sentences: SentenceSplitter) -> None:
        self._index = index
        self._catalog = catalog
        self._split_sentences = split_sentences

    def make(self, folder: Path, *, questions: int = QUESTIONS, seed: int = 0) -> MadeGoldSet:
        """Writes ``questions.jsonl``, ``docs.jsonl`` and a README that says what to correct.

        The documents are those that questions were made of, so that the set is whole by itself, but for some that are
        left out so that there are questions without an answer.

        Raises:
            GoldSetError: ``folder`` holds something already.
            CalibrationError: the index is too small to make questions of.
            StorageError: the folder cannot be written.
        """
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise GoldSetError(f"{folder} holds something already", hint="name a folder that is empty or not there")
        made, documents = questions_about(self._catalog, questions, split_sentences=self._split_sentences, seed=seed)
        kept, written = _kept(made, documents, seed)
        rows = [_row(number, question, documents) for number, question in enumerate(kept, start=1)]
        answerable = sum(question.answerable for question in kept)
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / "docs.jsonl", _lines([_document(document) for document in written]))
        write_text(
            folder / "README.md",
            README.format(
                questions=len(rows),
                documents=len(written),
                index=self._index,
                commit=self._catalog.commit_number(),
                seed=seed,
                unanswerable=len(rows) - answerable,
            ),
        )
        # Last: without it, the folder is no gold set yet.
        write_text(folder / "questions.jsonl", _lines(rows))
        return MadeGoldSet(str(folder), len(rows), answerable, len(written), seed)


def _kept(
    made: Sequence[MadeQuestion], documents: Mapping[str, Document], seed: int
) -> tuple[list[MadeQuestion], list[Document]]:
    """The questions as the written set makes of them, and the documents that are written.

    One document of five is left out, and what is asked about it has no answer. A passage cannot be left out of a
    document that is there: what would have been asked without it is asked with it.
    """
    identifiers = sorted(documents)
    left_out = set(Random(seed).sample(identifiers, k=len(identifiers) // LEFT_OUT_ONE_OF))  # noqa: S311 - a sample
    written = [documents[identifier] for identifier in identifiers if identifier not in left_out]
    kept: list[MadeQuestion] = []
    for question in made:
        if question.withheld is Withheld.SUBJECT:
            kept.append(question)
        elif question.document not in left_out:
            kept.append(replace(question, withheld=Withheld.NOTHING))
        elif not any(mentions(document.text, question, _answer(question, documents)) for document in written):
            kept.append(replace(question, withheld=Withheld.DOCUMENT))
    return kept, written


def _row(number: int, question: MadeQuestion, documents: Mapping[str, Document]) -> dict[str, Any]:
    row: dict[str, Any] = {"id": f"made-{number}", "question": question.text, "answers": [], "spans": []}
    if question.answerable:
        answer = _answer(question, documents)
        row["answers"] = [answer]
        row["spans"] = [
            {"doc": question.document, "start": question.answer_start, "end": question.answer_end, "text": answer}
        ]
        row["doc"] = question.document
    return row | {"synthetic": True, "kind": question.kind.value, "withheld": question.withheld.value}


def _answer(question: MadeQuestion, documents: Mapping[str, Document]) -> str:
    return documents[question.document].text[question.answer_start : question.answer_end]


def _document(document: Document) -> dict[str, Any]:
    return {
        "_id": document.id,
        "title": document.title,
        "text": document.text,
        "metadata": {key: value for key, value in document.metadata.items() if isinstance(value, (str, int, float))},
    }


def _lines(rows: Sequence[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
