"""What the dialect of Google makes of fragments: where the end is, and what comes behind it."""

from __future__ import annotations

import json

import pytest

from rag_engine.errors import IncompleteResponseError
from rag_engine.llm.transport import ServerEvent
from rag_engine.types.generation import Usage
from tests.unit.llm.providers.google_answers import COUNTS, DIALECT, PROMPT, TARGET, WORDS, answer, read, stream


def test_only_the_first_candidate_counts() -> None:
    other = {"content": {"parts": [{"text": "no"}]}, "finishReason": "SAFETY", "index": 1}
    body = answer(WORDS)
    body["candidates"].insert(0, other)
    assert read(body).text == "324 metres"


def test_a_list_of_fragments_is_read_one_by_one() -> None:
    deltas, completion = stream([answer({"text": "324"}, finish=None), answer({"text": " metres"})])
    assert len(deltas) == 2
    assert completion.text == "324 metres"


def test_what_comes_after_the_end_is_not_read() -> None:
    assembler = DIALECT.assembler(PROMPT, TARGET)
    assembler.feed(ServerEvent("", json.dumps(answer({"text": "324"}, finish=None))))
    assert not assembler.ended
    assembler.feed(ServerEvent("", json.dumps(answer({"text": " metres"}))))
    assert assembler.ended
    assert not assembler.feed(ServerEvent("", json.dumps(answer({"text": " and more"}))))
    assert not assembler.feed(ServerEvent("", json.dumps({"error": {"code": 500}})))
    assert assembler.completion().text == "324 metres"


def test_a_model_that_says_stop_with_every_fragment_is_read_to_the_end() -> None:
    _, completion = stream(answer({"text": "324"}), answer({"text": " metres"}), answer({"text": " tall"}))
    assert completion.text == "324 metres tall"


def test_text_after_a_stop_that_no_other_stop_follows_is_incomplete() -> None:
    with pytest.raises(IncompleteResponseError):
        stream(answer({"text": "324"}), answer({"text": " metres"}, finish=None))


def test_a_relay_that_says_stop_with_every_empty_fragment_is_read_to_the_end() -> None:
    empty, word = answer(), answer({"text": "324 "}, finish=None)
    _, completion = stream(empty, empty, word, empty, word, empty)
    assert completion.text == "324 324 "
    with pytest.raises(IncompleteResponseError):
        stream(empty, word, empty, word)


def test_usage_that_comes_behind_the_end_is_waited_for() -> None:
    first = answer({"text": "324"}, finish=None, usage=None)
    last = {name: value for name, value in answer({"text": " m"}).items() if name != "usageMetadata"}
    _, completion = stream(first, last, {"usageMetadata": COUNTS})
    assert completion.usage == Usage(9, 4)
