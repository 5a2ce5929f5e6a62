"""Importing the package, and asking for help, loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "faiss", "tantivy", "torch", "sentence_transformers", "transformers", "tiktoken", "h11", "httpx", "numpy",
    "pydantic", "sqlite_utils", "pypdfium2", "ir_measures", "opentelemetry", "tokenizers",
)  # fmt: skip


def modules_after(code: str) -> set[str]:
    program = f"import sys\n{code}\nprint(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(result.stdout.split("\n")[-2].split())


@pytest.mark.parametrize(
    "code",
    [
        "import rag_engine",
        "from rag_engine.cli.app import run\ntry: run(['--help'])\nexcept SystemExit: pass",
        "from rag_engine.cli.app import run\ntry: run(['ingest', '--help'])\nexcept SystemExit: pass",
    ],
    ids=["import rag_engine", "rag --help", "rag ingest --help"],
)
def test_nothing_heavy_is_loaded(code: str) -> None:
    loaded = modules_after(code)
    assert "rag_engine" in loaded
    # The command line's library brings pydantic along where it shows a command's options.
    assert not loaded & set(HEAVY) - ({"pydantic"} if "ingest" in code else set())
