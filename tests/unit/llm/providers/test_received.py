from __future__ import annotations

import json
import math

import pytest
from hypothesis import given

from rag_engine.errors import BadResponseError
from rag_engine.llm.providers.dialect import Target
from rag_engine.llm.providers.received import arguments_of, count_of, index_in, objects_in, parsed_object, text_in
from tests.unit.llm.providers.wire_damage import JSON_VALUES

TARGET = Target("anthropic", "claude-opus-5")


@pytest.mark.parametrize(("value", "count"), [(0, 0), (7, 7), (7.0, 7), (10**30, 10**30)])
def test_a_whole_number_is_a_count(value: object, count: int) -> None:
    assert count_of(value) == count


@pytest.mark.parametrize("value", [-1, -1.0, 1.5, math.nan, math.inf, True, "7", [7], {}])
def test_what_is_no_whole_number_from_zero_on_is_no_count(value: object) -> None:
    assert count_of(value) is None
    assert count_of(value, absent=0) is None


def test_a_count_that_is_not_told_may_be_zero() -> None:
    assert count_of(None) is None
    assert count_of(None, absent=0) == 0


@given(JSON_VALUES)
def test_arguments_are_the_text_of_an_object_or_an_error(value: object) -> None:
    try:
        text = arguments_of(value, TARGET)
    except BadResponseError:
        return
    assert isinstance(json.loads(text, parse_constant=pytest.fail), dict)


def test_arguments_as_text_and_as_object_are_written_alike() -> None:
    assert arguments_of('{"city":"Köln",  "n":1}', TARGET) == arguments_of({"city": "Köln", "n": 1}, TARGET)
    assert arguments_of(" ", TARGET) == "{}"


def test_an_error_shows_nothing_of_what_came() -> None:
    for read in (
        lambda: parsed_object("secret {", TARGET),
        lambda: parsed_object('["secret"]', TARGET),
        lambda: arguments_of("secret", TARGET),
        lambda: text_in({"text": ["secret"]}, "text", TARGET),
        lambda: text_in({"text": "secret \udc00"}, "text", TARGET),
        lambda: objects_in({"content": ["secret"]}, "content", TARGET),
        lambda: index_in({"index": "secret"}, TARGET),
    ):
        with pytest.raises(BadResponseError) as raised:
            read()
        assert "secret" not in str(raised.value)
        assert raised.value.__cause__ is None
        assert (raised.value.provider, raised.value.model) == ("anthropic", "claude-opus-5")
