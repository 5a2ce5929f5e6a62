"""The whole command on a gold set of a few documents, with ourselves as the only contender: nothing is installed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[4]
TEXTS = {"cells": "Cells divide by mitosis.", "stars": "Stars shine by fusion.", "rivers": "Rivers flow downhill."}


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    folder = tmp_path / "tiny"
    (folder / "qrels").mkdir(parents=True)
    rows = [json.dumps({"_id": name, "title": name, "text": text}) for name, text in TEXTS.items()]
    (folder / "corpus.jsonl").write_text("\n".join(rows) + "\n")
    questions = [json.dumps({"_id": f"q-{name}", "text": f"what do {name} do"}) for name in TEXTS]
    (folder / "queries.jsonl").write_text("\n".join(questions) + "\n")
    (folder / "qrels" / "test.tsv").write_text("".join(f"q-{name}\t{name}\t1\n" for name in TEXTS))
    return folder


def peers(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.peers", *map(str, arguments)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)


def test_every_figure_is_measured_and_kept(gold: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"

    done = peers("--gold", gold, "--peers", "rag_engine", "--rounds", 1, "--work", work, "--no-plot")

    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    kept = json.loads((work / "tiny" / "results.json").read_text())
    (row,) = kept["rows"]
    figures = {name: spread["median"] for name, spread in row["figures"].items()}
    assert printed["documents"] == kept["documents"] == len(TEXTS)
    assert printed["failures"] == {}
    assert figures["texts"] == len(TEXTS)
    assert figures["dense_nDCG@10"] == figures["hybrid_nDCG@10"] == 1
    assert figures["unchanged_embedded"] == figures["changed_embedded"] == 0  # of three documents none is edited
    assert figures["documents_per_second"] > 0
    assert figures["cold_seconds"] > 0
    assert figures["peak_megabytes"] > 50
    assert "| rag_engine" in (work / "tiny" / "table.md").read_text()


def test_a_folder_that_is_no_gold_set_is_wrong_usage(tmp_path: Path) -> None:
    done = peers("--gold", tmp_path, "--work", tmp_path / "work")

    assert done.returncode == 2
    assert "holds neither queries.jsonl" in done.stderr
