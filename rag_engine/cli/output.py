"""What the commands print without --json: text with colour on a terminal, plain text elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from rag_engine.cli.terminal import console, error_console, in_one_line, visible
from rag_engine.types.generation import CitationProven, FinishReason, StageDone

if TYPE_CHECKING:
    from rich.console import Console

    from rag_engine.prompt_engineering import Verification
    from rag_engine.types.generation import Answer, AnswerEvent, Citation
    from rag_engine.types.health import CalibrationState, DenseState, Finding, IndexStatus
    from rag_engine.types.ingestion import TruncatedDocument
    from rag_engine.types.optimization import SearchOutcome
    from rag_engine.types.retrieval import Passage
    from rag_engine.types.suspicion import Suspicion

MOST_FAILURES_SHOWN = 20
SNIPPET_CHARACTERS = 280


def show_search(outcome: SearchOutcome, seconds: float) -> None:
    """What was made of the question, where anything was, and the results, best first."""
    out = console()
    for step in outcome.optimized.steps if outcome.optimized is not None else ():
        if step.applied and step.after != step.before:
            line = f"searched for: {in_one_line(_snippet(step.after))} ({step.strategy}: {in_one_line(step.reason)})"
            out.print(Text(line, style="dim"))
    for passage in outcome.passages:
        place = " > ".join(dict.fromkeys(part for part in (passage.title, *passage.heading_path) if part))
        head = Text.assemble((f"{passage.rank}. ", "bold"), (in_one_line(passage.document_id), "bold cyan"))
        head.append(f"  {passage.score:.3f}  characters {passage.start}-{passage.end}", style="dim")
        if passage.page is not None:
            head.append(f"  page {passage.page}", style="dim")
        out.print(head)
        if place:
            out.print(Text(f"   {place}", style="dim"))
        out.print(Text("   " + _snippet(passage.text)))
        _show_suspicious(out, passage.suspicious)
        _show_agreement(out, passage)
    for note in outcome.notes:
        out.print(Text(in_one_line(note), style="yellow"))
    out.print(Text(_found(len(outcome.passages), seconds), style="dim"))


def _show_agreement(out: Console, passage: Passage) -> None:
    if passage.duplicates:
        out.print(Text(f"   says the same as {', '.join(map(str, passage.duplicates))}", style="dim"))
    for conflict in passage.conflicts:
        sentence = passage.text[conflict.start - passage.start : conflict.end - passage.start]
        line = f"   contradicts {conflict.rank} in a {conflict.what.value}: {_snippet(sentence)}"
        out.print(Text(line, style="bold yellow"))


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
        out.print(
            Panel(Text(visible(answer.text)), border_style=style, title="no answer" if answer.abstained else None)
        )
    else:
        out.print(Text(answer.text))
    for citation in answer.citations:
        _show_citation(out, citation)
    show_confidence(answer)


def _show_citation(out: Console, citation: Citation) -> None:
    line = Text.assemble((f"[{citation.marker}] ", "bold"), (in_one_line(citation.document), "cyan"))
    line.append(f" characters {citation.start}-{citation.end}", style="dim")
    if citation.page is not None:
        line.append(f", page {citation.page}", style="dim")
    line.append(": " + _snippet(citation.text))
    out.print(line)
    _show_suspicious(out, citation.suspicious)


def _show_suspicious(out: Console, suspicious: Sequence[Suspicion]) -> None:
    if suspicious:
        out.print(Text(f"   suspicious: {_notes(suspicious)}", style="bold yellow"))


def show_confidence(answer: Answer) -> None:
    """The last lines below an answer: where its sources contradict each other or say the same, and how sure it is."""
    out = console()
    for pair in answer.conflicts:
        line = f"sources contradict each other in a {pair.what}: {_place(pair.document, pair.start, pair.end)}: "
        line += f"{_snippet(pair.text)} / {_place(pair.other_document, pair.other_start, pair.other_end)}: "
        out.print(Text(line + _snippet(pair.other_text), style="bold yellow"))
    for pair in answer.duplicates:
        line = f"sources say the same: {_place(pair.document, pair.start, pair.end)} and "
        out.print(Text(line + _place(pair.other_document, pair.other_start, pair.other_end), style="dim"))
    failed = [attempt for attempt in answer.attempts if attempt.outcome not in set(FinishReason)]
    if failed:
        line = ", ".join(f"{attempt.deployment or attempt.model} ({attempt.outcome})" for attempt in failed)
        out.print(Text(f"failed attempts: {in_one_line(line)}", style="yellow"))
    out.print(Text(f"confidence {answer.confidence:.2f}; {answer.model}; {answer.seconds:.2f} s", style="dim"))


def _place(document: str, start: int, end: int) -> str:
    return f"{in_one_line(document)} {start}-{end}"


def event_printer() -> Callable[[AnswerEvent], None]:
    """Prints the events of an answer as they come: stages to standard error, the rest to standard output."""
    out, err = console(), error_console()

    def show(event: AnswerEvent) -> None:
        if isinstance(event, StageDone):
            err.print(Text(f"{event.stage}: {event.seconds:.2f} s", style="dim"))
        elif isinstance(event, CitationProven):
            _show_citation(out, event.citation)
        else:
            out.print(Text(event.text))
        sys.stdout.flush()

    return show


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
    copies = f", {status.copies:,} of them copies" if status.copies else ""
    table.add_row("documents", f"{status.documents:,} from {status.sources:,} files{copies}")
    table.add_row("near-duplicates", f"{len(status.near_duplicates):,}")
    table.add_row("chunks", f"{status.chunks:,}")
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
    if status.calibration is not None:
        table.add_row("calibration", Text(_calibration(status.calibration)))
    table.add_row("parsers", Text(f"confined by {', '.join(status.sandbox) or 'nothing'}".replace("_", " ")))
    table.add_row("truncated", f"{status.truncated:,}")
    table.add_row("suspicious", f"{status.suspicious:,}")
    table.add_row("quarantined", f"{len(status.quarantined):,}")
    out.print(table)
    for line in truncation_lines(status.truncated, status.truncations):
        out.print(Text(f"  {line}"))
    for document in status.suspicions[:MOST_FAILURES_SHOWN]:
        out.print(Text(f"  suspicious: {in_one_line(document.document)}: {_notes(document.suspicious)}"))
    if status.suspicious > MOST_FAILURES_SHOWN:
        out.print(f"  … and {status.suspicious - MOST_FAILURES_SHOWN:,} more suspicious documents")
    for source in status.quarantined[:MOST_FAILURES_SHOWN]:
        out.print(Text(f"  {in_one_line(source.source)}: {in_one_line(source.error)} ({source.history})"))
    if len(status.quarantined) > MOST_FAILURES_SHOWN:
        out.print(f"  … and {len(status.quarantined) - MOST_FAILURES_SHOWN} more: rag status --json lists all")


def truncation_lines(truncated: int, truncations: Sequence[TruncatedDocument]) -> Iterator[str]:
    """What was left out of documents, a line each, and how many more there are."""
    for cut in truncations[:MOST_FAILURES_SHOWN]:
        reader = "the model reads" if cut.stage == "embedder" else "the text holds"
        yield f"cut: {in_one_line(cut.document)}: {reader} {cut}"
    if truncated > MOST_FAILURES_SHOWN:
        yield f"… and {truncated - MOST_FAILURES_SHOWN:,} more cuts"


def _notes(suspicious: Sequence[Suspicion]) -> str:
    """What is suspicious, each note once; what cannot be seen in it is shown as escapes."""
    notes = dict.fromkeys(suspicion.note for suspicion in suspicious)
    return "; ".join(note if note.isprintable() else ascii(note) for note in notes)


def _dense_search(dense: DenseState) -> str:
    size = f"{dense.count:,} vectors, {dense.bytes / 1e6:.1f} MB"
    if dense.candidates is None:
        return f"exact ({size})"
    recall = f"recall@10 {dense.recall:.3f}, target {dense.target:g}"
    return f"compressed, {dense.candidates:,} candidates compared in full ({size}; {recall})"


def _calibration(state: CalibrationState) -> str:
    if state.ignored is not None:
        return f"ignored: {state.ignored}; make it anew with: rag calibrate"
    threshold = "" if state.threshold is None else f"; risk {state.risk:g}, threshold {state.threshold:.3f}"
    return f"{state.questions:,} questions ({state.source}) at commit {state.commit}{threshold}"


def show_findings(findings: Sequence[Finding], done: Sequence[str], notes: Sequence[str]) -> None:
    """What doctor did and found."""
    out = console()
    for line in done:
        out.print(Text.assemble(("repaired ", "green"), line))
    for finding in findings:
        out.print(Text.assemble((f"{finding.what}: ", "bold red"), f"{finding.why}; ", (finding.mend, "yellow")))
    for note in notes:
        out.print(Text(note, style="dim"))
    if not findings:
        out.print(Text("nothing is wrong", style="green"))
