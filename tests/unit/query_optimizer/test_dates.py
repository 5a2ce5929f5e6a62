"""Spans of time in questions."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.query_optimizer.dates import time_spans

TODAY = date(2026, 3, 18)  # a Wednesday


@pytest.mark.parametrize(
    ("text", "first", "end"),
    [
        ("in 2019", date(2019, 1, 1), date(2020, 1, 1)),
        ("since 2019", date(2019, 1, 1), None),
        ("after March 2020", date(2020, 4, 1), None),
        ("before 15 March 2020", None, date(2020, 3, 15)),
        ("until March 15th, 2020", None, date(2020, 3, 16)),
        ("on 2020-02-29", date(2020, 2, 29), date(2020, 3, 1)),
        ("in 2020-12", date(2020, 12, 1), date(2021, 1, 1)),
        ("between 2018 and 2020", date(2018, 1, 1), date(2021, 1, 1)),
        ("from May 2018 to July 2018", date(2018, 5, 1), date(2018, 8, 1)),
        ("last year", date(2025, 1, 1), date(2026, 1, 1)),
        ("this month", date(2026, 3, 1), date(2026, 4, 1)),
        ("last month", date(2026, 2, 1), date(2026, 3, 1)),
        ("last week", date(2026, 3, 9), date(2026, 3, 16)),
        ("yesterday", date(2026, 3, 17), date(2026, 3, 18)),
        ("in the last 7 days", date(2026, 3, 11), date(2026, 3, 19)),
    ],
)
def test_a_span_has_its_days(text: str, first: date | None, end: date | None) -> None:
    (span,) = time_spans(f"reports {text} please", today=TODAY)
    assert (span.first, span.end) == (first, end)
    assert f"reports {text} please"[span.start : span.stop] == text


@pytest.mark.parametrize("text", ["on 2020-02-31", "in 0999", "room 2019", "in 20199", "version 2.0.19", "in march"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert list(time_spans(text, today=TODAY)) == []


def test_last_month_in_january_is_december() -> None:
    (span,) = time_spans("last month", today=date(2026, 1, 31))
    assert (span.first, span.end) == (date(2025, 12, 1), date(2026, 1, 1))


@given(st.text(alphabet="in12 0-9lastyeronthMarch,.", max_size=60), st.dates(min_value=date(1900, 1, 1)))
def test_any_text_gives_spans_that_begin_before_they_end(text: str, today: date) -> None:
    for span in time_spans(text, today=today):
        assert span.first is None or span.end is None or span.first < span.end
