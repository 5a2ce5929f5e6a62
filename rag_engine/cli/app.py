"""The commands. Data goes to standard output, everything else to standard error.

Exit status: 0 done, 1 failed or fell short, 2 wrong usage.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag_engine.cli.calibration import calibrate, gold_app
from rag_engine.cli.json_output import answer_fields, print_event, print_json, search_fields
from rag_engine.cli.models import models
from rag_engine.cli.options import (
    Config,
    Debug,
    Diversity,
    Exclude,
    FilterOption,
    Include,
    IndexName,
    Json,
    Mode,
    Model,
    NoOptimize,
    Root,
    Strict,
    Wait,
    index_folder,
    settings_from,
)
from rag_engine.cli.route import route
from rag_engine.cli.trace import trace
from rag_engine.cli.tuning import tune
from rag_engine.cli.usage import usage
from rag_engine.errors import RagEngineError, UsageError

if TYPE_CHECKING:
    from rag_engine.types.generation import AnswerEvent
    from rag_engine.types.ingestion import IngestReport

# How the command line's library ends a command at Ctrl-C.
INTERRUPTED = 130

app = typer.Typer(
    name="rag",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Ask your documents, and check the answers.\n\n"
    "Every citation is a document and exact characters, compared with the stored text before it is shown. "
    "Runs without a key and without a network.\n\n"
    '**Start with:**  rag ingest docs/   then   rag ask "how are refunds paid?"',
)


def _version(wanted: bool) -> None:
    if wanted:
        from rag_engine import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def ingest(
    paths: Annotated[
        list[str] | None, typer.Argument(help="Folders, files or globs.", metavar="PATH...", show_default=False)
    ] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Read files in quarantine again.")] = False,
    include: Include = None,
    exclude: Exclude = None,
    strict: Strict = False,
    re_embed: Annotated[
        bool, typer.Option("--re-embed", help="Chunk and embed everything stored anew, with the present settings.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing; say from a sample what it would take.")
    ] = False,
    index: IndexName = None,
    root: Root = None,
    model: Model = None,
    wait: Wait = None,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Bring the index to what files and folders hold.

    New and changed files are read, vanished ones removed, renamed ones moved; an unchanged one costs
    a look at its folder. What cannot be read is set aside with its reason, and the rest goes on. What a .ragignore
    file in a folder leaves out, as a .gitignore would, is not taken.

    **Examples:**  rag ingest docs/  ·  rag ingest 'notes/**/*.md' report.pdf  ·
    rag ingest corpus.jsonl -i papers  ·  rag ingest archive/ --dry-run
    """
    from rag_engine.cli.progress import ProgressBar
    from rag_engine.engine import Engine, estimate

    if not paths and not re_embed:
        raise UsageError("nothing to ingest was named", hint="rag ingest PATH..., or rag ingest --re-embed")
    settings = settings_from(config, root=root, wait=wait, model=model, include=include, exclude=exclude)
    folder = index_folder(settings, index)
    if dry_run:
        if re_embed or strict or not paths:
            raise UsageError("--dry-run is for files and folders alone", hint="rag ingest --dry-run PATH...")
        estimated = estimate(folder, paths, settings=settings, retry=retry)
        if as_json:
            print_json(estimated)
        else:
            from rag_engine.cli.ingest_output import show_estimate

            show_estimate(estimated)
        return
    with Engine.open(folder, settings=settings, create=not re_embed) as engine, ProgressBar(quiet=as_json) as bar:
        report = engine.re_embed(strict=strict, progress=bar.ingest) if re_embed else None
        if paths:
            report = engine.ingest(list(paths), retry=retry, strict=strict, progress=bar.ingest)
    assert report is not None  # noqa: S101 - one of the two ran
    if as_json:
        print_json(report)
    else:
        from rag_engine.cli.ingest_output import show_ingest

        show_ingest(report)
    held = report.documents
    if report.failures and not (held.added or held.updated or held.moved or held.unchanged or held.deleted):
        raise typer.Exit(1)


@app.command()
def watch(
    paths: Annotated[list[str], typer.Argument(help="Folders, files or globs.", metavar="PATH...", show_default=False)],
    include: Include = None,
    exclude: Exclude = None,
    strict: Strict = False,
    index: IndexName = None,
    root: Root = None,
    model: Model = None,
    wait: Wait = None,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Keep the index in step with files and folders, until Ctrl-C.

    Begins with an ingest of everything. Whenever something there has changed and a second has passed without
    another change, what is affected is ingested again. With --json one report a line.

    **Example:**  rag watch docs/ --exclude '*.tmp'
    """
    from rag_engine.cli.ingest_output import show_ingest
    from rag_engine.cli.terminal import print_error
    from rag_engine.engine import Engine

    def show(report: IngestReport) -> None:
        if as_json:
            print_json(report)
        else:
            show_ingest(report)
        sys.stdout.flush()

    settings = settings_from(config, root=root, wait=wait, model=model, include=include, exclude=exclude)
    with Engine.open(index_folder(settings, index), settings=settings) as engine:
        engine.watch(paths, strict=strict, done=show, failed=lambda error: print_error(error.public_message))


@app.command()
def search(
    question: Annotated[str, typer.Argument(help="What to look for.", metavar="QUESTION", show_default=False)],
    k: Annotated[int | None, typer.Option("-k", help="How many results.", metavar="N", show_default="10")] = None,
    mode: Mode = None,
    condition: FilterOption = None,
    no_optimize: NoOptimize = False,
    diversity: Diversity = None,
    index: IndexName = None,
    root: Root = None,
    model: Model = None,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Find passages, best first.

    **Examples:**  rag search "refund deadline"  ·  rag search "lift" -k 5 --mode lexical  ·
    rag search "tax" --filter "year >= 2020 and language in ['en', 'de']"
    """
    from rag_engine.engine import Engine

    started = time.perf_counter()
    _check_mode(mode)
    settings = settings_from(config, root=root, model=model, no_optimize=no_optimize, diversity=diversity)
    with Engine.open(index_folder(settings, index), settings=settings, create=False) as engine:
        outcome = engine.look_up(question, k=k, mode=mode, filter=condition)
    seconds = time.perf_counter() - started
    if as_json:
        print_json(search_fields(question, outcome, seconds))
    else:
        from rag_engine.cli.output import show_search

        show_search(outcome, seconds)


@app.command()
def explain(
    question: Annotated[str, typer.Argument(help="What is looked for.", metavar="QUESTION", show_default=False)],
    expect: Annotated[
        str, typer.Option("--expect", help="Id of the document to explain.", metavar="DOCUMENT", show_default=False)
    ],
    k: Annotated[int | None, typer.Option("-k", help="How many results.", metavar="N", show_default="10")] = None,
    mode: Mode = None,
    condition: FilterOption = None,
    no_optimize: NoOptimize = False,
    index: IndexName = None,
    root: Root = None,
    model: Model = None,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Say why a document is or is not found: its rank in each stage, what cut it, and what would admit it.

    **Example:**  rag explain "refund deadline" --expect policies/refunds.md
    """
    from rag_engine.engine import Engine

    _check_mode(mode)
    settings = settings_from(config, root=root, model=model, no_optimize=no_optimize)
    with Engine.open(index_folder(settings, index), settings=settings, create=False) as engine:
        explanation = engine.explain(question, expect=expect, k=k, mode=mode, filter=condition)
    if as_json:
        print_json(explanation)
    else:
        from rag_engine.cli.explain_output import show_explanation

        show_explanation(explanation)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="Your question.", metavar="QUESTION", show_default=False)],
    mode: Mode = None,
    condition: FilterOption = None,
    diversity: Diversity = None,
    stream: Annotated[
        bool, typer.Option("--stream", help="Print what there is as soon as it is there; with --json one event a line.")
    ] = False,
    no_optimize: NoOptimize = False,
    index: IndexName = None,
    root: Root = None,
    model: Model = None,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Answer a question from the documents, with proven citations, or say that they do not answer it.

    **Example:**  rag ask "how long may a refund take?" --json > answer.json   then   rag verify answer.json
    """
    from rag_engine.engine import Engine

    _check_mode(mode)
    settings = settings_from(config, root=root, model=model, no_optimize=no_optimize, diversity=diversity)
    with Engine.open(index_folder(settings, index), settings=settings, create=False) as engine:
        answer = engine.ask(question, mode=mode, filter=condition, on_event=_event_printer(stream, as_json))
    if as_json:
        print_json({"event": "done"} | answer_fields(answer) if stream else answer_fields(answer))
        return
    from rag_engine.cli.output import show_answer, show_confidence

    (show_confidence if stream else show_answer)(answer)


def _event_printer(stream: bool, as_json: bool) -> Callable[[AnswerEvent], None]:
    if not stream:
        return lambda _: None
    if as_json:
        return print_event
    from rag_engine.cli.output import event_printer

    return event_printer()


@app.command(name="eval")
def evaluate(
    gold: Annotated[
        Path, typer.Argument(help="Folder of a gold set, BEIR or span form.", metavar="GOLD", show_default=False)
    ],
    mode: Mode = None,
    diversity: Diversity = None,
    answers: Annotated[
        bool | None,
        typer.Option(
            "--answers/--no-answers",
            help="Whether to ask every question, besides searching for it.",
            show_default="where the gold set has answers",
        ),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--baseline", help="What to compare with: a TREC run file, or what --json printed.", metavar="RUN"
        ),
    ] = None,
    fail_if_worse: Annotated[
        bool, typer.Option("--fail-if-worse", help="Exit 1 if a measure is significantly worse than the baseline's.")
    ] = False,
    junit: Annotated[
        Path | None, typer.Option("--junit", help="Write the comparison as JUnit XML.", metavar="FILE")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write a report with charts as one HTML file.", metavar="FILE")
    ] = None,
    run_file: Annotated[
        Path | None, typer.Option("--run-file", help="Write the rankings as a TREC run file.", metavar="FILE")
    ] = None,
    learn: Annotated[
        bool,
        typer.Option(
            "--learn",
            help="Remember what each strategy of the optimiser gains, and how good each model's answers were; "
            "takes several times as long.",
        ),
    ] = False,
    no_optimize: NoOptimize = False,
    index: Annotated[
        str | None,
        typer.Option(
            "--index",
            "-i",
            help="Index to evaluate.",
            metavar="NAME",
            show_default="gold-NAME for a gold set with a corpus, else default",
        ),
    ] = None,
    root: Root = None,
    model: Model = None,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Score search and answers on a gold set.

    A gold set that brings its corpus is evaluated in an index of its own, made at the first run; one without is
    evaluated on the documents you ingested.

    **Examples:**  rag eval gold/scifact  ·  rag eval gold/handbook -i handbook  ·
    rag eval gold/scifact --baseline old.run --fail-if-worse --html report.html
    """
    from rag_engine.cli.evaluation_files import EvaluationFiles
    from rag_engine.cli.progress import ProgressBar
    from rag_engine.engine import Engine
    from rag_engine.evaluation import read_gold_set

    _check_mode(mode)
    if fail_if_worse and baseline is None:
        raise UsageError("--fail-if-worse needs something to compare with", hint="add --baseline RUN")
    if junit is not None and baseline is None:
        raise UsageError("--junit needs something to compare with", hint="add --baseline RUN")
    files = EvaluationFiles(run_file=run_file, junit=junit, html=html)
    files.check_places()
    settings = settings_from(config, root=root, model=model, no_optimize=no_optimize, diversity=diversity)
    gold_set = read_gold_set(gold)
    if index is None and gold_set.corpus is not None:
        index = f"gold-{gold_set.name}"
    folder = index_folder(settings, index)
    with (
        Engine.open(folder, settings=settings, create=gold_set.corpus is not None) as engine,
        ProgressBar(quiet=as_json) as bar,
    ):
        report = engine.evaluate(
            gold,
            mode=mode,
            answers=answers,
            baseline=baseline,
            learn=learn,
            ingest_progress=bar.ingest,
            progress=bar.questions,
        )
    files.write(report)
    if as_json:
        print_json(report.to_json())
    else:
        from rag_engine.cli.evaluation_output import show_evaluation

        show_evaluation(report)
    if fail_if_worse and report.significance is not None and report.significance.worse:
        raise typer.Exit(1)


app.command()(tune)
app.command()(calibrate)
app.add_typer(gold_app)


@app.command()
def verify(
    answer: Annotated[
        str,
        typer.Argument(
            help="What rag ask --json printed; - for standard input.", metavar="ANSWER.json", show_default=False
        ),
    ],
    index: IndexName = None,
    root: Root = None,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Check the citations of an earlier answer: intact, moved, changed or gone.

    Exit status 1 unless every citation is intact or moved.
    """
    from rag_engine.engine import Engine

    citations = _read_citations(answer)
    settings = settings_from(config, root=root)
    with Engine.open(index_folder(settings, index), settings=settings, create=False) as engine:
        found = engine.verify(citations)
    if as_json:
        rows = [
            {
                **{key: citation.get(key) for key in ("marker", "document", "start", "end")},
                "verdict": verification.verdict.value,
                "now_at": verification.start,
            }
            for citation, verification in zip(citations, found, strict=True)
        ]
        print_json({"citations": rows})
    else:
        from rag_engine.cli.output import show_verification

        show_verification(citations, found)
    if any(verification.verdict.value in ("changed", "gone") for verification in found):
        raise typer.Exit(1)


@app.command()
def status(
    index: IndexName = None,
    root: Root = None,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show what the index holds, what it was built with, and what could not be read."""
    from rag_engine.engine import Engine

    settings = settings_from(config, root=root)
    with Engine.open(index_folder(settings, index), settings=settings, create=False) as engine:
        found = engine.status()
    if as_json:
        print_json(found)
    else:
        from rag_engine.cli.output import show_status

        show_status(found)


@app.command()
def doctor(
    mend: Annotated[
        bool, typer.Option("--repair", help="Make index files anew; save what can be saved of a damaged catalog.")
    ] = False,
    index: IndexName = None,
    root: Root = None,
    model: Model = None,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Look for damage: catalog, index files, lock, model and quarantine. Exit status 1 if there is any."""
    from rag_engine.engine import examine, notes, repair

    settings = settings_from(config, root=root, model=model)
    folder = index_folder(settings, index)
    done = repair(folder, settings=settings) if mend else []
    findings = examine(folder, settings=settings)
    noted = notes(folder, settings=settings)
    if as_json:
        print_json({"findings": findings, "notes": noted, "repaired": done})
    else:
        from rag_engine.cli.output import show_findings

        show_findings(findings, done, noted)
    if findings:
        raise typer.Exit(1)


app.command()(models)
app.command()(route)
app.command()(trace)
app.command()(usage)


def _check_mode(mode: str | None) -> None:
    """Before an index is looked for: a wrong mode is wrong usage whether there is one or not."""
    from rag_engine.context_retrieval import parse_mode

    if mode is not None:
        parse_mode(mode)


def _read_citations(answer: str) -> list[dict[str, Any]]:
    try:
        text = sys.stdin.read() if answer == "-" else Path(answer).read_text(encoding="utf-8")
        citations = json.loads(text)["citations"]
        return [
            {
                "marker": citation.get("marker"),
                "document": str(citation["document"]),
                "start": int(citation["start"]),
                "end": int(citation["end"]),
                "text": str(citation["text"]),
            }
            for citation in citations
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f": {error.strerror}" if isinstance(error, OSError) else ""
        name = "what came on standard input" if answer == "-" else answer
        raise UsageError(
            f"{name} is no answer with citations{reason}", hint="pass what rag ask --json printed"
        ) from error


def main() -> None:
    """Runs the command line of this process."""
    logging.basicConfig(stream=sys.stderr, format="rag: %(message)s", level=logging.WARNING)
    for stream in (sys.stdout, sys.stderr):
        # File names and documents may hold what a terminal's encoding does not.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    run(sys.argv[1:])


def run(arguments: list[str]) -> None:
    """Runs one command and raises SystemExit with its status."""
    try:
        app(args=arguments, prog_name="rag")
    except RagEngineError as error:
        if "--debug" in arguments:
            raise
        from rag_engine.cli.terminal import print_error

        print_error(error.public_message)
        raise SystemExit(2 if isinstance(error, UsageError) else 1) from None
    except SystemExit as ending:
        if ending.code == INTERRUPTED:
            sys.stderr.write("rag: interrupted; what was committed is kept, and the same command goes on from there\n")
        raise
    except BrokenPipeError:
        raise SystemExit(1) from None
