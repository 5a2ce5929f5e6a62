"""Reading filters."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.context_retrieval import parse_filter
from rag_engine.errors import InvalidFilterError
from rag_engine.types.retrieval import And, Comparator, Comparison, Not, Or

YEAR = Comparison("year", Comparator.GREATER_OR_EQUAL, 2020)
LANGUAGE = Comparison("language", Comparator.IN, ("en", "de"))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("year >= 2020", YEAR),
        ("2020 <= year", YEAR),
        ("year >= 2020 and language in ['en', 'de']", And((YEAR, LANGUAGE))),
        ("year >= 2020 or not language in ('en', 'de')", Or((YEAR, Not(LANGUAGE)))),
        ("2020 <= year < 2024", And((YEAR, Comparison("year", Comparator.LESS, 2024)))),
        ("meta['last edited'] == 'today'", Comparison("last edited", Comparator.EQUAL, "today")),
        ("metadata.year >= 2020", YEAR),
        ("draft == true", Comparison("draft", Comparator.EQUAL, True)),
        ("draft != null", Comparison("draft", Comparator.NOT_EQUAL, None)),
        ("temperature > -3.5", Comparison("temperature", Comparator.GREATER, -3.5)),
        ("language not in ['en', 'de']", Comparison("language", Comparator.NOT_IN, ("en", "de"))),
    ],
)
def test_an_expression_says_what_it_looks_like(expression: str, expected: object) -> None:
    assert parse_filter(expression) == expected


@pytest.mark.parametrize(
    "form",
    [
        {
            "operator": "AND",
            "conditions": [
                {"field": "meta.year", "operator": ">=", "value": 2020},
                {"field": "meta.language", "operator": "in", "value": ["en", "de"]},
            ],
        },
        {
            "type": "and",
            "filters": [
                {"type": "gte", "key": "year", "value": 2020},
                {"type": "in", "key": "language", "value": ["en", "de"]},
            ],
        },
        {"$and": [{"year": {"$gte": 2020}}, {"language": {"$in": ["en", "de"]}}]},
        {"year": {"$gte": 2020}, "language": {"$in": ["en", "de"]}},
    ],
    ids=["haystack", "openai", "chroma", "chroma, short"],
)
def test_the_forms_of_other_systems_mean_the_same(form: dict[str, object]) -> None:
    assert parse_filter(form) == And((YEAR, LANGUAGE))
    assert parse_filter(json.dumps(form)) == And((YEAR, LANGUAGE))


def test_chromas_plain_value_is_equality() -> None:
    assert parse_filter({"year": 2020}) == Comparison("year", Comparator.EQUAL, 2020)


def test_haystacks_not_negates_all_its_conditions() -> None:
    form = {"operator": "NOT", "conditions": [{"field": "year", "operator": ">=", "value": 2020}]}
    assert parse_filter(form) == Not(And((YEAR,)))


@pytest.mark.parametrize(
    "expression",
    [
        "", "   ", "year", "year >>> 3", "year = 2020", "year >= ", "3 >= 4", "'year' >= 4", "year in 3",
        "f(year) == 2",
        "year is 3", "__import__('os').system('true') == 0", "year == other", "(lambda: 1)() == 1", "{", "[]", "{}",
        '{"year": {"$near": 3}}', '{"operator": "AND"}', '{"operator": "~", "field": "a", "value": 1}',
        '{"$and": 3}', '{"year": {}}', '{"year": [1]}', "a == [1]", "a == b''", "(" * 500 + "a == 1" + ")" * 500,
        "not " * 100 + "a == 1", '{"$and": [' * 60 + '{"a": 1}' + "]}" * 60, "a == 1\x00",
    ],
)  # fmt: skip
def test_what_does_not_parse_is_refused_with_a_mend(expression: str) -> None:
    with pytest.raises(InvalidFilterError) as caught:
        parse_filter(expression)
    assert caught.value.hint
    assert len(caught.value.message) < 400


@given(st.text(max_size=40))
def test_no_text_does_anything_but_parse_or_be_refused(text: str) -> None:
    try:
        parse_filter(text)
    except InvalidFilterError:
        return


def test_an_integer_that_no_database_holds_compares_as_a_number() -> None:
    assert parse_filter(f"n == {10**30}") == Comparison("n", Comparator.EQUAL, 1e30)
