"""What is known of an expected document before anything is searched: its text, its chunks, the question's words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from rag_engine.context_retrieval import false_parts, shown
from rag_engine.errors import UnknownDocumentError
from rag_engine.index import Catalog
from rag_engine.protocols import IndexView
from rag_engine.types.document import JsonValue
from rag_engine.types.explanation import FalseCondition, QuestionWords
from rag_engine.types.retrieval import And, Comparator, Comparison, Filter, Not

if TYPE_CHECKING:
    from rag_engine.protocols import Numbers
    from rag_engine.types.document import Document

_WORD = re.compile(r"\w+")
_MOST_QUESTION_WORDS = 60
_MOST_NAMED, _LIKENESS = 3, 0.6
# To compare an id with another takes some ten microseconds.
_MOST_COMPARED = 20_000
_SINGLE_WORDS, _WORDS_TOGETHER, _WORDS_LOOKED_AT, _COUNTED_UP_TO = 8, 4, 60, 200


@dataclass(frozen=True, slots=True)
class ExpectedDocument:
    """A document of the index, its source (None for one from memory), and the numbers of its chunks, ascending."""

    document: Document
    source: str | None
    chunks: Numbers

    def value_of(self, field: str) -> JsonValue:
        """What a filter's field is of this document; None also where it has none."""
        own: dict[str, JsonValue] = {
            "id": self.document.id,
            "document": self.document.id,
            "title": self.document.title,
            "source": self.source,
        }
        return own[field] if field in own else self.document.metadata.get(field)


def _itself(identifier: str) -> Filter:
    return Comparison("id", Comparator.EQUAL, identifier)


def expected_document(identifier: str, *, catalog: Catalog, view: IndexView) -> ExpectedDocument:
    """The document of this id.

    Raises:
        UnknownDocumentError: there is none; says which ids are like it, or why its file was set aside.
    """
    stored = catalog.stored(identifier)
    if stored is None:
        raise _unknown(identifier, catalog)
    (document,) = catalog.documents_of([stored.number])
    return ExpectedDocument(document, stored.source, view.matching(_itself(identifier)))


def _unknown(identifier: str, catalog: Catalog) -> UnknownDocumentError:
    message = f"the index holds no document {identifier!r}"
    for source in catalog.sources.quarantined():
        if source.source == identifier or source.source.endswith("/" + identifier.lstrip("./")):
            return UnknownDocumentError(f"{message}: its file was set aside, {source.error}", hint=source.hint)
    near = _nearest(identifier, catalog.document_ids())
    if not near:
        return UnknownDocumentError(message)
    return UnknownDocumentError(message, hint=f"the nearest are {', '.join(near)}")


def _nearest(identifier: str, known: Sequence[str]) -> list[str]:
    """Ids like this one: those that end in the same name first."""
    name = PurePath(identifier).name.casefold()
    named = [one for one in known if name and name in one.casefold()]
    alike = difflib.get_close_matches(identifier, known[:_MOST_COMPARED], _MOST_NAMED, _LIKENESS)
    return list(dict.fromkeys([*named[:_MOST_NAMED], *alike]))[:_MOST_NAMED]


def false_conditions(
    condition: Filter | None, expected: ExpectedDocument, view: IndexView
) -> tuple[list[Filter], tuple[FalseCondition, ...]]:
    """The parts of a filter that are false of a document, none where it is admitted, and what it has there."""
    if condition is None or not len(expected.chunks):
        return [], ()

    def holds(part: Filter) -> bool:
        return len(view.matching(And((_itself(expected.document.id), part)))) > 0

    if holds(condition):
        return [], ()
    false = list(false_parts(condition, holds))
    return false, tuple(FalseCondition(shown(part), _value(part, expected)) for part in false)


def _value(part: Filter, expected: ExpectedDocument) -> JsonValue:
    inner = part.condition if isinstance(part, Not) else part
    return expected.value_of(inner.field) if isinstance(inner, Comparison) else None


def question_words(question: str, expected: ExpectedDocument, view: IndexView) -> QuestionWords:
    """Which words of the question are in the document, which elsewhere alone, which nowhere."""
    places: dict[str, list[str]] = {"in": [], "elsewhere": [], "nowhere": [], "ignored": []}
    words = dict.fromkeys(word.casefold() for word in _WORD.findall(question))
    for word in list(words)[:_MOST_QUESTION_WORDS]:
        if not view.lexical.terms(word):
            place = "ignored"
        elif view.lexical.search(word, 1, among=expected.chunks):
            place = "in"
        else:
            place = "elsewhere" if view.lexical.search(word, 1) else "nowhere"
        places[place].append(word)
    return QuestionWords(
        in_document=tuple(places["in"]),
        elsewhere=tuple(places["elsewhere"]),
        nowhere=tuple(places["nowhere"]),
        ignored=tuple(places["ignored"]),
    )


def words_to_add(question: str, expected: ExpectedDocument, chunk: int | None, view: IndexView) -> list[str]:
    """What of the document may be added to a question, the least first: single words that the question lacks, of its
    title, of the headings above the ``chunk`` and of the rarest of its text, then several of these together."""
    if not len(expected.chunks):
        return []
    number = int(expected.chunks[0]) if chunk is None else chunk
    passage = view.passages([number])[number]
    had = set(view.lexical.terms(question))

    def lacking(text: str) -> Iterator[str]:
        for word in dict.fromkeys(_WORD.findall(text)):
            if (terms := view.lexical.terms(word)) and not had.issuperset(terms):
                yield word

    title = list(lacking(" ".join((passage.title, *passage.heading_path))))
    looked_at = list(lacking(passage.text))[:_WORDS_LOOKED_AT]
    rare = sorted(looked_at, key=lambda word: len(view.lexical.search(word, _COUNTED_UP_TO)))
    single = list(dict.fromkeys([*title, *rare]))[:_SINGLE_WORDS]
    together = [" ".join(words[:_WORDS_TOGETHER]) for words in (title, rare) if len(words) > 1]
    return list(dict.fromkeys([*single, *together]))
