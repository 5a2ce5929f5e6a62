from __future__ import annotations

import pytest

from rag_engine.error_handler import Phase
from rag_engine.errors import BadResponseError
from rag_engine.llm.providers.dialect import Target
from rag_engine.llm.providers.received import (
    index_in,
    object_in,
    objects_in,
    parsed,
    parsed_object,
    text_in,
    text_or_empty,
    whole_text,
)

TARGET = Target("anthropic", "claude-opus-5")


def test_an_error_shows_nothing_of_what_came() -> None:
    for read in (
        lambda: parsed("secret {", TARGET),
        lambda: parsed_object("secret {", TARGET),
        lambda: parsed_object('["secret"]', TARGET),
        lambda: text_in({"text": ["secret"]}, "text", TARGET),
        lambda: text_in({"text": "secret \udc00"}, "text", TARGET),
        lambda: whole_text(["secret"], TARGET),
        lambda: object_in({"delta": "secret"}, "delta", TARGET),
        lambda: objects_in({"content": ["secret"]}, "content", TARGET),
        lambda: index_in({"index": "secret"}, TARGET),
    ):
        with pytest.raises(BadResponseError) as raised:
            read()
        assert "secret" not in str(raised.value)
        assert raised.value.__cause__ is None
        assert (raised.value.provider, raised.value.model) == ("anthropic", "claude-opus-5")


def test_an_error_says_whether_it_could_not_be_read_or_was_not_what_it_should_be() -> None:
    with pytest.raises(BadResponseError) as raised:
        parsed_object("[" * 100_000, TARGET)
    assert raised.value.phase == Phase.PARSE
    with pytest.raises(BadResponseError) as raised:
        text_in({}, "text", TARGET)
    assert raised.value.phase == Phase.VALIDATE


def test_halves_of_a_character_side_by_side_are_one_and_a_half_alone_is_none() -> None:
    assert whole_text("a\ud83d" + "\ude00é", TARGET) == "a😀é"
    for half in ("\ud83d", "a\ude00", "\ude00\ud83d", "😀\ud83d"):
        with pytest.raises(BadResponseError):
            whole_text(half, TARGET)


def test_a_text_that_only_informs_may_be_missing() -> None:
    assert text_or_empty("m-1") == "m-1"
    assert {text_or_empty(value) for value in (None, 7, ["m"], {}, True)} == {""}


@pytest.mark.parametrize("text", ['{"a": 1}', ' {"a": 1}', '{"a": 1}\n', '\t{"a": 1} \r\n'])
def test_space_around_json_is_none_of_it(text: str) -> None:
    assert parsed(text, TARGET) == {"a": 1}


@pytest.mark.parametrize("text", ["", " ", "{", '{"a": 1}{', '{"a": 1} x', "\ufeff{}", "[" * 100_000])
def test_what_is_no_json_or_has_something_behind_it_is_refused(text: str) -> None:
    with pytest.raises(BadResponseError, match="no JSON"):
        parsed(text, TARGET)
