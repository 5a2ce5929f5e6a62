"""A gold set in span form as the chunking benchmark takes it: with its documents, and without what has no spans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.corpus import read_documents
from rag_engine.errors import GoldSetError
from rag_engine.evaluation import read_gold_set
from rag_engine.evaluation.gold_set import check_spans
from rag_engine.evaluation.span_measures import CharacterSpan
from rag_engine.types.document import Document


@dataclass(frozen=True, slots=True)
class SpanSet:
    """A gold set in span form: its documents, and the questions that have spans with the spans of each."""

    name: str
    documents: Sequence[Document]
    questions: Sequence[str]
    references: Sequence[Sequence[CharacterSpan]]

    @property
    def megabytes(self) -> float:
        """Bytes of all documents as UTF-8, in millions."""
        return sum(len(document.text.encode()) for document in self.documents) / 1e6


def read_span_set(folder: Path) -> SpanSet:
    """Raises GoldSetError where the folder is no gold set in span form with documents and spans of its own."""
    gold = read_gold_set(folder)
    answerable = [question for question in gold.questions if question.spans]
    if gold.corpus is None or not answerable:
        raise GoldSetError(f"{folder} holds no docs.jsonl with questions that have spans")
    documents = read_documents(gold.corpus)
    texts = {document.id: document.text for document in documents}
    check_spans(gold, texts.get)
    references = [[span.characters for span in question.spans] for question in answerable]
    return SpanSet(gold.name, documents, [question.text for question in answerable], references)
