"""What ``rag explain`` prints without --json."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from rag_engine.cli.terminal import console, in_one_line

if TYPE_CHECKING:
    from rag_engine.types.document import JsonValue
    from rag_engine.types.explanation import Change, Explanation, QuestionWords, Rival

_EXCERPT_CHARACTERS = 200
_PASSED = {True: ("yes", "green"), False: ("no", "red"), None: ("-", "dim")}


def show_explanation(explanation: Explanation) -> None:
    """The verdict, the stages, what was ahead, and what would admit the document."""
    out = console()
    name = in_one_line(explanation.document)
    out.print(Text.assemble((name, "bold cyan"), f": {_verdict(explanation)}"))
    table = Table(show_edge=False, box=None, padding=(0, 2, 0, 0))
    table.add_column("stage")
    table.add_column("through")
    table.add_column("rank", justify="right")
    table.add_column("score", justify="right")
    table.add_column("")
    for stage in explanation.stages:
        passed, style = _PASSED[stage.passed]
        table.add_row(
            stage.stage,
            Text(passed, style=style),
            "" if stage.rank is None else f"{stage.rank:,}",
            "" if stage.score is None else f"{stage.score:.3f}",
            Text(in_one_line(stage.detail)),
        )
    out.print(table)
    for line in _words(explanation.words):
        out.print(Text(line))
    for cut in explanation.truncations[:3]:
        out.print(Text(f"Not all of it is there to be found: {in_one_line(str(cut))}."))
    if explanation.unembedded:
        out.print(Text(f"{explanation.unembedded:,} of its chunks are not embedded yet."))
    if explanation.beaten_by is not None:
        for line in _rival(explanation.beaten_by):
            out.print(Text(line))
    for change in _changes(explanation):
        out.print(change)
    out.print(Text(f"{explanation.seconds:.2f} s", style="dim"))


def _verdict(explanation: Explanation) -> str:
    if explanation.cut is not None:
        return in_one_line(explanation.cut.why) + "."
    rank = next((stage.rank for stage in explanation.stages if stage.stage == "results"), None)
    return f"it is result {rank}, and an answer may draw on it."


def _words(words: QuestionWords) -> Iterator[str]:
    named = {
        "in it": words.in_document,
        "in other documents alone": words.elsewhere,
        "nowhere": words.nowhere,
    }
    said = [f"{where}: {', '.join(members)}" for where, members in named.items() if members]
    if said:
        yield f"Words of the question: {'; '.join(said)}."


def _rival(rival: Rival) -> Iterator[str]:
    excerpt = in_one_line(" ".join(rival.text.split()))
    if len(excerpt) > _EXCERPT_CHARACTERS:
        excerpt = excerpt[: _EXCERPT_CHARACTERS - 1] + "…"
    raw = _numbers(rival.scores)
    yield f"The last one in, number {rival.rank}: {in_one_line(rival.document)}, score {rival.score:.3f} ({raw})"
    yield f"   {excerpt}"
    if rival.won_by is not None:
        ahead = _numbers({part: by for part, by in rival.ahead_by.items() if abs(by) >= 0.0005}, sign="+")
        yield f"   It is ahead mostly by {rival.won_by}: {ahead}"


def _numbers(values: Mapping[str, float], *, sign: str = "") -> str:
    return ", ".join(f"{name} {value:{sign}.3f}" for name, value in values.items())


def _changes(explanation: Explanation) -> Iterator[Text]:
    if explanation.cut is None:
        return
    if not explanation.changes:
        yield Text("No single change admits it.", style="yellow")
        return
    yield Text("Any one of these admits it (tried):" if len(explanation.changes) > 1 else "This admits it (tried):")
    for change in explanation.changes:
        yield Text.assemble("   ", (_change(change), "green"), f"  it is number {change.rank:,} then")


def _change(change: Change) -> str:
    options = {"k": f"-k {change.to}", "mode": f"--mode {change.to}", "query_optimizer.enabled": "--no-optimize"}
    if change.what in options:
        return options[change.what]
    if isinstance(change.to, dict):
        return f"no --filter, and -k {change.to['k']}"
    if change.what == "filter":
        return "no --filter" if change.to is None else f'--filter "{in_one_line(str(change.to))}"'
    if change.what == "question":
        return f'asked as "{in_one_line(str(change.to))}"'
    return f"{change.what} = {_shown(change.to)}, now {_shown(change.now)}"


def _shown(value: JsonValue) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
