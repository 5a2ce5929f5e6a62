from __future__ import annotations

import json

import pytest
from hypothesis import given

from rag_engine.errors import BadResponseError, InvalidRequestError
from rag_engine.llm.providers.dialect import Target
from rag_engine.llm.providers.tool_arguments import (
    arguments_of,
    arguments_of_object,
    arguments_to_send,
    check_arguments,
)
from rag_engine.types.conversation import ToolCall
from tests.unit.llm.providers.wire_damage import JSON_VALUES

TARGET = Target("anthropic", "claude-opus-5")


@given(JSON_VALUES)
def test_arguments_are_the_text_of_an_object_or_an_error(value: object) -> None:
    for read in (arguments_of, arguments_of_object):
        try:
            text = read(value, TARGET)
        except BadResponseError:
            continue
        assert isinstance(json.loads(text, parse_constant=pytest.fail), dict)
        assert check_arguments(text, TARGET) == arguments_to_send(ToolCall("a", "f", text), TARGET)


def test_arguments_as_text_and_as_object_are_written_alike() -> None:
    assert arguments_of('{"city":"Köln",  "n":1}', TARGET) == arguments_of({"city": "Köln", "n": 1}, TARGET)


def test_none_at_all_are_an_empty_object() -> None:
    assert arguments_of(" ", TARGET) == arguments_of(None, TARGET) == arguments_of_object(None, TARGET) == "{}"
    assert arguments_to_send(ToolCall("a", "f", " "), TARGET) == {}


@pytest.mark.parametrize("text", ["[1]", "no", '"{}"', "{", '{"a": NaN}', '{"a": -Infinity}', '{"a":' * 100_000])
def test_what_is_no_object_is_neither_taken_nor_sent(text: str) -> None:
    for read in (arguments_of, check_arguments):
        with pytest.raises(BadResponseError):
            read(text, TARGET)
    with pytest.raises(InvalidRequestError, match="'f'") as raised:
        arguments_to_send(ToolCall("a", "f", text), TARGET)
    assert (raised.value.provider, raised.value.model) == ("anthropic", "claude-opus-5")


def test_text_is_no_object_where_only_objects_are_taken() -> None:
    with pytest.raises(BadResponseError):
        arguments_of_object("{}", TARGET)


def test_an_error_shows_nothing_of_what_came() -> None:
    for value in ("secret", ["secret"], {"secret": "\udc00"}, {"secret": float("nan")}):
        with pytest.raises(BadResponseError) as raised:
            arguments_of(value, TARGET)
        assert "secret" not in str(raised.value)
        assert raised.value.__cause__ is None
