"""The ledger remembers, forgets the oldest, and never stands in a search's way."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rag_engine.ledger import FILE_NAME, Ledger
from rag_engine.ledger.ledger import MOST_KEPT
from rag_engine.types.optimization import Gains, PastQuestion, QueryExperience, StrategyName, TaskType


def experience(gain: float, *, words: float = 10.0, when: float = 1.0) -> QueryExperience:
    return QueryExperience(TaskType.QUESTION, StrategyName.DECOMPOSITION, {"words": words}, gain, when)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / FILE_NAME


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with closing(Ledger(path)) as opened:
        yield opened


def test_reading_makes_no_file(ledger: Ledger, path: Path) -> None:
    assert list(ledger.gains()) == []
    assert list(ledger.questions_with(["refund"], most=3)) == []
    assert not path.exists()


def test_gains_are_summed_by_strategy_task_and_kind_also_for_another_process(ledger: Ledger, path: Path) -> None:
    ledger.record([experience(0.5), experience(-0.1), experience(0.2, words=2.0)])
    with closing(Ledger(path)) as other:
        found = {gains.kind: gains for gains in other.gains()}
    assert found["some"].total == pytest.approx(0.4)
    assert (found["some"].count, found["few"].count) == (2, 1)


def test_the_oldest_experiences_are_forgotten_beyond_ten_thousand(ledger: Ledger) -> None:
    ledger.record([experience(1.0)] * 5)
    ledger.record([experience(0.0)] * MOST_KEPT)
    assert list(ledger.gains()) == [Gains(StrategyName.DECOMPOSITION, TaskType.QUESTION, "some", MOST_KEPT, 0.0)]


def test_gains_that_are_no_numbers_or_out_of_bounds_do_no_harm(ledger: Ledger) -> None:
    ledger.record([experience(float("nan")), experience(7.0)])
    (gains,) = ledger.gains()
    assert (gains.count, gains.total) == (1, 1.0)


def test_questions_are_found_by_their_words_and_kept_once(ledger: Ledger) -> None:
    ledger.record_questions([PastQuestion("how are refunds paid?", 0.2), PastQuestion('the "harbour" store', 0.7)])
    ledger.record_questions([PastQuestion("how are refunds paid?", 0.9, ("refunds.md",)), PastQuestion("?!", 1.0)])
    assert list(ledger.questions_with(["refunds", "cats"], most=5)) == [
        PastQuestion("how are refunds paid?", 0.9, ("refunds.md",))
    ]
    assert [found.text for found in ledger.questions_with(["harbour"], most=5)] == ['the "harbour" store']


@pytest.mark.parametrize("word", ['"', "a b", "refunds OR", "*", "NEAR(", "'; drop table questions; --", ""])
def test_any_word_may_be_looked_for(ledger: Ledger, word: str) -> None:
    ledger.record_questions([PastQuestion("how are refunds paid?", 0.9)])
    ledger.questions_with([word], most=3)
    assert len(ledger.questions_with(["refunds"], most=3)) == 1


def test_a_damaged_file_is_said_once_and_gone_on_without(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.write_bytes(b"this is no database, and it is long enough to be read as a page of one" * 200)
    with closing(Ledger(path)) as ledger, caplog.at_level(logging.WARNING):
        ledger.record([experience(0.5)])
        assert list(ledger.gains()) == []
        assert list(ledger.questions_with(["refund"], most=3)) == []
    assert len(caplog.records) == 1
    assert "searches go on" in caplog.text


def test_a_ledger_of_a_later_version_is_left_alone(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = 99")
    before = path.read_bytes()
    with closing(Ledger(path)) as ledger, caplog.at_level(logging.WARNING):
        ledger.record([experience(0.5)])
        assert list(ledger.gains()) == []
    assert path.read_bytes() == before
    assert "later version" in caplog.text


def test_a_folder_that_cannot_hold_it_is_gone_on_without(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path / "absent" / FILE_NAME)) as ledger:
        ledger.record([experience(0.5)])
        assert list(ledger.gains()) == []


def test_a_reader_does_not_wait_for_who_writes(ledger: Ledger, path: Path) -> None:
    ledger.record([experience(0.5)])
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("begin exclusive")
        started = time.perf_counter()
        with closing(Ledger(path)) as reader:
            reader.gains()
        assert time.perf_counter() - started < 0.5  # thousandths of a second, on a machine with nothing else to do
        writer.execute("rollback")
    assert len(ledger.gains()) == 1
