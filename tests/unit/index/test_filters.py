"""Filters in SQL against an oracle in Python."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import assert_never

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rag_engine.errors import InvalidFilterError
from rag_engine.index import Catalog, PreparedDocument, document_digest, embedding_key
from rag_engine.index.catalog.filters import condition
from rag_engine.types.document import Chunk, Document, JsonValue
from rag_engine.types.retrieval import And, Comparator, Comparison, Filter, Not, Or

NEGATED = {Comparator.NOT_EQUAL: Comparator.EQUAL, Comparator.NOT_IN: Comparator.IN}


def matches(expression: Filter, fields: dict[str, JsonValue]) -> bool:
    """The oracle: whether one document's fields satisfy a filter."""
    match expression:
        case And(conditions):
            return all(matches(part, fields) for part in conditions)
        case Or(conditions):
            return any(matches(part, fields) for part in conditions)
        case Not(inner):
            return not matches(inner, fields)
        case Comparison(field, comparator, value):
            if comparator in NEGATED:
                return not matches(Comparison(field, NEGATED[comparator], value), fields)
            wanted = value if comparator is Comparator.IN and isinstance(value, (list, tuple)) else (value,)
            return field in fields and any(holds(fields[field], comparator, member) for member in wanted)
        case _:
            assert_never(expression)


def holds(actual: JsonValue, comparator: Comparator, value: object) -> bool:
    if comparator in (Comparator.EQUAL, Comparator.IN):
        candidates = [actual, *actual] if isinstance(actual, list) else [actual]
        return any(kind(item) == kind(value) != "other" and item == value for item in candidates)
    if kind(actual) != kind(value) or kind(value) not in ("number", "text"):
        return False
    order = (actual > value) - (actual < value)  # type: ignore[operator]
    return {">": order > 0, ">=": order >= 0, "<": order < 0, "<=": order <= 0}[comparator.value]


def kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, (int, float)) else "text" if isinstance(value, str) else "other"


NAMES = st.sampled_from(["year", "language", "tag's", 'a "quoted" key', "back\\slash", "日本", ""])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, -1, 2020, 2021, 0.5, 2020.5, 2.0, 1.0]),
    st.integers(-(2**62), 2**62),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "en", "de", "EN", "e", "2020", "it's", '"', "%", "日本", "true"]),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4),
)
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(NAMES, SCALARS, max_size=1))
METADATA = st.dictionaries(NAMES, VALUES, max_size=3)
COMPARISONS = st.one_of(
    st.builds(Comparison, NAMES, st.sampled_from([c for c in Comparator if "in" not in c.value]), SCALARS),
    st.builds(
        Comparison,
        NAMES,
        st.sampled_from([Comparator.IN, Comparator.NOT_IN]),
        st.lists(SCALARS, max_size=4).map(tuple),
    ),
)
FILTERS = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.builds(And, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    with closing(Catalog.create(tmp_path_factory.mktemp("filters") / "catalog.sqlite")) as catalog:
        yield catalog


def matched(catalog: Catalog, metadata: list[dict[str, JsonValue]], expression: Filter) -> list[int]:
    """Which of the documents with these metadata the catalog finds, by their place in the list."""
    with catalog.change() as change:
        change.delete_documents(catalog.document_ids())
        for place, fields in enumerate(metadata):
            document = Document(str(place), "text", title="Title", metadata=fields)
            chunk = Chunk(0, 0, 4, "text", (), "text", 1)
            vectors = {embedding_key(chunk.embedded_text): np.ones(1, dtype=np.float32)}
            change.put_document(PreparedDocument(document, document_digest(document), None, [chunk], vectors))
    found = catalog.passages(catalog.matching(expression).tolist())
    return sorted(int(passage.document_id) for passage in found.values())


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(metadata=st.lists(METADATA, min_size=1, max_size=4), expression=FILTERS)
@example(
    metadata=[{"year": 2020}, {"year": 2020.0}, {"year": "2020"}], expression=Comparison("year", Comparator.EQUAL, 2020)
)
@example(metadata=[{}, {"year": None}], expression=Comparison("year", Comparator.NOT_EQUAL, 1))
@example(metadata=[{"year": [1, [2]]}], expression=Comparison("year", Comparator.IN, (2,)))
def test_the_catalog_finds_what_the_oracle_finds(
    catalog: Catalog, metadata: list[dict[str, JsonValue]], expression: Filter
) -> None:
    expected = [place for place, fields in enumerate(metadata) if matches(expression, fields)]
    assert matched(catalog, metadata, expression) == expected


@pytest.mark.parametrize(
    "expression",
    [
        Comparison("year", Comparator.IN, tuple(range(20_000))),
        Or(tuple(Comparison("year", Comparator.EQUAL, year) for year in range(3_000))),
        Not(And(tuple(Comparison("year", Comparator.GREATER, year) for year in range(3_000)))),
    ],
    ids=["a long list", "many alternatives", "many conditions"],
)
def test_long_filters_are_answered(catalog: Catalog, expression: Filter) -> None:
    assert matched(catalog, [{"year": 2020}, {"year": -1}], expression)[0] == 0


def test_a_filter_beyond_what_sqlite_takes_is_refused_with_the_way_out() -> None:
    with pytest.raises(InvalidFilterError) as raised:
        condition(Or(tuple(Comparison("year", Comparator.EQUAL, year) for year in range(10_000))))
    assert "field in [" in raised.value.hint


def test_integers_beyond_sixty_four_bits_compare_as_floating_point_numbers(catalog: Catalog) -> None:
    metadata: list[dict[str, JsonValue]] = [{"size": 2**80}, {"size": 5}]
    assert matched(catalog, metadata, Comparison("size", Comparator.GREATER, 2**70)) == [0]
    assert matched(catalog, metadata, Comparison("size", Comparator.EQUAL, 2**80)) == [0]
    assert matched(catalog, metadata, Comparison("size", Comparator.LESS, 10**400)) == [0, 1]


def test_id_title_and_source_are_fields_too(catalog: Catalog) -> None:
    assert matched(catalog, [{}, {}], Comparison("id", Comparator.IN, ("1", "7", 1))) == [1]
    assert matched(catalog, [{}], Comparison("title", Comparator.GREATER_OR_EQUAL, "T")) == [0]
    assert matched(catalog, [{}], Comparison("title", Comparator.EQUAL, 3)) == []
    # Documents from memory have no source: unequal, neither less nor greater.
    assert matched(catalog, [{}], Comparison("source", Comparator.NOT_EQUAL, "x")) == [0]
    assert matched(catalog, [{}], Comparison("source", Comparator.LESS, "x")) == []
    assert matched(catalog, [{}], Not(Comparison("source", Comparator.LESS, "x"))) == [0]
