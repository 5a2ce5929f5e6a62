"""The HTML report, read back by an HTML parser."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_engine.evaluation import html_report
from rag_engine.evaluation.charts import Line, difference_bars, line_chart
from rag_engine.evaluation.markup import writable
from tests.unit.evaluation.comparing import HOSTILE, WORSE, comparison, loss, report, values

VOID = {"meta", "br"}


class Page(HTMLParser):
    """A page's tags, text and attributes; an end tag must close what was opened last."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID and tag not in ("line", "polyline", "path"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.texts.append(data)


ANSWERS = {
    "q1": {"abstained": 0.0, "confidence": 0.9, "right": 1.0},
    "q2": {"abstained": 1.0, "confidence": 0.2, "right": 0.0},
}


def full_report(text: str = "What?", **fields):
    before, now = values(*WORSE[0]), values(*WORSE[1])
    made = comparison(before, now, loss(text, query=text, reasons=(text,)), name=text)
    return report(made, **({"precision_recall": ((0.0, 1.0), (1.0, 0.5)), "per_query": ANSWERS} | fields))


def test_the_page_holds_verdict_table_charts_and_losses():
    page = Page(html_report(full_report("How fast?")))
    text = "\n".join(page.texts)
    for wanted in (
        "significantly worse: nDCG@10",
        "p (Holm)",
        "smallest effect",
        "Interpolated precision and recall",
        "Difference in nDCG@10",
        "Risk and coverage",
        "abstains from here on",
        "How fast?",
        "40",
        "0.7300",
    ):
        assert wanted in text, wanted
    assert page.tags.count("svg") == 3


def test_without_a_baseline_there_are_measures_and_the_curves_of_this_evaluation():
    page = Page(html_report(report(precision_recall=((0.0, 1.0), (1.0, 0.5)))))
    text = "\n".join(page.texts)
    assert "Interpolated precision and recall" in text
    assert "0.7300" in text
    assert "Against" not in text
    assert "What lost most" not in text


def test_the_page_needs_no_network_and_runs_nothing():
    text = html_report(full_report(HOSTILE))
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object", "a"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name in ("src", "href") or name.startswith("on")]
    assert not re.search(r"url\(|@import|https?:", text)
    assert "prefers-color-scheme: dark" in text


@settings(max_examples=40)
@given(st.text(st.characters(codec=None)) | st.just(HOSTILE))
def test_any_text_is_shown_as_text_and_the_page_can_be_encoded(text):
    plain = Page(html_report(full_report("x", gold="x", metrics={"x": 1.0})))
    page = Page(html_report(full_report(text, gold=text, metrics={text: 1.0})))
    assert page.tags == plain.tags
    html_report(full_report(text, gold=text)).encode("utf-8")
    # Carriage returns become line ends in whatever reads HTML.
    said = "".join(page.texts).replace("\r\n", "\n").replace("\r", "\n")
    assert writable(text).replace("\r\n", "\n").replace("\r", "\n") in said


def svg(figure: str) -> ET.Element:
    return ET.fromstring(re.search(r"<svg.*</svg>", figure, re.DOTALL)[0])


def test_a_line_runs_from_the_lower_left_to_the_upper_right_where_its_points_do():
    drawn = svg(line_chart("t", [Line("now", "now", ((0.0, 0.0), (1.0, 1.0)))], x="x", y="y"))
    (line,) = drawn.iter("polyline")
    start, end = [tuple(map(float, point.split(","))) for point in line.get("points").split()]
    assert start[0] < end[0]
    assert start[1] > end[1]  # SVG counts downwards


@given(st.lists(st.floats(-1, 1), max_size=30))
def test_a_difference_that_is_a_gain_or_a_loss_has_a_bar_within_the_picture(differences):
    figure = difference_bars("t", differences, y="y")
    bars = {path.get("class"): path.get("d").count("M") for path in svg(figure).iter("path")}
    assert bars.get("loss", 0) == sum(value < 0 for value in differences)
    assert bars.get("gain", 0) == sum(value > 0 for value in differences)
    heights = [float(number) for path in svg(figure).iter("path") for number in re.findall(r"V([\d.]+)", path.get("d"))]
    assert all(0 <= height <= 300 for height in heights)


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x7f", "\x85", "\ud800", "\ufffe"])
def test_a_character_that_no_document_can_hold_is_shown_as_an_escape(character):
    assert writable(f"a{character}b") == f"a{ascii(character)[1:-1]}b"
    assert writable("ü\t\U0001f600") == "ü\t\U0001f600"
