"""What diversity costs and brings on a gold set: nDCG@10, and how much of the first ten says the same again.

    python -m benchmarks.quality.diversity INDEX GOLD [--diversities 0 0.1 0.3] [--questions N]

INDEX is the folder of an index of the gold set, or its name below RAG_ENGINE_ROOT, as ``rag eval GOLD`` makes. Prints
one JSON object: for each diversity (0.3 under ``0_3``) the measures, ``documents`` (different documents among the first
ten passages), ``duplicates`` (the share of pairs of passages of which one holds what the other says), ``cosine`` (the
mean of a passage's highest cosine with one before it).
"""

from __future__ import annotations

import argparse
import json
import os
import random
from pathlib import Path
from typing import Any

import numpy as np

from rag_engine.assembly import Assembly
from rag_engine.config import Settings
from rag_engine.engine import Engine
from rag_engine.evaluation import read_gold_set
from rag_engine.types.retrieval import Passage

SEED, FIRST = 1, 10


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", type=index_folder)
    parser.add_argument("gold", type=Path)
    parser.add_argument("--diversities", type=float, nargs="+", default=[0.0, 0.1, 0.3])
    parser.add_argument("--questions", type=int, default=200, help="questions whose first passages are compared")
    given = parser.parse_args()
    questions = [question.text for question in read_gold_set(given.gold).questions]
    drawn = random.Random(SEED).sample(questions, min(given.questions, len(questions)))
    found = {
        f"{each:g}".replace(".", "_"): _measured(given.index, given.gold, drawn, diversity=each)
        for each in given.diversities
    }
    print(json.dumps({"gold": given.gold.name, "diversity": found}))


def index_folder(named: str) -> Path:
    """The folder of this path, or else of this name below RAG_ENGINE_ROOT."""
    return Path(named) if Path(named).is_dir() else Path(os.environ.get("RAG_ENGINE_ROOT", "indexes")) / named


def _measured(index: Path, gold: Path, questions: list[str], *, diversity: float) -> dict[str, Any]:
    settings = Settings.model_validate({"retrieval": {"diversity": diversity}})
    assembly = Assembly(index, settings=settings, create=False)
    with Engine(assembly) as engine:
        report = engine.evaluate(gold, answers=False)
        searched = [engine.search(question, k=FIRST) for question in questions]
        with assembly.index.view(dense=True, lexical=False) as view:
            cosines = [_nearest_before(passages, view.dense) for passages in searched if len(passages) > 1]
    pairs = sum(len(passages) * (len(passages) - 1) for passages in searched)
    return {
        "nDCG@10": report.metrics.get("nDCG@10"),
        "R@100": report.metrics.get("R@100"),
        "documents": float(np.mean([len({passage.document_id for passage in passages}) for passages in searched])),
        "duplicates": sum(len(passage.duplicates) for passages in searched for passage in passages) / max(1, pairs),
        "cosine": float(np.mean(cosines)),
    }


def _nearest_before(passages: list[Passage], dense: Any) -> float:
    """The mean, over all passages but the first, of the highest cosine with one before it."""
    chunks = np.array(sorted(passage.chunk for passage in passages), dtype=np.int64)
    rows = dense.vectors(chunks)[np.searchsorted(chunks, [passage.chunk for passage in passages])]
    cosines = rows @ rows.T
    return float(np.mean([cosines[place, :place].max() for place in range(1, len(rows))]))


if __name__ == "__main__":
    main()
