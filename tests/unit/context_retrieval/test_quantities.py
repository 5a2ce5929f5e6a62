"""Numbers and dates that a sentence states."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.context_retrieval.quantities import Day, differing, stated


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It takes two weeks.", "It takes 14 days."),
        ("The 14-day period ends.", "The 14 day period ends."),
        ("It costs $5,000.", "It costs 5000 dollars."),
        ("It weighs 2 kg.", "It weighs 2,000 grams."),
        ("One year passes.", "12 months pass."),
        ("Pay 3 million euros.", "Pay € 3 million."),
        ("It grew by twenty-five percent.", "It grew by 25 %."),
    ],
)
def test_the_same_in_another_unit_does_not_differ(one: str, other: str) -> None:
    first, second = stated(one).quantities, stated(other).quantities
    assert len(first) == len(second) == 1
    assert not list(differing(first, second))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It takes 14 days.", "It takes 14 weeks."),
        ("It takes 14 days.", "It takes 30 days."),
        ("It costs 9.90 euros.", "It costs 9.95 euros."),
        ("It has 3 floors.", "It has 4 floors."),
        ("5 million people live there.", "5 thousand people live there."),
    ],
)
def test_another_number_or_unit_differs(one: str, other: str) -> None:
    assert list(differing(stated(one).quantities, stated(other).quantities))


@pytest.mark.parametrize(
    ("sentence", "day"),
    [
        ("On 5 May 2024 it opened.", Day(2024, 5, 5)),
        ("On May 5th, 2024 it opened.", Day(2024, 5, 5)),
        ("On 2024-05-05 it opened.", Day(2024, 5, 5)),
        ("In May 2024 it opened.", Day(2024, 5, None)),
        ("In 2024 it opened.", Day(2024, None, None)),
        ("On the 5th of May it opened.", Day(None, 5, 5)),
    ],
)
def test_a_date_is_read_as_far_as_it_is_said_and_is_no_number(sentence: str, day: Day) -> None:
    assert stated(sentence).days == (day,)
    assert not stated(sentence).quantities


def test_a_date_contradicts_only_what_no_day_could_be_too() -> None:
    assert not Day(1999, None, None).contradicts(Day(1999, 5, 5))
    assert Day(1999, None, None).contradicts(Day(2000, 5, 5))
    assert not Day(1999, None, None).contradicts(Day(None, 5, 5))


def test_numbers_of_names_references_list_items_and_ranges_are_none() -> None:
    found = stated("3. Python 3.11, type 2 diabetes and IL-6 took 5-10 days [12, 13].")
    assert found.quantities == ()
    assert found.designators == {"python 3.11", "type 2"}


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    assert stated(text) == stated(text)


@given(st.integers(0, 10**6), st.sampled_from(["days", "km", "kg", "euros", "percent"]))
def test_a_number_before_a_unit_is_no_year_and_is_read_the_same_with_commas(value: int, unit: str) -> None:
    plain, grouped = stated(f"it is {value} {unit}"), stated(f"it is {value:,} {unit}")
    assert plain == grouped
    assert len(plain.quantities) == 1
