"""Each row of the table of faults is met by what a provider really sends, and every fixture lands where it should."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.error_handler import (
    FaultSignal,
    Phase,
    UnknownSignal,
    error_for,
    row_for,
    table,
    unknown_signals,
    verdict_for,
)
from rag_engine.error_handler.table import UNKNOWN_KEPT, error_classes, read_row, rows
from rag_engine.errors import LanguageModelError
from rag_engine.types.secret import Secret

FOLDER = Path(__file__).parents[2] / "golden" / "faults"
CASES: list[dict[str, Any]] = [
    case for file in sorted(FOLDER.glob("*.json")) for case in json.loads(file.read_text(encoding="utf-8"))
]
PROVIDERS = sorted({case["provider"] for case in CASES})


@pytest.fixture
def nothing_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "_unknown", Counter())


def signal_of(case: dict[str, Any]) -> FaultSignal:
    return FaultSignal(
        case["provider"], Phase(case["phase"]), case["status"], headers=case["headers"], **case["fields"]
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['provider']}-{case['status']}-{case['row']}")
def test_a_fault_as_the_provider_sends_it_lands_at_its_row_error_action_and_wait(case: dict[str, Any]) -> None:
    signal, expected = signal_of(case), case["expected"]
    error = error_for(signal, model="some-model")
    assert row_for(signal).name == case["row"]
    assert (error.code, verdict_for(error).action) == (expected["error"], expected["action"])
    assert error.retry_after == expected["retry_after"]
    assert (error.provider, error.model, error.status) == (case["provider"], "some-model", case["status"])


def test_every_row_is_met_by_a_fixture() -> None:
    assert {case["row"] for case in CASES} == {row.name for row in rows()}


def test_every_provider_on_the_wire_has_fixtures() -> None:
    assert set(PROVIDERS) == {
        *("anthropic", "azure", "cohere", "google", "llama_cpp", "local", "meta", "mistral", "ollama", "openai", "vllm")
    }


def test_names_of_rows_are_their_own_and_rows_of_a_provider_come_before_general_ones() -> None:
    names = [row.name for row in rows()]
    assert len(set(names)) == len(names)
    general = [place for place, row in enumerate(rows()) if not row.providers and row.name.startswith("openai/")]
    assert max(place for place, row in enumerate(rows()) if row.providers) < min(general)
    first_status = names.index("status/no-answer")
    assert all(row.says is None and row.messages is None for row in rows()[first_status:])


@pytest.mark.parametrize("status", range(100, 600))
def test_a_status_without_a_word_has_an_error_whoever_sends_it(status: int) -> None:
    for provider in PROVIDERS:
        error = error_for(FaultSignal(provider, Phase.HEADERS, status), model="m")
        assert type(error) is not LanguageModelError
        assert f"HTTP {status}" in error.message


@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_account_without_money_is_asked_again_however_often_the_provider_says_so(provider: str) -> None:
    money = [case for case in CASES if case["expected"]["error"] == "credit_exhausted" and case["provider"] == provider]
    for said in money:
        case = {**said, "headers": {**said["headers"], "x-should-retry": "true", "retry-after": "1"}}
        assert verdict_for(error_for(signal_of(case), model="m")).action == "fail_over"


@pytest.mark.parametrize("status", [429, 500, 503, 529])
def test_a_provider_that_says_not_to_try_again_is_believed_even_where_there_is_no_other(status: int) -> None:
    signal = FaultSignal("openai", Phase.HEADERS, status, headers={"x-should-retry": "false"})
    verdict = verdict_for(error_for(signal, model="m"))
    assert (verdict.action, verdict.final) == ("fail_over", True)


def test_a_provider_that_says_to_try_again_is_believed_where_that_can_help() -> None:
    signal = FaultSignal("anthropic", Phase.HEADERS, 529, headers={"x-should-retry": "true"})
    assert verdict_for(error_for(signal, model="m")).action == "retry"


@pytest.mark.usefixtures("nothing_counted")
def test_a_name_that_no_row_knows_falls_to_its_status_and_is_counted() -> None:
    signal = FaultSignal("openai", Phase.HEADERS, 500, type="a_type_of_tomorrow")
    assert row_for(signal).name == "status/500"
    row_for(signal)
    assert unknown_signals() == {UnknownSignal("openai", 500, "a_type_of_tomorrow", "", ""): 2}


@pytest.mark.usefixtures("nothing_counted")
def test_a_name_that_a_row_knows_and_a_bare_status_are_not_counted() -> None:
    row_for(FaultSignal("openai", Phase.HEADERS, 500, type="server_error"))
    row_for(FaultSignal("openai", Phase.HEADERS, 500, code="500"))
    assert unknown_signals() == {}


@pytest.mark.usefixtures("nothing_counted")
def test_unknown_names_without_number_take_no_memory_without_bound() -> None:
    for number in range(2 * UNKNOWN_KEPT):
        row_for(FaultSignal("someone", Phase.HEADERS, 400, type="x" * 10_000, code=f"code-{number}"))
    assert len(unknown_signals()) == UNKNOWN_KEPT
    assert all(len(word) <= 64 for key in unknown_signals() for word in key[2:])


def test_a_line_of_the_table_with_an_unknown_key_error_or_phase_is_refused() -> None:
    with pytest.raises(TypeError, match="cooldown"):
        read_row(name="x", error="server", cooldown=1)
    with pytest.raises(TypeError, match="retry_after"):
        read_row(name="x", error="server", retry_after=1.0)
    with pytest.raises(KeyError):
        read_row(name="x", error="no_such_error")
    with pytest.raises(ValueError, match="nowhere"):
        read_row(name="x", error="server", phases=["nowhere"])


def test_every_error_of_a_language_model_that_only_the_provider_can_report_is_led_to() -> None:
    from_within = {
        *("language_model", "missing_key", "malformed_key", "budget_exceeded"),
        *("connect_timeout", "first_byte_timeout", "stalled_stream", "slow_stream", "deadline_exceeded"),
        *("connection_refused", "incomplete_response", "response_too_large"),
    }
    families = {"authentication", "quota", "content_policy", "provider_failure"}
    assert {row.error.code for row in rows()} == set(error_classes()) - from_within - families


WORDS = st.text(max_size=40) | st.sampled_from(["insufficient_quota", "RESOURCE_EXHAUSTED", "a,b", ",", "*", "[!"])
SIGNALS = st.builds(
    FaultSignal,
    provider=st.sampled_from([*PROVIDERS, "", "nobody"]),
    phase=st.sampled_from(Phase),
    status=st.none() | st.integers(-10, 100_000),
    type=WORDS,
    code=WORDS,
    reason=WORDS,
    message=st.text(max_size=300),
    headers=st.dictionaries(
        st.sampled_from(
            ["retry-after", "retry-after-ms", "date", "x-should-retry", "x-request-id", "x-ratelimit-remaining-x"]
        ),
        st.text(max_size=30),
    ),
    retry_delay=st.none() | st.floats(),
)


@given(signal=SIGNALS)
def test_any_signal_gives_a_language_model_error_with_a_message_of_one_line(signal: FaultSignal) -> None:
    error = error_for(signal, model="m")
    assert isinstance(error, LanguageModelError)
    assert error.hint
    assert error.message.isprintable()
    assert len(error.message) < 700
    assert error.retry_after is None or 0 <= error.retry_after < float("inf")
    assert verdict_for(error).cool_down >= 0


@given(
    key=st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_+/=", min_size=16, max_size=80),
    before=st.text(max_size=250),
    after=st.text(max_size=250),
)
def test_no_message_holds_a_key_that_stood_in_the_providers_words(key: str, before: str, after: str) -> None:
    said = Secret(key).removed_from(before + key + after)
    error = error_for(FaultSignal("openai", Phase.HEADERS, 401, message=said), model="m")
    assert key not in error.message
    assert key not in repr(error)
