"""A context says where an error happened, counts it once, and lets it go on."""

from __future__ import annotations

import asyncio

import pytest

from rag_engine.error_handler import ErrorAggregator, ErrorContext
from rag_engine.errors import ServerError
from rag_engine.types.secret import Secret


@pytest.fixture
def aggregator() -> ErrorAggregator:
    return ErrorAggregator()


def test_an_error_goes_on_with_a_note_of_where_it_happened_and_is_counted(aggregator: ErrorAggregator) -> None:
    error = ServerError("x", provider="openai", model="gpt")
    context = ErrorContext("llm", "complete", "openai", "gpt", {"attempt": 2}, aggregator)
    with pytest.raises(ServerError) as caught, context:
        raise error
    assert caught.value is error
    assert error.__notes__ == ["in llm, complete (provider=openai, model=gpt, attempt=2)"]
    (noted,) = aggregator.last_errors()
    assert (noted.component, noted.operation, noted.code, noted.model) == ("llm", "complete", "server", "gpt")


def test_a_block_that_ends_well_is_counted_as_a_call(aggregator: ErrorAggregator) -> None:
    context = ErrorContext("llm", aggregator=aggregator)
    with context:
        pass
    with context:
        pass
    assert (aggregator.rates("llm").calls, aggregator.rates("llm").errors) == (2, 0)


def test_nested_contexts_count_an_error_once_a_component(aggregator: ErrorAggregator) -> None:
    with (
        pytest.raises(ValueError, match="x") as caught,
        ErrorContext("ask", aggregator=aggregator),
        ErrorContext("llm", "ask", aggregator=aggregator),
        ErrorContext("llm", "send", aggregator=aggregator),
    ):
        raise ValueError("x")
    assert aggregator.counts() == {"llm": {"ValueError": 1}, "ask": {"ValueError": 1}}
    assert caught.value.__notes__ == ["in llm, send", "in ask"]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
def test_what_is_no_exception_is_neither_an_error_nor_a_success(
    aggregator: ErrorAggregator, kind: type[BaseException]
) -> None:
    with pytest.raises(kind) as caught, ErrorContext("llm", aggregator=aggregator):
        raise kind
    assert not hasattr(caught.value, "__notes__")
    assert aggregator.calls() == {}


def test_attributes_that_may_hold_a_key_or_text_are_withheld(aggregator: ErrorAggregator) -> None:
    attributes = {
        "api_key": "sk-very-secret",
        "gen_ai.prompt": "a whole document",
        "Document-Text": "more of it",
        "header": Secret("sk-very-secret"),
        "tokens": 12,
        "stage": "rerank\x1b[2J",
        "long": "y" * 500,
        "ok": True,
    }
    shown = ErrorContext("llm", attributes=attributes).description  # type: ignore[arg-type]
    assert "secret" not in shown
    assert "document" not in shown
    assert "more of it" not in shown
    assert "\x1b" not in shown
    assert "tokens=12" in shown
    assert "ok=True" in shown
    assert len(shown) < 400


def test_it_holds_across_awaiting(aggregator: ErrorAggregator) -> None:
    async def failing() -> None:
        with ErrorContext("llm", aggregator=aggregator):
            await asyncio.sleep(0)
            raise ServerError("x")

    with pytest.raises(ServerError):
        asyncio.run(failing())
    assert aggregator.counts() == {"llm": {"server": 1}}
