"""What the commands print without --json: text with colour on a terminal, plain text elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from rag_engine.types.generation import CitationProven, StageDone

if TYPE_CHECKING:
    from rag_engine.evaluation import EvaluationReport
    from rag_engine.prompt_engineering import Verification
    from rag_engine.types.generation import Answer, AnswerEvent, Citation
    from rag_engine.types.health import DenseState, Finding, IndexStatus
    from rag_engine.types.retrieval import Passage

MOST_FAILURES_SHOWN = 20
SNIPPET_CHARACTERS = 280


def console() -> Console:
    """Standard output; lines are not wrapped where it is no terminal."""
    wide = None if sys.stdout.isatty() else 10_000
    return Console(file=sys.stdout, width=wide, highlight=False, soft_wrap=wide is not None)


def show_search(passages: Sequence[Passage], seconds: float) -> None:
    """Results, best first."""
    out = console()
    for passage in passages:
        place = " > ".join(dict.fromkeys(part for part in (passage.title, *passage.heading_path) if part))
        head = Text.assemble((f"{passage.rank}. ", "bold"), (passage.document_id, "bold cyan"))
        head.append(f"  {passage.score:.3f}  characters {passage.start}-{passage.end}", style="dim")
        if passage.page is not None:
            head.append(f"  page {passage.page}", style="dim")
        out.print(head)
        if place:
            out.print(Text(f"   {place}", style="dim"))
        out.print(Text("   " + _snippet(passage.text)))
    out.print(Text(_found(len(passages), seconds), style="dim"))


def _found(results: int, seconds: float) -> str:
    if not results:
        return "nothing found; rag status says what the index holds"
    return f"{results} result{'s' if results > 1 else ''} in {seconds:.2f} s"


def _snippet(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SNIPPET_CHARACTERS else text[: SNIPPET_CHARACTERS - 1] + "…"


def show_answer(answer: Answer) -> None:
    """The answer, and below it where each citation stands."""
    out = console()
    style = "yellow" if answer.abstained else "green"
    if out.is_terminal:
        out.print(Panel(Text(answer.text), border_style=style, title="no answer" if answer.abstained else None))
    else:
        out.print(Text(answer.text))
    for citation in answer.citations:
        _show_citation(out, citation)
    show_confidence(answer)


def _show_citation(out: Console, citation: Citation) -> None:
    line = Text.assemble((f"[{citation.marker}] ", "bold"), (citation.document, "cyan"))
    line.append(f" characters {citation.start}-{citation.end}", style="dim")
    if citation.page is not None:
        line.append(f", page {citation.page}", style="dim")
    line.append(": " + _snippet(citation.text))
    out.print(line)


def show_confidence(answer: Answer) -> None:
    """The last line below an answer."""
    console().print(Text(f"confidence {answer.confidence:.2f}; {answer.model}; {answer.seconds:.2f} s", style="dim"))


def event_printer() -> Callable[[AnswerEvent], None]:
    """Prints the events of an answer as they come: stages to standard error, the rest to standard output."""
    out, err = console(), Console(stderr=True, highlight=False)

    def show(event: AnswerEvent) -> None:
        if isinstance(event, StageDone):
            err.print(Text(f"{event.stage}: {event.seconds:.2f} s", style="dim"))
        elif isinstance(event, CitationProven):
            _show_citation(out, event.citation)
        else:
            out.print(Text(event.text))
        sys.stdout.flush()

    return show


def show_evaluation(report: EvaluationReport) -> None:
    """The measures of a gold set."""
    out = console()
    table = Table(title=f"{report.gold}, {report.mode.value}, {report.queries:,} questions", title_justify="left")
    table.add_column("measure")
    table.add_column("value", justify="right")
    for name, value in report.metrics.items():
        table.add_row(name, "-" if value is None else f"{value:.4f}")
    out.print(table)
    comparison = report.significance
    if comparison is not None:
        low, high = comparison.interval
        out.print(
            f"{comparison.measure} against the baseline: {comparison.mean_difference:+.4f} "
            f"(95 % interval {low:+.4f} to {high:+.4f}, p = {comparison.p_value:.4f}; "
            f"{comparison.better} better, {comparison.worse} worse of {comparison.queries})"
        )
    out.print(Text(f"{report.seconds:.1f} s", style="dim"))


def show_verification(citations: Sequence[Mapping[str, Any]], found: Sequence[Verification]) -> None:
    """What became of each citation."""
    out = console()
    styles = {"intact": "green", "moved": "yellow", "changed": "red", "gone": "red"}
    for citation, verification in zip(citations, found, strict=True):
        verdict = verification.verdict.value
        line = Text.assemble(
            (f"{verdict:8}", styles[verdict]), f"[{citation.get('marker', '?')}] {citation['document']} "
        )
        line.append(f"characters {citation['start']}-{citation['end']}", style="dim")
        if verdict == "moved":
            line.append(f", now at {verification.start}")
        out.print(line)
    if not citations:
        out.print("the answer has no citations")


def show_status(status: IndexStatus) -> None:
    """What an index holds."""
    out = console()
    table = Table.grid(padding=(0, 2))
    table.add_row("index", f"{status.index} ({status.folder}, {status.bytes_on_disk / 1e6:.1f} MB)")
    table.add_row("commit", f"{status.commit}")
    table.add_row("documents", f"{status.documents:,} from {status.sources:,} files")
    table.add_row("chunks", f"{status.chunks:,} ({status.truncated:,} longer than the model reads)")
    if status.lock is not None:
        embedder = status.lock["embedder"]
        table.add_row("embedder", f"{embedder['model']}, {embedder['dimension']} dimensions, {embedder['runtime']}")
        table.add_row("chunker", Text(status.lock["chunker"]))
    embedding = status.embedding
    table.add_row("documents on", Text(f"{embedding.documents}; {embedding.why}"))
    table.add_row("questions on", Text(embedding.questions))
    for name, state in status.caches.items():
        behind = "" if state == status.commit else " (behind: it catches up when it is next used)"
        table.add_row(name, Text(f"reflects commit {state}{behind}" if isinstance(state, int) else state))
    if status.dense is not None:
        table.add_row("dense search", Text(_dense_search(status.dense)))
    table.add_row("quarantined", f"{len(status.quarantined):,}")
    out.print(table)
    for source in status.quarantined[:MOST_FAILURES_SHOWN]:
        out.print(Text(f"  {source.source}: {source.error} ({source.history})"))
    if len(status.quarantined) > MOST_FAILURES_SHOWN:
        out.print(f"  … and {len(status.quarantined) - MOST_FAILURES_SHOWN} more: rag status --json lists all")


def _dense_search(dense: DenseState) -> str:
    size = f"{dense.count:,} vectors, {dense.bytes / 1e6:.1f} MB"
    if dense.candidates is None:
        return f"exact ({size})"
    recall = f"recall@10 {dense.recall:.3f}, target {dense.target:g}"
    return f"compressed, {dense.candidates:,} candidates compared in full ({size}; {recall})"


def show_findings(findings: Sequence[Finding], done: Sequence[str]) -> None:
    """What doctor did and found."""
    out = console()
    for line in done:
        out.print(Text.assemble(("repaired ", "green"), line))
    for finding in findings:
        out.print(Text.assemble((f"{finding.what}: ", "bold red"), f"{finding.why}; ", (finding.mend, "yellow")))
    if not findings:
        out.print(Text("nothing is wrong", style="green"))
