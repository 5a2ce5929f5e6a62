"""Cuts the documents of gold sets with one chunker after another, and measures what is found in them.

    python -m benchmarks.chunking ../shared/spans/chroma [SET...] [--chunkers NAME...] [--modes dense hybrid]

The protocol is that of Chroma's evaluation (Smith and Troynikov, "Evaluating Chunking Strategies for Retrieval", 2024):
all documents of a set in one index, ``--n`` chunks for each question; questions without spans are left out. Prints one
JSON object; ``--plot`` draws recall against the tokens read, for the first set.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.chunking.comparison import compare
from benchmarks.chunking.contenders import DEFAULT, check
from benchmarks.chunking.plot import Line, draw
from benchmarks.chunking.remembering import RememberingEmbedder
from benchmarks.chunking.span_set import read_span_set
from rag_engine.embedding import DEFAULT_MODEL, default_cache, find_model, open_embedder
from rag_engine.errors import RagEngineError
from rag_engine.types.retrieval import SearchMode


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0: measured; 2: wrong usage."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.plot and not (options.curve and options.plot.parent.is_dir()):
        parser.error("--plot needs a curve and a folder that is there")  # now, and not after an hour
    modes = list(dict.fromkeys(map(SearchMode, options.modes)))
    try:
        names = [check(name) for name in dict.fromkeys(options.chunkers)]
        sets = [read_span_set(folder) for folder in options.sets]
        embedder = RememberingEmbedder(
            open_embedder(find_model(DEFAULT_MODEL), runtime="auto", cache=default_cache(), batch_size=32)
        )
        measured: dict[str, Any] = {}
        for gold in sets:
            rows = {}
            for name in names:
                print(f"{gold.name}, {name} ...", file=sys.stderr, flush=True)
                rows[name] = compare(name, gold, embedder, modes, few=options.n, most=options.curve)
            measured[gold.name] = {
                "documents": len(gold.documents),
                "questions": len(gold.questions),
                "megabytes": round(gold.megabytes, 3),
                "chunkers": rows,
            }
    except RagEngineError as error:
        print(error.public_message, file=sys.stderr)
        return 2
    identity = embedder.identity
    print(
        json.dumps(
            {
                "model": identity.model,
                "runtime": identity.runtime,
                "window_tokens": identity.max_tokens,
                "n": options.n,
                "sets": measured,
            }
        )
    )
    if options.plot:
        options.plot.write_text(draw(_panels(sets[0].name, measured[sets[0].name])), encoding="utf-8")
    return 0


def _panels(name: str, measured: dict[str, Any]) -> dict[str, list[Line]]:
    """A panel for each mode, a line for each chunker."""
    panels: dict[str, list[Line]] = {}
    for chunker, row in measured["chunkers"].items():
        for mode, figures in row["modes"].items():
            points = [(point["read_tokens"], point["recall"]) for point in figures["curve"]]
            panels.setdefault(f"{name}, {mode}", []).append(Line(chunker, points))
    return panels


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.chunking", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", type=Path, nargs="+", metavar="SET", help="folder of a gold set in span form")
    parser.add_argument("--chunkers", nargs="+", default=DEFAULT, metavar="NAME", help="default: all that are compared")
    parser.add_argument(
        "--modes", nargs="+", default=["dense", "hybrid"], choices=[mode.value for mode in SearchMode], metavar="MODE"
    )
    parser.add_argument("--n", type=_count(1), default=5, help="chunks for each question (5)")
    parser.add_argument(
        "--curve", type=_count(0), default=30, metavar="N", help="most chunks on the curve (30); 0: no curve"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draws the curves of the first set")
    return parser


def _count(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text} is no number from {least}")
        return int(text)

    return read


if __name__ == "__main__":
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    sys.exit(main())
