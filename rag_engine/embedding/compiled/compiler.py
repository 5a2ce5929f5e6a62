"""Compiles a model for this machine; a process of its own, so that torch never enters the one that serves.

The request, a JSON file named as the one argument, says {folder, target, threads, runtimes}. The model is exported,
each candidate is built, measured here, and held against the original; the fastest faithful one for documents and the
quickest for questions are kept.
"""

from __future__ import annotations

import importlib.metadata
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag_engine.embedding.compiled.batches import padded
from rag_engine.embedding.compiled.candidates import CANDIDATES
from rag_engine.embedding.compiled.encoding import TextEncoder
from rag_engine.embedding.compiled.export import export_onnx, load_original
from rag_engine.embedding.compiled.fidelity import measure_fidelity
from rag_engine.embedding.compiled.manifest import Manifest, Measured, StoredFile
from rag_engine.embedding.compiled.programs import Program, open_program
from rag_engine.embedding.compiled.reference_texts import LONG_PASSAGES, PASSAGES, REFERENCE_TEXTS, SUBJECTS
from rag_engine.embedding.compiled.running import run_sorted
from rag_engine.errors import EmbeddingError

if TYPE_CHECKING:
    from rag_engine.protocols import Vectors

_QUESTIONS = SUBJECTS[-1]
_QUESTION_ROUNDS, _BATCH_ROUNDS = 15, 3


def compile_model(folder: Path, target: Path, *, threads: int, runtimes: Sequence[str]) -> Manifest:
    """Writes the chosen programs and the manifest into ``target``, an empty folder.

    Args:
        folder: of a sentence-transformers model.
        threads: cores to compile for.
        runtimes: names of candidates to be considered.
    """
    graph = target / "model.onnx"
    model = load_original(folder)
    encoder = TextEncoder.of_folder(folder, max_tokens=int(model.max_seq_length or 512))
    original = np.asarray(
        model.encode_document(list(REFERENCE_TEXTS), normalize_embeddings=True, show_progress_bar=False)
    )
    try:
        export_onnx(model, graph)
    except Exception as error:  # noqa: BLE001  the exporter's errors have no common class
        return Manifest(None, None, threads, {}, {}, refusal=f"it cannot be exported ({_first_line(error)})")
    finally:
        del model  # before the candidates need memory
    measured = {
        name: _measured(name, graph, target / f"{name}.program", encoder, original, threads) for name in runtimes
    }
    graph.unlink()
    manifest = _choose(measured, target, threads)
    for file in target.glob("*.program"):
        if file.stem not in (manifest.documents, manifest.questions):
            file.unlink()
    return manifest


def _measured(name: str, graph: Path, file: Path, encoder: TextEncoder, original: Vectors, threads: int) -> Measured:
    """Builds a candidate and runs it; one that fails, or whose runtime is absent, is a refusal and no error."""
    samples = [padded([row], len(row), encoder.padding) for row in encoder.documents(REFERENCE_TEXTS)]
    try:
        CANDIDATES[name](graph, file, samples, threads)
        started = time.perf_counter()
        program = open_program(name, file, threads=threads)
        opened = time.perf_counter() - started
        fidelity = measure_fidelity(_embed(program, encoder, REFERENCE_TEXTS), original)
        return Measured(
            fidelity.refusal,
            round(_tokens_per_second(program, encoder)),
            round(_question_milliseconds(program, encoder), 3),
            round(opened, 3),
            **{key: round(value, 4) for key, value in asdict(fidelity).items()},
        )
    except ImportError as error:
        return Measured(refusal=f"{error.name or name} is not installed")
    except EmbeddingError as error:
        return Measured(refusal=error.message)
    except Exception as error:  # noqa: BLE001  each runtime has errors of its own
        return Measured(refusal=_first_line(error))


def _embed(program: Program, encoder: TextEncoder, texts: Sequence[str]) -> Vectors:
    rows = encoder.documents(texts)
    return run_sorted(program, rows, padding=encoder.padding, limit=encoder.max_tokens)


def _tokens_per_second(program: Program, encoder: TextEncoder) -> float:
    texts = (*LONG_PASSAGES, *PASSAGES, *PASSAGES) * max(2, program.streams)
    tokens = sum(len(row) for row in encoder.documents(texts))
    best = min(_seconds(partial(_embed, program, encoder, texts)) for _ in range(_BATCH_ROUNDS))
    return tokens / best


def _question_milliseconds(program: Program, encoder: TextEncoder) -> float:
    inputs = [padded([row], len(row), encoder.padding) for row in encoder.questions(_QUESTIONS)]
    for ids, mask in inputs:
        program.run(ids, mask)
    return 1000 * statistics.median(
        _seconds(partial(program.run, ids, mask)) for _ in range(_QUESTION_ROUNDS) for ids, mask in inputs
    )


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _choose(measured: Mapping[str, Measured], target: Path, threads: int) -> Manifest:
    faithful = {name: one for name, one in measured.items() if one.refusal is None}
    versions = {}
    for package in ("openvino", "onnxruntime", "torch"):
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    if not faithful:
        reasons = "; ".join(f"{name}: {one.refusal}" for name, one in measured.items())
        return Manifest(None, None, threads, versions, measured, refusal=reasons)
    documents = max(faithful, key=lambda name: faithful[name].tokens_per_second)
    questions = min(faithful, key=lambda name: faithful[name].question_milliseconds)
    files = {name: StoredFile.of(target / f"{name}.program") for name in {documents, questions}}
    return Manifest(documents, questions, threads, versions, measured, files)


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0][:200]}"


def main() -> None:
    """Reads the request, compiles, and writes the manifest as the last thing."""
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    target = Path(request["target"])
    manifest = compile_model(Path(request["folder"]), target, threads=request["threads"], runtimes=request["runtimes"])
    manifest.write(target)


if __name__ == "__main__":
    main()
