"""Gold sets: questions with what answers them, as judged documents (BEIR) or as characters of documents (spans)."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rag_engine.errors import GoldSetError
from rag_engine.evaluation.gold_files import Record, read_lines, read_records
from rag_engine.evaluation.span_measures import CharacterSpan


class GoldForm(StrEnum):
    """What the gold of a set is."""

    BEIR = "beir"
    SPANS = "spans"


@dataclass(frozen=True, slots=True)
class GoldSpan:
    """Characters of a document that answer a question: 0-based, end exclusive; ``text`` is what stands there."""

    document: str
    start: int
    end: int
    text: str

    @property
    def characters(self) -> CharacterSpan:
        """Where the span lies."""
        return CharacterSpan(self.document, self.start, self.end)


@dataclass(frozen=True, slots=True)
class GoldQuestion:
    """A question and what is known about it.

    ``relevant`` holds the judged documents and their grades (0 and below: judged and not relevant);
    a question without any is not scored for retrieval. ``answerable`` is None where the set does
    not say whether its documents answer the question.
    """

    id: str
    text: str
    relevant: Mapping[str, int]
    spans: tuple[GoldSpan, ...]
    answers: tuple[str, ...]
    answerable: bool | None


@dataclass(frozen=True, slots=True)
class GoldSet:
    """A gold set. ``corpus`` is its file of documents, None where it speaks about those of an existing index."""

    name: str
    form: GoldForm
    corpus: Path | None
    questions: tuple[GoldQuestion, ...]

    @property
    def qrels(self) -> dict[str, Mapping[str, int]]:
        """Judged documents and their grades, by question; only questions that have any."""
        return {question.id: question.relevant for question in self.questions if question.relevant}


def read_gold_set(folder: Path) -> GoldSet:
    """Reads a folder in one of two forms.

    BEIR (Thakur et al., 2021): ``queries.jsonl`` {_id, text}; ``qrels/test.tsv`` in BEIR's three columns or
    TREC's four, with or without a header; ``corpus.jsonl`` and ``answers.jsonl`` {_id, answerable, answers}
    where there are any. Spans: ``questions.jsonl`` {id, question, answers, doc, spans[{doc, start, end, text}]},
    where a question without spans is unanswerable; ``docs.jsonl`` where there is one.

    Raises:
        GoldSetError: a file is missing, or a line is not what the form requires; says which.
    """
    folder = Path(folder)
    beir, spans = folder / "queries.jsonl", folder / "questions.jsonl"
    if beir.is_file() == spans.is_file():
        found, joined = ("holds both", "and") if beir.is_file() else ("holds neither", "nor")
        if not folder.is_dir():
            found, joined = "is no folder with", "or"
        raise GoldSetError(f"{folder} {found} queries.jsonl (BEIR form) {joined} questions.jsonl (span form)")
    if beir.is_file():
        form, corpus, questions = GoldForm.BEIR, folder / "corpus.jsonl", _read_beir(folder)
    else:
        form, corpus, questions = GoldForm.SPANS, folder / "docs.jsonl", _read_span_questions(spans)
    if not questions:
        raise GoldSetError(f"{beir if form is GoldForm.BEIR else spans} holds no question")
    return GoldSet(folder.resolve().name, form, corpus if corpus.is_file() else None, tuple(questions.values()))


def document_ids(corpus: Path) -> Iterator[str]:
    """Ids of the documents in a corpus file, read as they are asked for.

    Raises:
        GoldSetError: a line is no JSON object with an id.
    """
    return (record.identifier("_id", "id") for record in read_records(corpus))


def check_against(gold: GoldSet, known_documents: Container[str]) -> None:
    """Raises GoldSetError where the gold names documents that are not among ``known_documents``."""
    named = {document: None for question in gold.questions for document in question.relevant}
    unknown = [document for document in named if document not in known_documents]
    if unknown:
        shown = ", ".join(unknown[:5]) + (", ..." if len(unknown) > 5 else "")
        raise GoldSetError(
            f"{gold.name} judges {len(unknown)} of {len(named)} documents that are not there: {shown}",
            hint="evaluate against the index that holds the set's documents",
        )


def check_spans(gold: GoldSet, text_of: Callable[[str], str | None]) -> None:
    """Raises GoldSetError where a span's text is not what its document says there.

    ``text_of`` gives a document's text, None where it is not to be had; it is asked once per document.
    """
    by_document: dict[str, list[tuple[str, GoldSpan]]] = {}
    for question in gold.questions:
        for span in question.spans:
            by_document.setdefault(span.document, []).append((question.id, span))
    for document, spans in by_document.items():
        text = text_of(document)
        if text is None:
            continue
        for question_id, span in spans:
            if text[span.start : span.end] != span.text:
                raise GoldSetError(
                    f"{gold.name}: question {question_id}: characters {span.start} to {span.end} of {document} "
                    "are not the span's text",
                    hint="the documents have changed since the spans were marked; ingest the set's own documents",
                )


def _read_beir(folder: Path) -> dict[str, GoldQuestion]:
    texts: dict[str, str] = {}
    for record in read_records(folder / "queries.jsonl"):
        texts[_new_identifier(record, texts)] = record.text("text")
    relevant = _read_qrels(folder / "qrels" / "test.tsv", texts) if texts else {}
    answers: dict[str, tuple[tuple[str, ...], bool | None]] = {}
    if (folder / "answers.jsonl").is_file():
        for record in read_records(folder / "answers.jsonl"):
            identifier = _new_identifier(record, answers)
            if identifier not in texts:
                raise record.place.error(f"answers {identifier}, which is not in queries.jsonl")
            answers[identifier] = _beir_answers(record)
    return {
        identifier: GoldQuestion(
            identifier, text, relevant.get(identifier, {}), (), *answers.get(identifier, ((), None))
        )
        for identifier, text in texts.items()
    }


def _beir_answers(record: Record) -> tuple[tuple[str, ...], bool | None]:
    answers = record.strings("answers")
    answerable = record.fields.get("answerable")
    if answerable is not None and not isinstance(answerable, bool):
        raise record.place.error("answerable is neither true nor false")
    return answers, (True if answers else None) if answerable is None else answerable


def _read_qrels(file: Path, queries: Container[str]) -> dict[str, dict[str, int]]:
    relevant: dict[str, dict[str, int]] = {}
    first = True
    for place, line in read_lines(file):
        columns = line.split("\t") if "\t" in line else line.split()
        columns = [column.strip() for column in columns]
        is_header, first = first and columns[0] not in queries and not _is_whole(columns[-1]), False
        if is_header:
            continue
        if len(columns) not in (3, 4) or not _is_whole(columns[-1]):
            raise place.error("not query, document and whole grade, nor TREC's four columns")
        query, document, grade = columns[0], columns[-2], int(columns[-1])
        if query not in queries:
            raise place.error(f"judges query {query}, which is not in queries.jsonl")
        if relevant.setdefault(query, {}).setdefault(document, grade) != grade:
            raise place.error(f"grades {document} for query {query} a second time, differently")
    if not relevant:
        raise GoldSetError(f"{file} judges nothing")
    return relevant


def _is_whole(text: str) -> bool:
    return text.removeprefix("-").isdecimal()


def _read_span_questions(file: Path) -> dict[str, GoldQuestion]:
    questions: dict[str, GoldQuestion] = {}
    for record in read_records(file):
        identifier = _new_identifier(record, questions)
        answers = record.strings("answers")
        spans = tuple(_read_span(span, record) for span in record.objects("spans"))
        if answers and not spans:
            raise record.place.error("has answers but no spans; a question without spans is unanswerable")
        relevant = {span.document: 1 for span in spans}
        questions[identifier] = GoldQuestion(
            identifier, record.text("question"), relevant, spans, answers, answerable=bool(spans)
        )
    return questions


def _read_span(span: Record, question: Record) -> GoldSpan:
    document = (span if "doc" in span.fields else question).identifier("doc")
    start, end, text = span.position("start"), span.position("end"), span.text("text")
    if end - start != len(text):
        raise span.place.error(f"a span from {start} to {end} with a text of {len(text)} characters")
    return GoldSpan(document, start, end, text)


def _new_identifier(record: Record, seen: Container[str]) -> str:
    identifier = record.identifier("_id", "id")
    if identifier in seen:
        raise record.place.error(f"id {identifier} a second time")
    return identifier
