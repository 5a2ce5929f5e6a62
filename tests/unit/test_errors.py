"""Errors carry what, why and the mend, wherever they go."""

from __future__ import annotations

import pickle

import pytest

from rag_engine.errors import IndexLockedError, ParsingError, RagEngineError, UsageError


def test_the_public_message_is_the_message_with_its_mend() -> None:
    assert ParsingError("a.json ends too early", hint="save it again").public_message == (
        "a.json ends too early (save it again)"
    )


def test_a_class_brings_its_own_mend() -> None:
    assert UsageError("no").hint == UsageError.default_hint


def test_an_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(ParsingError("what", hint="mend")))
    assert (type(error), error.message, error.hint) == (ParsingError, "what", "mend")


@pytest.mark.parametrize(("error", "retryable"), [(IndexLockedError("held"), True), (ParsingError("bad"), False)])
def test_an_error_says_whether_to_try_again(error: RagEngineError, retryable: bool) -> None:
    assert error.retryable is retryable
