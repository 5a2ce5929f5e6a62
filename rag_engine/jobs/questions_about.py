"""Questions about what an index holds: a seeded sample of its documents, and what can be asked of it."""

from __future__ import annotations

from random import Random

from rag_engine.errors import CalibrationError
from rag_engine.evaluation.question_making import MadeQuestion, make_questions
from rag_engine.index import Catalog
from rag_engine.protocols import SentenceSplitter
from rag_engine.types.document import Document

# Fewer chunks hold too few different sentences: questions would be about the same ones again and again.
LEAST_CHUNKS = 40
LEAST_QUESTIONS = 60
# More documents than this many for a question add nothing but reading.
_DOCUMENTS_PER_QUESTION = 2


def questions_about(
    catalog: Catalog, count: int, *, split_sentences: SentenceSplitter, seed: int
) -> tuple[list[MadeQuestion], dict[str, Document]]:
    """Up to ``count`` questions and the documents that they were made of, by id; the same for the same commit and seed.

    Raises:
        CalibrationError: the index holds fewer than ``LEAST_CHUNKS`` chunks, or too few sentences to ask about.
    """
    chunks = catalog.counts().chunks
    if chunks < LEAST_CHUNKS:
        raise CalibrationError(
            f"the index holds {chunks} chunks; {LEAST_CHUNKS} are needed to make questions of",
            hint="ingest more documents first",
        )
    if count < LEAST_QUESTIONS:
        raise CalibrationError(
            f"{count} questions tell nothing; {LEAST_QUESTIONS} are needed", hint="ask for more with --questions"
        )
    identifiers = sorted(catalog.document_ids())
    if len(identifiers) > count * _DOCUMENTS_PER_QUESTION:
        identifiers = Random(seed).sample(identifiers, count * _DOCUMENTS_PER_QUESTION)  # noqa: S311 - a sample
    numbers = [stored.number for stored in map(catalog.stored, identifiers) if stored is not None]
    documents = list(catalog.documents_of(numbers))
    made = make_questions(documents, count, split_sentences=split_sentences, seed=seed)
    if len(made) < LEAST_QUESTIONS:
        raise CalibrationError(
            f"only {len(made)} questions can be made of the index's sentences; {LEAST_QUESTIONS} are needed",
            hint="ingest more documents of running text, or calibrate with questions of your own: rag calibrate --gold",
        )
    asked_of = {question.document for question in made}
    return made, {document.id: document for document in documents if document.id in asked_of}
