"""What our retrieval gains over naive retrieval, part by part, on gold sets; and whom it harms.

    python -m benchmarks.quality.uplift GOLD... [--indexes FOLDER] [--only VARIANT ...]

GOLD are folders of gold sets in BEIR form; an index of each is made in FOLDER where there is none. Printed as one JSON
object: for each set the nDCG@10 of naive retrieval, of BM25 whose two parameters are tuned on these very questions, of
each of our legs alone and of each variant (see ``variants.py``), the uplift over naive retrieval with its 95 % interval
from 10,000 bootstrap samples of questions, and the share of questions harmed, that lose more than .05; over the sets,
the mean uplift, the share harmed, and how far the worst set lies above the better of tuned BM25 and naive retrieval.
``shuffled`` is the default's score with the judgements of another question: what chance alone would show.
``milliseconds`` are the median of a search, ``of_default`` each variant's over the default's in the same run.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.corpus import read_documents
from benchmarks.quality.naive import bm25_runs, naive_run
from benchmarks.quality.variants import CHANGES, MODES, variant
from rag_engine import Engine, load_settings
from rag_engine.assembly import Assembly
from rag_engine.evaluation import GoldSet, best_chunk_per_document, read_gold_set, score_run
from rag_engine.evaluation.significance import bootstrap_interval, randomisation_p_value
from rag_engine.protocols import Retriever
from rag_engine.types.retrieval import Query, SearchMode

INDEXES = Path(__file__).parents[1] / "results" / "indexes"
MEASURE = "nDCG@10"
CHUNKS = 100
HARMED = 0.05
SEED = 1
RESAMPLES = 10_000

Scores = Mapping[str, float]


def main() -> None:
    """Prints the figures of all sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", type=Path, nargs="+")
    parser.add_argument("--indexes", type=Path, default=INDEXES)
    parser.add_argument("--only", nargs="*", default=list(MODES), choices=list(MODES), help="variants; all by default")
    arguments = parser.parse_args()
    names = list(dict.fromkeys(["default", *arguments.only]))
    sets, scores = {}, {}
    for folder in arguments.gold:
        gold = read_gold_set(folder)
        sets[gold.name], scores[gold.name] = _of_set(gold, arguments.indexes / f"gold-{gold.name}", names)
        print(json.dumps({gold.name: sets[gold.name]}), file=sys.stderr, flush=True)
    print(json.dumps({"sets": sets, **_over_all(sets, scores)}))


def _of_set(gold: GoldSet, index: Path, names: Sequence[str]) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    assert gold.corpus is not None, "the gold set has no corpus"
    questions = {question.id: question.text for question in gold.questions if question.id in gold.qrels}
    documents = read_documents(gold.corpus)
    with Engine.open(index, settings=load_settings()) as engine:
        engine.ingest(gold.corpus)
    assembly = Assembly(index, settings=load_settings(), create=False)
    naive = _scored(gold, naive_run(documents, questions, embedder=assembly.embedder))
    assembly.close()
    tuned = max(statistics.mean(_scored(gold, run).values()) for run in bm25_runs(documents, questions))
    by_variant, milliseconds = {"naive": naive}, {}
    for name in names:
        with variant(name, index) as retriever:
            run, milliseconds[name] = _searched(retriever, questions, MODES[name])
        by_variant[name] = _scored(gold, run)
        if name == "default":
            shuffled = _scored(gold, _exchanged(run))
    figures = {
        "questions": len(questions),
        "naive": _rounded(statistics.mean(naive.values())),
        "tuned_bm25": _rounded(tuned),
        "shuffled": _rounded(statistics.mean(shuffled.values())),
        "variants": {name: _against(naive, by_variant[name]) for name in names},
        "parts": {
            name: _part(by_variant[name], by_variant["default"], milliseconds[name] / milliseconds["default"])
            for name in names
            if name in CHANGES and name != "default"
        },
        "milliseconds": _rounded(milliseconds["default"]),
    }
    return figures, by_variant


def _searched(
    retriever: Retriever, questions: Mapping[str, str], mode: SearchMode
) -> tuple[dict[str, list[tuple[str, float]]], float]:
    run, seconds = {}, []
    for identifier, text in questions.items():
        started = time.perf_counter()
        passages = retriever.retrieve(Query(text, k=CHUNKS, mode=mode))
        seconds.append(time.perf_counter() - started)
        run[identifier] = list(best_chunk_per_document(passages))
    return run, 1000 * statistics.median(seconds)


def _scored(gold: GoldSet, run: Mapping[str, list[tuple[str, float]]]) -> dict[str, float]:
    return {query: values[MEASURE] for query, values in score_run(gold.qrels, run, [MEASURE]).per_query.items()}


def _exchanged(run: Mapping[str, list[tuple[str, float]]]) -> dict[str, list[tuple[str, float]]]:
    """Each question with the ranking of another one."""
    order = list(run)
    random.Random(SEED).shuffle(order)
    return {question: run[other] for question, other in zip(order, [*order[1:], order[0]], strict=True)}


def _against(naive: Scores, ours: Scores) -> dict[str, Any]:
    differences = [ours[query] - naive[query] for query in naive]
    return {
        MEASURE: _rounded(statistics.mean(ours.values())),
        "uplift": _rounded(statistics.mean(ours.values()) / statistics.mean(naive.values()) - 1),
        "interval": [_rounded(edge) for edge in _uplift_interval(naive, ours)],
        "p_value": _rounded(randomisation_p_value(np.array(differences))),
        "harmed": _rounded(_share(difference < -HARMED for difference in differences)),
        "helped": _rounded(_share(difference > HARMED for difference in differences)),
    }


def _part(without: Scores, default: Scores, time_share: float) -> dict[str, Any]:
    """What the default has from a part: its gain over the variant without it, and the variant's share of its time."""
    differences = np.array([default[query] - without[query] for query in default])
    return {
        "gain": _rounded(float(differences.mean())),
        "interval": [_rounded(edge) for edge in bootstrap_interval(differences)],
        "p_value": _rounded(randomisation_p_value(differences)),
        "harmed": _rounded(_share(differences < -HARMED)),
        "of_default": _rounded(time_share),
    }


def _uplift_interval(naive: Scores, ours: Scores) -> tuple[float, float]:
    pairs = np.array([(naive[query], ours[query]) for query in naive])
    drawn = np.random.default_rng(SEED).integers(0, len(pairs), size=(RESAMPLES, len(pairs)))
    means = pairs[drawn].mean(axis=1)
    low, high = np.percentile(means[:, 1] / means[:, 0] - 1, [2.5, 97.5])
    return float(low), float(high)


def _over_all(sets: Mapping[str, Any], scores: Mapping[str, Mapping[str, Scores]]) -> dict[str, Any]:
    """Means over sets, each counting the same; ``margin`` is the default's over the better of two, on the worst set."""
    defaults = [figures["variants"]["default"] for figures in sets.values()]
    harmed = [
        by_variant["default"][query] - naive < -HARMED
        for by_variant in scores.values()
        for query, naive in by_variant["naive"].items()
    ]
    margins = {
        name: _rounded(figures["variants"]["default"][MEASURE] - max(figures["naive"], figures["tuned_bm25"]))
        for name, figures in sets.items()
    }
    return {
        "mean_uplift": _rounded(statistics.mean(figures["uplift"] for figures in defaults)),
        "harmed": _rounded(_share(harmed)),
        "margins": margins,
        "margin": min(margins.values()),
    }


def _share(flags: Any) -> float:
    listed = [bool(flag) for flag in flags]
    return sum(listed) / len(listed)


def _rounded(value: float) -> float:
    return round(value, 4)


if __name__ == "__main__":
    main()
