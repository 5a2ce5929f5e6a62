"""Errors say what happened in plain English and quote a provider without letting it write where it likes."""

from __future__ import annotations

import pickle

import pytest

from rag_engine.error_handler import FaultSignal, Phase, error_for, verdict_for
from rag_engine.error_handler.table import error_classes
from rag_engine.error_handler.wording import _WHAT, clean


def message(**fields: object) -> str:
    return error_for(FaultSignal("openai", Phase.HEADERS, **fields), model="gpt").message  # type: ignore[arg-type]


def test_the_message_says_whose_what_the_number_and_the_providers_words() -> None:
    assert message(status=401, code="invalid_api_key", message="Incorrect API key provided.") == (
        'openai/gpt: the provider refuses the key (HTTP 401 invalid_api_key); it says "Incorrect API key provided."'
    )


def test_a_provider_that_says_nothing_is_not_quoted() -> None:
    assert message(status=500) == "openai/gpt: the provider reports a fault of its own (HTTP 500)"


def test_a_code_that_only_repeats_the_status_is_left_out() -> None:
    assert "(HTTP 429)" in message(status=429, code="429")


def test_words_are_quoted_up_to_200_characters() -> None:
    quoted = message(status=500, message="word " * 100).split('"')[1]
    assert len(quoted) <= 200
    assert quoted.endswith("…")


@pytest.mark.parametrize("bad", ["\x1b[2J", "\r\n", "\x00", "\u202e", "\u2028", "\ud800", "\x9b"])
def test_what_could_write_on_a_terminal_by_itself_is_taken_out(bad: str) -> None:
    assert bad not in message(status=500, message=f"a{bad}b", code=f"c{bad}d")


def test_a_key_that_the_provider_starred_out_is_not_shown_in_its_rest_either() -> None:
    shown = message(status=401, message="Incorrect API key provided: sk-abcde*****wxyz.", code="sk-abcde****wxyz")
    assert "abcde" not in shown
    assert "wxyz" not in shown
    assert "[key]" in shown


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-request-id": "req_1", "cf-ray": "ray"}, "req_1"),
        ({"request-id": "req_2"}, "req_2"),
        ({"apim-request-id": "az"}, "az"),
        ({"x-goog-request-id": "g"}, "g"),
        ({"cf-ray": "ray-ARN"}, "ray-ARN"),
        ({"x-request-id": "\x1b[2J"}, "[2J"),
        ({}, ""),
    ],
)
def test_the_request_id_is_taken_from_where_providers_put_it(headers: dict[str, str], expected: str) -> None:
    error = error_for(FaultSignal("openai", Phase.HEADERS, 500, headers=headers), model="gpt")
    assert error.request_id == expected


def test_every_error_of_a_language_model_has_its_words() -> None:
    assert set(_WHAT) == set(error_classes().values())


def test_a_page_of_megabytes_is_not_read_whole() -> None:
    assert len(clean("x" * 10_000_000, longest=200)) == 200


def test_an_error_from_the_table_survives_pickling_with_its_verdict() -> None:
    error = error_for(FaultSignal("anthropic", Phase.STREAM, type="overloaded_error"), model="m")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.message, again.phase) == (type(error), error.message, Phase.STREAM)
    assert verdict_for(again) == verdict_for(error)
