"""The comparison with a baseline as JUnit XML, which continuous integration shows as tests."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from rag_engine.errors import UsageError
from rag_engine.evaluation.comparison import BaselineComparison, MeasureComparison
from rag_engine.evaluation.losses import Loss
from rag_engine.evaluation.markup import writable
from rag_engine.evaluation.report import EvaluationReport
from rag_engine.evaluation.significance import fewest_queries


def junit_report(report: EvaluationReport) -> str:
    """A suite with a test for every measure compared: it fails where the measure is significantly worse, as the gate.

    A measure of which the gold set could show nothing is a skipped test. Questions that lost are told of within the
    tests of their measures, not as tests of their own: some lose by chance between two equal systems, and a suite
    that is red while the gate is open would teach to look away.

    Raises:
        UsageError: the report holds no comparison.
    """
    comparison = report.significance
    if comparison is None:
        raise UsageError("a JUnit report needs something to compare with", hint="add --baseline RUN")
    skipped = [compared for compared in comparison.metrics if _is_skipped(compared, len(comparison.metrics))]
    counts = {
        "tests": str(len(comparison.metrics)),
        "failures": str(len(comparison.worse)),
        "errors": "0",
        "skipped": str(len(skipped)),
        "time": f"{report.seconds:.3f}",
    }
    suites = ET.Element("testsuites", counts)
    suite = ET.SubElement(suites, "testsuite", {"name": writable(f"rag eval {report.gold}")} | counts)
    _add_properties(suite, report, comparison)
    for compared in comparison.metrics:
        _add_case(suite, compared, report, comparison)
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _add_properties(suite: ET.Element, report: EvaluationReport, comparison: BaselineComparison) -> None:
    properties = ET.SubElement(suite, "properties")
    told = {
        "baseline": comparison.baseline,
        "mode": report.mode.value,
        "queries": str(report.queries),
        "fingerprint": report.fingerprint,
    }
    for name, value in told.items():
        ET.SubElement(properties, "property", {"name": name, "value": writable(value)})


def _add_case(
    suite: ET.Element, compared: MeasureComparison, report: EvaluationReport, comparison: BaselineComparison
) -> None:
    name = {"classname": writable(f"rag_eval.{report.gold}"), "name": compared.metric, "time": "0"}
    case = ET.SubElement(suite, "testcase", name)
    figures = _figures(compared)
    lost = "\n".join(
        _loss_lines(loss, compared.metric) for loss in comparison.losses if _lost_in(loss, compared.metric)
    )
    if compared.worse:
        message = f"{compared.metric} fell from {compared.baseline:.4f} to {compared.value:.4f}"
        failure = ET.SubElement(case, "failure", {"message": message, "type": "significantly_worse"})
        failure.text = writable(f"{figures}\n{lost}")
        return
    if _is_skipped(compared, len(comparison.metrics)):
        ET.SubElement(case, "skipped", {"message": writable(compared.note)})
    ET.SubElement(case, "system-out").text = writable(f"{figures}\n{lost}" if lost else figures)


def _is_skipped(compared: MeasureComparison, measures: int) -> bool:
    """Whether nothing could be shown. Where enough questions are there and none differs, equality was."""
    differs = compared.queries_worse or compared.queries_better
    shows_nothing = compared.smallest_effect is None and (differs or compared.queries < fewest_queries(measures))
    return bool(shows_nothing) and not compared.worse


def _figures(compared: MeasureComparison) -> str:
    low, high = compared.interval
    effect = compared.note if compared.smallest_effect is None else f"smallest effect {compared.smallest_effect:.4f}"
    return (
        f"baseline {compared.baseline:.4f}, now {compared.value:.4f}, difference {compared.difference:+.4f} "
        f"(95 % interval {low:+.4f} to {high:+.4f}), p = {compared.p_value:.4f}, after Holm {compared.p_holm:.4f}; "
        f"{compared.queries_better} better, {compared.queries_worse} worse of {compared.queries}; {effect}"
    )


def _lost_in(loss: Loss, metric: str) -> bool:
    return any(change.metric == metric for change in loss.measures)


def _loss_lines(loss: Loss, metric: str) -> str:
    change = next(change for change in loss.measures if change.metric == metric)
    return f"{loss.query} ({change.before:.3f}, now {change.now:.3f}) {loss.question}: {'; '.join(loss.reasons)}"
