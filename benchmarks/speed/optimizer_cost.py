"""What the query optimiser itself costs on the questions of a gold set: its plan and its look at the first results,
without the searches that these ask for.

    python -m benchmarks.speed.optimizer_cost GOLD [--index FOLDER] [--questions N]
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from pathlib import Path

from rag_engine.assembly import Assembly
from rag_engine.config import load_settings
from rag_engine.context_retrieval.optimized import WINDOW
from rag_engine.engine import Engine
from rag_engine.evaluation import read_gold_set
from rag_engine.types.retrieval import Query, SearchMode

INDEXES = Path(__file__).parents[1] / "results" / "indexes"
SEED = 1
ROUNDS = 5


def main() -> None:
    """Prints one JSON object: milliseconds a question, the best of five rounds each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", type=Path)
    parser.add_argument("--questions", type=int, default=200, help="a random sample of so many (seeded)")
    parser.add_argument("--index", type=Path, help="index of the documents; one of the gold set's own by default")
    arguments = parser.parse_args()
    gold = read_gold_set(arguments.gold)
    questions = [question.text for question in gold.questions]
    random.Random(SEED).shuffle(questions)
    assembly = Assembly(arguments.index or INDEXES / f"gold-{gold.name}", settings=load_settings(), create=True)
    with Engine(assembly) as engine:
        if gold.corpus is not None:
            engine.ingest(gold.corpus)
        optimizer = assembly.optimizer
        if optimizer is None:
            raise SystemExit("the optimiser is off by the settings")
        costs = []
        for question in questions[: arguments.questions]:
            passages = assembly.hybrid_retriever.retrieve(Query(question, k=WINDOW, mode=SearchMode.LEXICAL))
            rounds = []
            for _ in range(ROUNDS):
                started = time.perf_counter()
                optimizer.look_further(optimizer.plan(question), passages)
                rounds.append(1000 * (time.perf_counter() - started))
            costs.append(min(rounds))
    costs.sort()
    print(
        json.dumps(
            {
                "gold": gold.name,
                "questions": len(costs),
                "p50_ms": round(statistics.median(costs), 3),
                "p95_ms": round(costs[int(0.95 * len(costs))], 3),
                "max_ms": round(costs[-1], 3),
            }
        )
    )


if __name__ == "__main__":
    main()
