"""What the documents are called and described by."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rag_engine.index import Index
from rag_engine.types.document import Document
from rag_engine.types.optimization import FieldKind
from rag_engine.types.retrieval import And, Comparator, Comparison

Ingest = Callable[..., object]


@pytest.fixture
def library(index: Index, ingest: Ingest) -> Index:
    """Three documents with metadata and titles."""
    ingest(
        Document("a", "A text of the first.", "Alien (film)", {"author": "Jane Smith", "year": 2019, "tags": ["tax"]}),
        Document("b", "A text of the second.", "Alien", {"author": "jane smith", "year": 2020, "draft": True}),
        Document("c", "A text of the third.", "Graham Hill", {"author": "Smith & Sons", "tags": ["Tax", "law"]}),
    )
    return index


def test_fields_have_the_kind_of_their_values_and_examples(library: Index) -> None:
    fields = library.catalog.facts.fields()
    assert {name: field.kind for name, field in fields.items()} == {
        "author": FieldKind.TEXT,
        "year": FieldKind.NUMBER,
        "tags": FieldKind.LIST,
        "draft": FieldKind.TRUTH,
    }
    assert (fields["year"].documents, fields["year"].examples) == (2, (2019, 2020))


def test_fields_are_read_again_after_a_commit(library: Index, ingest: Ingest) -> None:
    assert "colour" not in library.catalog.facts.fields()
    ingest(Document("d", "A text of the fourth.", "", {"colour": "red"}))
    assert "colour" in library.catalog.facts.fields()


def test_an_empty_index_has_no_fields_and_no_names(index: Index) -> None:
    assert index.catalog.facts.fields() == {}
    assert index.catalog.facts.named(["Alien"]) == {}


def test_values_are_found_whatever_their_case_and_else_by_whole_words(library: Index) -> None:
    facts = library.catalog.facts
    assert set(facts.values_like("author", "JANE SMITH")) == {"Jane Smith", "jane smith"}
    assert set(facts.values_like("author", "smith")) == {"Jane Smith", "jane smith", "Smith & Sons"}
    assert set(facts.values_like("tags", "tax")) == {"tax", "Tax"}
    assert facts.values_like("author", "Smit") == ()
    assert facts.values_like("nothing", "Smith") == ()
    assert facts.values_like("author", "  ") == ()


def test_documents_are_found_by_their_name_with_or_without_brackets(library: Index) -> None:
    assert library.catalog.facts.named(["Alien", "Graham Hill", "alien", "' or 1=1"]) == {
        "Alien": ("a", "b"),
        "Graham Hill": ("c",),
    }


def test_names_are_looked_up_in_an_index_of_the_database(library: Index) -> None:
    asked: list[tuple[str, object]] = []
    rows = library.catalog._rows
    library.catalog.facts._rows = lambda sql, parameters=(): asked.append((sql, parameters)) or rows(sql, parameters)  # type: ignore[assignment, func-returns-value]
    library.catalog.facts.named(["Alien"])
    plan = rows(f"explain query plan {asked[0][0]}", asked[0][1])
    assert any("documents_by_name" in step[-1] for step in plan)


def test_whether_any_document_satisfies_a_filter(library: Index) -> None:
    year = Comparison("year", Comparator.EQUAL, 2019)
    assert library.catalog.facts.admits(year)
    assert not library.catalog.facts.admits(And((year, Comparison("draft", Comparator.EQUAL, True))))
