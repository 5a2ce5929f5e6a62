"""The JUnit report, read back by an XML parser."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import UsageError
from rag_engine.evaluation import junit_report
from rag_engine.evaluation.comparison import BaselineComparison
from rag_engine.evaluation.markup import writable
from tests.unit.evaluation.comparing import HOSTILE, WORSE, comparison, loss, report, values


def suite(significance: BaselineComparison, **fields) -> ET.Element:
    (found,) = ET.fromstring(junit_report(report(significance, **fields)).encode())
    return found


def test_a_measure_that_is_worse_is_a_failure_with_its_figures_and_its_losses():
    found = suite(comparison(values(*WORSE[0]), values(*WORSE[1]), loss()))
    assert (found.get("tests"), found.get("failures"), found.get("errors"), found.get("skipped")) == (
        "1",
        "1",
        "0",
        "0",
    )
    (case,) = found.iter("testcase")
    assert (case.get("classname"), case.get("name")) == ("rag_eval.small", "nDCG@10")
    (failure,) = case
    assert failure.tag == "failure"
    assert failure.get("message").startswith("nDCG@10 fell from 0.9000")
    assert "gold document d0 fell from 1 to 3" in failure.text
    assert "after Holm" in failure.text


def test_a_measure_that_is_not_worse_passes_and_still_tells_which_questions_lost():
    found = suite(comparison(values(*WORSE[1]), values(*WORSE[0]), loss()))
    assert found.get("failures") == "0"
    (output,) = found.find("testcase")
    assert output.tag == "system-out"
    assert "gold document d0 fell" in output.text


def test_a_measure_that_could_show_nothing_is_skipped_with_the_reason():
    found = suite(comparison(values(1.0), values(0.0)))
    assert (found.get("failures"), found.get("skipped")) == ("0", "1")
    assert "one question can show nothing" in found.find("testcase/skipped").get("message")


def test_equal_evaluations_of_enough_questions_pass_and_are_not_skipped():
    found = suite(comparison(values(*[1.0] * 20), values(*[1.0] * 20)))
    assert (found.get("failures"), found.get("skipped")) == ("0", "0")


def test_without_a_baseline_there_is_nothing_to_report():
    with pytest.raises(UsageError, match="needs something to compare with"):
        junit_report(report())


@given(st.text(st.characters(codec=None)) | st.just(HOSTILE))
def test_any_text_is_read_back_as_it_can_be_written(text):
    before, now = values(*WORSE[0]), values(*WORSE[1])
    found = suite(comparison(before, now, loss(text, query=text, reasons=(text,)), name=text), gold=text)
    (failure,) = found.iter("failure")
    # A parser reads every line end as one of Unix.
    assert writable(text).replace("\r\n", "\n").replace("\r", "\n") in failure.text
    assert found.get("name").startswith("rag eval")
    assert found.get("failures") == "1"
