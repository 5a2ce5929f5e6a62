"""``python -m benchmarks.tokens``: the table of errors of our token estimates; ``--fit`` writes the estimates anew.

Needs ../shared; tiktoken's ranks are read there unless TIKTOKEN_CACHE_DIR names another folder. With
``--packages FOLDER`` it also compares with the tokenizers in the packages of requirements.txt, and only so are the
committed estimates made.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from pathlib import Path

import numpy as np

from benchmarks.tokens.corpora import stretches
from benchmarks.tokens.fit import Samples
from benchmarks.tokens.measure import MAKERS, Errors, fit_all
from benchmarks.tokens.tokenizers import real_tokenizers

_REPOSITORY = Path(__file__).resolve().parents[2]
_SHARED = _REPOSITORY.parent / "shared"
_ESTIMATES = _REPOSITORY / "rag_engine" / "token_counter" / "data" / "estimates.json"


def main() -> None:
    """Prints the table, or one JSON object with ``--json``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tokens", description=__doc__)
    parser.add_argument("--packages", type=Path, help="folder with the packages of requirements.txt")
    parser.add_argument("--fit", action="store_true", help="write the estimates anew; needs --packages")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args()
    if chosen.fit and chosen.packages is None:
        parser.error("--fit needs --packages: estimates are made with all tokenizers or not at all")
    os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(_SHARED / "tiktoken"))  # nothing of ours deletes there
    texts = stretches()
    samples = Samples.of(texts)
    counts = {
        name: np.array([count(text) for source in texts.values() for text in source], dtype=float)
        for name, count in real_tokenizers(chosen.packages).items()
    }
    estimates, errors = fit_all(samples, counts)
    if chosen.fit:
        rows = {name: {"ratio": one.ratio, "weights": dict(one.weights)} for name, one in estimates.items()}
        _ESTIMATES.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    if chosen.json:
        print(
            json.dumps(
                {
                    "sources": len(texts),
                    "stretches": len(samples.sources),
                    "characters": sum(len(text) for source in texts.values() for text in source),
                    "ratios": {name: one.ratio for name, one in estimates.items()},
                    "most_undercounted": max(row.undercounted for row in errors if row.tokenizer in MAKERS),
                    "errors": _by_name(errors),
                }
            )
        )
    else:
        _print(errors, sources=len(texts))


def _by_name(errors: list[Errors]) -> dict[str, dict[str, dict[str, object]]]:
    """By estimate and tokenizer."""
    found: dict[str, dict[str, dict[str, object]]] = {}
    for row in errors:
        found.setdefault(row.estimate, {})[row.tokenizer] = dataclasses.asdict(row)
    return found


def _print(errors: list[Errors], *, sources: int) -> None:
    print(f"{errors[0].stretches} stretches of {sources} sources, each estimated by a fit without its source")
    print("| estimate | tokenizer | mean error | p95 | bias | bound/true | undercounted | sources alike | worst |")
    print("|---|---|---|---|---|---|---|---|---|")
    for row in errors:
        print(
            f"| {row.estimate} | {row.tokenizer} | {row.mean_error:.1%} | {row.p95_error:.1%} | {row.bias:+.1%} "
            f"| {row.bound_over_true:.2f} | {row.undercounted:.2%} | {row.undercounted_by_source:.2%} "
            f"| {', '.join(row.worst_sources)} |"
        )


if __name__ == "__main__":
    main()
