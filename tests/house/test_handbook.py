"""The handbook says what is so, and its gold set points at what it says."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic import BaseModel

import rag_engine
from benchmarks.gold_spans import relocate
from rag_engine import Engine, errors
from rag_engine.cli.app import app
from rag_engine.config import ENVIRONMENT_PREFIX, Settings
from rag_engine.evaluation import CalibrationReport, EvaluationReport, GoldForm, check_spans, read_gold_set
from rag_engine.evaluation.calibration_measures import CoveragePoint, ProbabilityMeasures
from rag_engine.ingestion import select_loader
from rag_engine.jobs.tune import TuningReport
from rag_engine.types.document import SourceFailure
from rag_engine.types.evaluation import MadeGoldSet
from rag_engine.types.explanation import (
    Change,
    Cut,
    Explanation,
    FalseCondition,
    LegStanding,
    QuestionWords,
    StageStanding,
)
from rag_engine.types.generation import Answer, Citation, Usage
from rag_engine.types.health import CalibrationState, Finding, IndexStatus, QuarantinedSource
from rag_engine.types.ingestion import ChunkCounts, DocumentCounts, IngestReport, LoadLimits, TruncatedDocument
from rag_engine.types.retrieval import SearchMode
from rag_engine.types.suspicion import Suspicion, SuspiciousDocument

ROOT = Path(__file__).parents[2]
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
GOLD = ROOT / "benchmarks" / "gold" / "handbook"
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: str, *languages: str) -> list[str]:
    return [content for language, content in FENCED.findall(PAGES[page]) if language in languages]


def section(page: str, heading: str) -> str:
    """What stands below a heading of level two, up to the next one."""
    return PAGES[page].split(f"\n## {heading}\n")[1].split("\n## ")[0]


def options(command: Any) -> set[str]:
    """``-k``, ``--mode`` and so on, the parameters that are no options left out."""
    names = [name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)]
    return {name for name in names if name.startswith("-")}


def options_with_those_below(command: Any) -> set[str]:
    """Of a command that has commands of its own, theirs too."""
    return options(command).union(*map(options, getattr(command, "commands", {}).values()))


# Commands -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_the_section_of_a_command_names_all_of_its_options_and_no_others(name: str) -> None:
    told = set(re.findall(r"`(--?[a-z][a-z-]*)", section("commands.md", f"rag {name}")))
    assert told == options_with_those_below(COMMANDS[name]) | {"--help", "-h"}


def test_every_section_about_a_command_is_about_one_that_there_is() -> None:
    assert re.findall(r"^## rag (\w+)$", PAGES["commands.md"], re.MULTILINE) == list(COMMANDS)


def test_options_of_rag_itself_are_listed() -> None:
    for name in options(typer.main.get_command(app)):
        assert f"`{name}`" in PAGES["commands.md"]


@pytest.mark.parametrize(
    ("command", "records"),
    [
        ("ingest", (IngestReport, DocumentCounts, ChunkCounts, SourceFailure, TruncatedDocument)),
        ("ask", (Citation, Usage)),
        ("eval", ()),
        ("calibrate", (CalibrationReport, ProbabilityMeasures, CoveragePoint)),
        ("tune", (TuningReport,)),
        ("gold", (MadeGoldSet,)),
        ("status", (IndexStatus, CalibrationState, QuarantinedSource, SuspiciousDocument)),
        (
            "explain",
            (
                Explanation,
                Cut,
                FalseCondition,
                QuestionWords,
                LegStanding,
                StageStanding,
                Change,
            ),
        ),
        ("search", (Suspicion,)),
        ("doctor", (Finding,)),
    ],
)
def test_the_keys_of_a_commands_json_are_listed(command: str, records: tuple[Any, ...]) -> None:
    text = section("commands.md", f"rag {command}")
    keys = [field.name for record in records for field in dataclasses.fields(record)]
    keys += [field.name for field in dataclasses.fields(Answer) if field.name != "text"] if command == "ask" else []
    if command == "eval":
        keys += EvaluationReport("gold", GoldForm.SPANS, SearchMode.HYBRID, {}, {}, 0, 0.0).to_json()
    for key in keys:
        assert f"`{key}`" in text, key


def shell_lines() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for block in blocks(page, "bash"):
            yield from ((page, line) for line in block.splitlines() if line)
        for block in blocks(page, "console"):
            yield from ((page, line[2:]) for line in block.splitlines() if line.startswith("$ "))


RAG_LINES = [(page, line) for page, line in shell_lines() if re.match(r"(?:[A-Z_]+=\S+ )*rag\b", line)]


@pytest.mark.parametrize(("page", "line"), RAG_LINES)
def test_a_rag_command_parses(page: str, line: str) -> None:
    words = shlex.split(line.split(" > ")[0])
    words = words[words.index("rag") + 1 :]
    if words != ["--version"]:
        COMMANDS[words[0]].make_context(words[0], words[1:], resilient_parsing=False)


# Settings -----------------------------------------------------------------------------------------


def settings() -> dict[str, tuple[object, str]]:
    """Each setting's default and environment variable."""
    found = {}
    for section_name, values in Settings():
        assert isinstance(values, BaseModel)
        for key, default in values:
            variable = f"{ENVIRONMENT_PREFIX}{section_name}__{key}".upper()
            found[f"{section_name}.{key}"] = (default, variable)
    return found


def shown(default: object) -> str:
    if default is None or default == ():
        return "not set"
    return f"{default:g}" if isinstance(default, float) else str(default)


def test_every_setting_is_listed_with_its_default_and_its_variable_and_no_other_is() -> None:
    rows = re.findall(r"^\| `(\w+\.\w+)` \| (.*?) \| `(\w+)` \|", PAGES["configuration.md"], re.MULTILINE)
    listed = {name: (default.strip("`"), variable) for name, default, variable in rows}
    assert listed == {name: (shown(default), variable) for name, (default, variable) in settings().items()}


def test_every_setting_named_anywhere_exists() -> None:
    sections = "|".join(Settings.model_fields)
    for page, text in PAGES.items():
        for name in re.findall(rf"`((?:{sections})\.[a-z_]+)`", text):
            assert name in settings(), f"{page}: {name}"


# Errors -------------------------------------------------------------------------------------------


def test_every_error_has_a_section_that_names_its_class_and_says_when_it_may_be_tried_again() -> None:
    parts = re.split(r"^### `(\w+)`\n", section("troubleshooting.md", "Every error"), flags=re.MULTILINE)
    told = dict(zip(parts[1::2], parts[2::2], strict=True))
    classes = [
        kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.RagEngineError)
    ]
    assert set(told) == {kind.code for kind in classes}
    for kind in classes:
        assert told[kind.code].lstrip().startswith(f"{kind.__name__}{', retryable' if kind.retryable else ''}. ")


# Python -------------------------------------------------------------------------------------------

PYTHON_BLOCKS = [(page, block) for page in PAGES for block in blocks(page, "python")]


@pytest.mark.parametrize(("page", "block"), PYTHON_BLOCKS)
def test_a_python_example_imports_only_exported_names_and_calls_only_what_the_engine_has(page: str, block: str) -> None:
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.ImportFrom) and node.module == "rag_engine":
            assert {alias.name for alias in node.names} <= set(rag_engine.__all__)
        elif isinstance(node, ast.ImportFrom):
            assert not (node.module or "").startswith("rag_engine"), "only the package's front is public"
        elif isinstance(node, ast.Call) and ast.unparse(node.func).lower().startswith("engine."):
            method = getattr(Engine, ast.unparse(node.func).partition(".")[2])
            assert {keyword.arg for keyword in node.keywords} <= set(inspect.signature(method).parameters)


def test_every_exported_name_is_told_of() -> None:
    for name in rag_engine.__all__:
        assert f"`{name}`" in PAGES["python.md"]


def test_the_python_page_runs_from_top_to_bottom(tmp_path: Path) -> None:
    script = tmp_path / "page.py"
    script.write_text("\n".join(blocks("python.md", "python")), encoding="utf-8")
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "2 documents added" in done.stdout
    assert "Express delivery costs 9.90 euros." in done.stdout


# Links --------------------------------------------------------------------------------------------


def anchors(text: str) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_a_link_leads_to_a_page_and_heading_that_there_are(page: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCED.sub("", PAGES[page])):
        name, _, anchor = target.partition("#")
        assert (name or page) in PAGES, target
        assert not anchor or anchor in anchors(PAGES[name or page]), target


def test_the_first_page_leads_to_every_other_one() -> None:
    for page in PAGES:
        assert page == "index.md" or f"({page})" in PAGES["index.md"]


# The gold set -------------------------------------------------------------------------------------


def canonical_text(identifier: str) -> str | None:
    path = ROOT / identifier
    if not path.is_file():
        return None
    data = path.read_bytes()
    (document,) = select_loader(identifier, data).load(data, name=identifier, limits=LoadLimits(10_000_000))
    assert not isinstance(document, SourceFailure)
    return document.text


def test_every_span_of_the_gold_set_stands_where_it_says() -> None:
    gold = read_gold_set(GOLD)
    assert gold.corpus is None
    check_spans(gold, canonical_text)  # mend: python -m benchmarks.gold_spans benchmarks/gold/handbook docs
    for question in gold.questions:
        assert all(canonical_text(span.document) for span in question.spans), question.id


def test_the_gold_set_has_enough_questions_of_both_kinds_each_once_and_about_every_page() -> None:
    questions = read_gold_set(GOLD).questions
    assert sum(question.answerable is True for question in questions) >= 45
    assert sum(question.answerable is False for question in questions) >= 10
    assert len({question.text.casefold() for question in questions}) == len(questions)
    about = {span.document for question in questions for span in question.spans}
    assert about == {f"docs/{page}" for page in PAGES}


def test_the_tool_brings_every_span_back_after_the_pages_were_edited(tmp_path: Path) -> None:
    shutil.copy(GOLD / "questions.jsonl", tmp_path)
    (tmp_path / "docs").mkdir()
    for page, text in PAGES.items():
        moved = "A line before everything.\n\n" + text.replace(" that ", "\nthat ")
        (tmp_path / "docs" / page).write_text(moved, encoding="utf-8")
    assert relocate(tmp_path / "questions.jsonl", tmp_path / "docs") == []
    check_spans(read_gold_set(tmp_path), lambda identifier: (tmp_path / identifier).read_text(encoding="utf-8"))


def test_the_tool_writes_nothing_when_a_span_is_gone(tmp_path: Path) -> None:
    questions = Path(shutil.copy(GOLD / "questions.jsonl", tmp_path))
    before = questions.read_bytes()
    (tmp_path / "docs").mkdir()
    complaints = relocate(questions, tmp_path / "docs")
    spans = list(itertools.chain.from_iterable(question.spans for question in read_gold_set(GOLD).questions))
    assert len(complaints) == len(spans)
    assert questions.read_bytes() == before
