"""How often ``rag eval --fail-if-worse`` fails by chance, and how often it finds a loss of its stated smallest effect.

    python -m benchmarks.quality.gate false-alarms [--runs 1000] [--queries 300] [--gold GOLD --run RUN]
    python -m benchmarks.quality.gate power        [the same options]

Systems are simulated by disturbing rankings, so that the measures of a query hang together as they do in truth, and
many are 0 or 1. The rankings are those of a TREC run on a gold set (``--gold`` and ``--run``), or drawn: one relevant
document a query, whose logarithm of rank is normal, so that nearly half stand first and one in a hundred is not among
100. A simulated run draws its queries from these with replacement, and two systems disturb each ranking anew.

``false-alarms``: the two are equally good, and answer equally well (drawn: a fourth of the questions is unanswerable,
chances of a right answer lie mostly near 0 or 1); ``false_alarms`` is the share of runs in which the gate fails, that
is, any of the seven measures is significantly worse; beside it stands the share by measure.

``power``: from two equally good systems the gate states a measure's smallest effect; the second system is then made
worse by as much in truth, by pushing relevant documents down everywhere (``pushed``) or by losing them in some queries
(``lost``), and the share of runs in which the gate fails is counted. ``power`` is the least over measures and both
ways; ``by`` holds each, beside the share in which that very measure is told to be worse, the mean of the stated
effects, and the share of runs without a statement, or with one that the harm cannot reach.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag_engine.evaluation import read_gold_set, read_run
from rag_engine.evaluation.comparison import ANSWER_FAMILY, RETRIEVAL_FAMILY
from rag_engine.evaluation.significance import LEVEL, holm, randomisation_p_values, smallest_effect

Array = NDArray[np.float64]
SEED = 20_261_123
DEPTH = 100
POPULATION = 2_000
# Standard deviation of the disturbance of a document's logarithm of rank.
NOISE = 0.35
# How often a system misses all relevant documents of a query that others find.
MISSED = 0.03
# How many rankings tell what a harm does to the means in truth.
TRUTH_DRAWS = 5_000
HARMS = {"pushed": np.linspace(0.0, 3.0, 31), "lost": np.linspace(0.0, 0.95, 39)}


@dataclass(frozen=True)
class Population:
    """Rankings to draw queries from: ``gains`` (queries, 100) by rank, all ``judged`` gains best first (queries, n)."""

    gains: Array
    judged: Array

    def measure(self, queries: NDArray[np.int64], gains: Array) -> Array:
        """nDCG@10, R@100 and RR@10 of rankings of these queries; shape (queries, 3)."""
        discount = 1 / np.log2(np.arange(2, 12))
        judged = self.judged[queries]
        ideal = (judged[:, :10] * discount[: judged.shape[1]]).sum(axis=1)
        found = gains[:, :10] > 0
        first = np.where(found.any(axis=1), 1 / (found.argmax(axis=1) + 1), 0.0)
        recall = (gains > 0).sum(axis=1) / (judged > 0).sum(axis=1)
        return np.column_stack([(gains[:, :10] * discount).sum(axis=1) / ideal, recall, first])


def drawn_population(generator: np.random.Generator) -> Population:
    """One relevant document a query."""
    ranks = np.ceil(np.exp(generator.normal(0.2, 1.9, size=POPULATION))).clip(1)
    gains = np.zeros((POPULATION, DEPTH))
    found = ranks <= DEPTH
    gains[np.flatnonzero(found), ranks[found].astype(int) - 1] = 1.0
    return Population(gains, np.ones((POPULATION, 1)))


def run_population(gold: Path, run_file: Path) -> Population:
    """The rankings of a run file on a gold set, of the queries that have a relevant document."""
    qrels, run = read_gold_set(gold).qrels, read_run(run_file)
    queries = [query for query, grades in qrels.items() if max(grades.values()) >= 1]
    gains = np.zeros((len(queries), DEPTH))
    judged = np.zeros((len(queries), max(10, *(len(qrels[query]) for query in queries))))
    for row, query in enumerate(queries):
        for rank, (document, _) in enumerate(run.get(query, ())[:DEPTH]):
            gains[row, rank] = max(0, qrels[query].get(document, 0))
        grades = sorted((max(0, grade) for grade in qrels[query].values()), reverse=True)
        judged[row, : len(grades)] = grades
    return Population(gains, judged)


def disturbed(gains: Array, generator: np.random.Generator, *, pushed: float = 0.0, lost: float = 0.0) -> Array:
    """The rankings as another system has them: half of the queries disturbed, few missed, and harmed as asked."""
    rows, depth = gains.shape
    places = np.broadcast_to(np.log(np.arange(1, depth + 1)), gains.shape)
    stirred = generator.random((rows, 1)) < 0.5
    places = places + NOISE * generator.normal(size=gains.shape) * stirred + pushed * (gains > 0)
    order = np.argsort(places, axis=1, kind="stable")
    result: Array = np.take_along_axis(gains, order, axis=1)
    # Pushed beyond the last rank is out of the ranking.
    result[np.take_along_axis(places, order, axis=1) > np.log(depth) + 3 * NOISE] = 0.0
    result[generator.random(rows) < MISSED + lost] = 0.0
    return result


def verdicts(differences: Array) -> NDArray[np.bool_]:
    """Which measures the gate tells to be worse; differences (runs, queries, measures), verdicts (runs, measures)."""
    runs, queries, measures = differences.shape
    columns = differences.transpose(1, 0, 2).reshape(queries, runs * measures)
    p_values = randomisation_p_values(columns).reshape(runs, measures)
    adjusted = np.array([holm(list(row)) for row in p_values])
    worse: NDArray[np.bool_] = (adjusted < LEVEL) & (differences.mean(axis=1) < 0)
    return worse


class Simulation:
    """Draws pairs of systems over queries of a population."""

    def __init__(self, population: Population, *, queries: int, seed: int = SEED) -> None:
        self.population = population
        self.queries = queries
        self.generator = np.random.default_rng(seed)

    def differences(self, *, pushed: float = 0.0, lost: float = 0.0) -> Array:
        """The second system less the first, which is not harmed; shape (queries, measures)."""
        drawn = self.generator.integers(0, len(self.population.gains), size=self.queries)
        gains = self.population.gains[drawn]
        first = self.population.measure(drawn, disturbed(gains, self.generator))
        harmed = disturbed(gains, self.generator, pushed=pushed, lost=lost)
        return self.population.measure(drawn, harmed) - first

    def true_losses(self, way: str) -> Array:
        """The losses in the mean that the harms of a way come to, over many draws; shape (harms, measures)."""
        drawn = self.generator.integers(0, len(self.population.gains), size=TRUTH_DRAWS)
        gains = self.population.gains[drawn]
        means = []
        for harm in HARMS[way]:
            # The same disturbance for every harm, so that what differs between them is the harm alone.
            harmed = disturbed(gains, np.random.default_rng(SEED), **{way: float(harm)})
            means.append(self.population.measure(drawn, harmed).mean(axis=0))
        losses: Array = means[0] - np.array(means)
        return losses


def answers(answerable: NDArray[np.bool_], chance: Array, generator: np.random.Generator) -> Array:
    """The answer measures of a system that is right on each question by chance; 0 where one is not defined."""
    right = generator.random(len(chance)) < chance
    in_text = generator.random(len(chance)) < np.where(right, 0.9, 0.1)
    f1 = np.where(answerable, in_text * generator.uniform(0.1, 0.6, size=len(chance)), right)
    return np.column_stack([f1, in_text & answerable, right & answerable, right & ~answerable])


def answer_differences(queries: int, generator: np.random.Generator) -> Array:
    """Between two systems that answer equally well; shape (queries, answer measures)."""
    answerable, chance = generator.random(queries) < 0.75, generator.beta(0.6, 0.4, size=queries)
    return answers(answerable, chance, generator) - answers(answerable, chance, generator)


def false_alarms(simulation: Simulation, runs: int) -> dict[str, float]:
    """How often the gate fails between two equally good systems, and how often each measure is told to be worse."""
    pairs = [
        np.hstack([simulation.differences(), answer_differences(simulation.queries, simulation.generator)])
        for _ in range(runs)
    ]
    worse = verdicts(np.array(pairs))
    shares = dict(zip((*RETRIEVAL_FAMILY, *ANSWER_FAMILY), worse.mean(axis=0).tolist(), strict=True))
    return {"false_alarms": float(worse.any(axis=1).mean()), **shares}


def power(simulation: Simulation, runs: int) -> dict[str, object]:
    """How often the gate finds a loss of the size that it states."""
    by: dict[str, dict[str, float]] = {}
    for way, harms in HARMS.items():
        losses = simulation.true_losses(way)
        for column, name in enumerate(RETRIEVAL_FAMILY):
            stated, differences, unreached = [], [], 0
            for _ in range(runs):
                effect = smallest_effect(simulation.differences()[:, column], measures=len(RETRIEVAL_FAMILY))
                # A set of queries that can show nothing, or a loss no harm of this way reaches, is no promise to keep.
                if effect is None or effect > losses[-1, column]:
                    unreached += 1
                    continue
                stated.append(effect)
                harm = float(np.interp(effect, losses[:, column], harms))
                differences.append(simulation.differences(**{way: harm}))
            if not differences:
                continue
            worse = verdicts(np.array(differences))
            by[f"{way} {name}"] = {
                "gate": float(worse.any(axis=1).mean()),
                "measure": float(worse[:, column].mean()),
                "smallest_effect": float(np.mean(stated)),
                "without_statement": unreached / runs,
            }
    return {"power": min((found["gate"] for found in by.values()), default=None), "by": by}


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["false-alarms", "power"])
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--gold", type=Path, help="gold set in BEIR or span form whose judgements score the run")
    parser.add_argument("--run", type=Path, help="TREC run file to disturb instead of drawn rankings")
    given = parser.parse_args(arguments)
    if (given.gold is None) != (given.run is None):
        parser.error("--gold and --run go together")
    if given.gold is None:
        population = drawn_population(np.random.default_rng(given.seed))
    else:
        population = run_population(given.gold, given.run)
    simulation = Simulation(population, queries=given.queries, seed=given.seed)
    found = (false_alarms if given.what == "false-alarms" else power)(simulation, given.runs)
    everything = np.arange(len(population.gains))
    means = population.measure(everything, population.gains).mean(axis=0)
    told = {"runs": given.runs, "queries": given.queries, "means": dict(zip(RETRIEVAL_FAMILY, means, strict=True))}
    print(json.dumps({**told, **found}))


if __name__ == "__main__":
    main()
