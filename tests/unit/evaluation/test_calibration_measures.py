from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.evaluation.calibration_measures import (
    CoveragePoint,
    auroc,
    measure_probabilities,
    risk_coverage,
)
from rag_engine.evaluation.risk_plot import plot_risk_coverage

told = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=80)


@given(told)
def test_measures_lie_in_their_ranges_and_do_not_depend_on_the_order(pairs: list[tuple[float, bool]]) -> None:
    probabilities, outcomes = [value for value, _ in pairs], [there for _, there in pairs]
    measures = measure_probabilities(probabilities, outcomes)
    assert 0 <= measures.expected_calibration_error <= 1 + 1e-9
    assert 0 <= measures.brier <= 1
    assert (measures.auroc is None) == (len(set(outcomes)) == 1)
    turned = measure_probabilities(probabilities[::-1], outcomes[::-1])
    assert turned.expected_calibration_error == pytest.approx(measures.expected_calibration_error)
    assert turned.auroc == measures.auroc


@given(told)
def test_the_area_is_the_share_of_pairs_that_are_in_order(pairs: list[tuple[float, bool]]) -> None:
    true = [value for value, there in pairs if there]
    false = [value for value, there in pairs if not there]
    area = auroc([value for value, _ in pairs], [there for _, there in pairs])
    if true and false:
        won = sum((one > other) + (one == other) / 2 for one in true for other in false)
        assert area == pytest.approx(won / len(true) / len(false))


@given(told)
def test_the_curve_ends_with_every_question_and_counts_the_wrong_ones_above_each_threshold(
    pairs: list[tuple[float, bool]],
) -> None:
    curve = risk_coverage([value for value, _ in pairs], [there for _, there in pairs])
    assert curve[-1].coverage == 1
    assert [point.coverage for point in curve] == sorted(point.coverage for point in curve)
    for point in curve:
        answered = [there for value, there in pairs if value >= point.threshold]
        assert point.coverage == len(answered) / len(pairs)
        assert point.risk == pytest.approx(1 - sum(answered) / len(answered))


def test_the_picture_is_xml_with_a_point_for_each_threshold_and_a_line_for_the_risk() -> None:
    curve = (CoveragePoint(0.9, 0.5, 0.02), CoveragePoint(0.1, 1.0, 0.2))
    root = ET.fromstring(plot_risk_coverage(curve, title="R&D <index>", risk=0.1))
    name = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f"{name}circle")) == 2
    assert "R&D <index>" in [text.text for text in root.findall(f"{name}text")]
    assert any("risk 0.1" in (text.text or "") for text in root.findall(f"{name}text"))
    assert "risk 0" not in plot_risk_coverage(curve, title="")
