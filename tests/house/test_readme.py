"""README.md says what is so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer.main

import rag_engine
from rag_engine.cli.app import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = [
    line.split("#")[0].strip()
    for block in re.findall(r"```console\n(.*?)```", README, re.S)
    for line in block.splitlines()
]
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def test_two_commands_set_everything_up_and_ci_calls_the_one_for_tests() -> None:
    start = README.split("## Start")[1].split("\n## ")[0]
    assert re.findall(r"```console\n(.*?)\n```", start, re.S) == ["make demo", "make test"]
    assert "\nmake test\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith("make ")])
def test_a_make_target_exists(line: str) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert line.split()[1] in targets


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith("rag ")])
def test_a_rag_command_parses(line: str) -> None:
    words = shlex.split(line.split(">")[0])
    command = COMMANDS[words[1]]
    command.make_context(words[1], words[2:], resilient_parsing=False)


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith("python -m benchmarks")])
def test_a_benchmark_command_names_what_there_is(line: str) -> None:
    words = line.split()
    assert words[3] in ("list", "run")
    conditions = (ROOT / "benchmarks" / "conditions.toml").read_text(encoding="utf-8")
    assert all(f'group = "{group}"' in conditions for group in words[4:])


def test_every_command_is_shown() -> None:
    for name in COMMANDS:
        assert f"rag {name}" in README


def test_the_python_example_names_only_what_the_package_exports() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README, re.S)
    compile(block, "README.md", "exec")
    imported = re.findall(r"from rag_engine import (.*)", block)[0].split(", ")
    assert set(imported) <= set(rag_engine.__all__)
    for method in re.findall(r"engine\.(\w+)\(", block):
        assert hasattr(rag_engine.Engine, method)


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / target).exists(), target
