"""The false parts of a filter, and the filter without them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.context_retrieval import false_parts, parse_filter, shown, without
from rag_engine.types.retrieval import And, Comparator, Comparison, Filter, Not, Or

HAS = {"year": 2019, "language": "en"}


def holds(condition: Filter) -> bool:
    """Equality over the fields of one document: enough to say which parts are false."""
    match condition:
        case And(parts):
            return all(map(holds, parts))
        case Or(parts):
            return any(map(holds, parts))
        case Not(inner):
            return not holds(inner)
        case Comparison(field, _, value):
            return HAS.get(field) == value


@pytest.mark.parametrize(
    ("expression", "false"),
    [
        ("year == 2020", ["year == 2020"]),
        ("year == 2020 and language == 'en'", ["year == 2020"]),
        ("year == 2020 or language == 'de'", ["year == 2020", "language == 'de'"]),
        ("language == 'en' and not (year == 2019 or year == 2020)", ["not (year == 2019 or year == 2020)"]),
        (
            "year == 2019 and (language == 'de' or (year == 2019 and language == 'fr'))",
            ["language == 'de'", "language == 'fr'"],
        ),
    ],
)
def test_the_smallest_parts_that_make_a_filter_false_are_named(expression: str, false: list[str]) -> None:
    assert [shown(part) for part in false_parts(parse_filter(expression), holds)] == false


@pytest.mark.parametrize(
    ("expression", "part", "left"),
    [
        ("year == 2020", "year == 2020", None),
        ("year == 2020 and language == 'en'", "year == 2020", "language == 'en'"),
        ("a == 1 and b == 2 and c == 3", "b == 2", "a == 1 and c == 3"),
        ("a == 1 or b == 2", "a == 1", "a == 1 or b == 2"),
    ],
)
def test_a_part_is_taken_out_of_conjunctions_alone(expression: str, part: str, left: str | None) -> None:
    found = without(parse_filter(expression), parse_filter(part))
    assert (None if found is None else shown(found)) == left


names = st.sampled_from(["year", "title", "last-edited", "class", "if"])
scalars = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=100)
comparisons = st.builds(Comparison, names, st.sampled_from([Comparator.EQUAL, Comparator.LESS]), scalars) | st.builds(
    Comparison, names, st.just(Comparator.IN), st.lists(scalars, max_size=30).map(tuple)
)
filters = st.recursive(
    comparisons,
    lambda inner: (
        st.lists(inner, min_size=2, max_size=3).map(tuple).map(Or)
        | st.lists(inner, min_size=2, max_size=3).map(tuple).map(And)
        | inner.map(Not)
    ),
    max_leaves=6,
)


def flat(condition: Filter) -> Filter:
    """Conjunctions within conjunctions as one, and disjunctions likewise: an expression does not tell them apart."""
    if isinstance(condition, Not):
        return Not(flat(condition.condition))
    if isinstance(condition, Comparison):
        return condition
    kind = type(condition)
    parts = [flat(part) for part in condition.conditions]
    return kind(tuple(one for part in parts for one in (part.conditions if isinstance(part, kind) else (part,))))


@given(filters)
def test_a_whole_filter_as_an_expression_is_read_as_the_same_filter(condition: Filter) -> None:
    assert flat(parse_filter(shown(condition, whole=True))) == flat(condition)


@given(filters)
def test_a_filter_is_false_through_its_false_parts_alone(condition: Filter) -> None:
    if not holds(condition):
        parts = list(false_parts(condition, holds))
        assert parts
        assert not any(map(holds, parts))
