"""The files that ``rag eval`` writes besides what it prints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag_engine.evaluation import EvaluationReport


@dataclass(frozen=True, slots=True)
class EvaluationFiles:
    """Where each is to be; None where it is not wanted."""

    run_file: Path | None
    junit: Path | None
    html: Path | None

    def check_places(self) -> None:
        """Raises EvaluationError before an evaluation of hours whose result could not be written."""
        from rag_engine.evaluation import check_place

        wanted = {"the run file": self.run_file, "the JUnit report": self.junit, "the HTML report": self.html}
        for what, path in wanted.items():
            if path is not None:
                check_place(path, what=what)

    def write(self, report: EvaluationReport) -> None:
        """Writes those that are wanted, each whole or not at all.

        Raises:
            EvaluationError: one cannot be written.
        """
        from rag_engine.evaluation import html_report, junit_report, write_run, write_whole

        if self.run_file is not None:
            write_run(self.run_file, report.run, tag=f"rag_engine-{report.mode.value}")
        if self.junit is not None:
            write_whole(self.junit, junit_report(report), what="the JUnit report")
        if self.html is not None:
            write_whole(self.html, html_report(report), what="the HTML report")
