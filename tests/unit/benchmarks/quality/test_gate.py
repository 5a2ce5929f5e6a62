"""The simulation behind the gate's two promises."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality.gate import HARMS, Population, Simulation, drawn_population, main, run_population, verdicts
from rag_engine.evaluation import read_gold_set, read_run, score_run, write_run
from rag_engine.evaluation.comparison import RETRIEVAL_FAMILY


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.quality.gate.TRUTH_DRAWS", 600)


@pytest.fixture(scope="module")
def population() -> Population:
    return drawn_population(np.random.default_rng(1))


@pytest.fixture
def graded(tmp_path: Path) -> tuple[Path, Path]:
    """A gold set with grades and several relevant documents a question, and a run on it."""
    generator = np.random.default_rng(2)
    gold, run_file = tmp_path / "gold", tmp_path / "a.run"
    (gold / "qrels").mkdir(parents=True)
    documents = [f"d{number}" for number in range(150)]
    queries = [f"q{number}" for number in range(20)]
    lines = [json.dumps({"_id": query, "text": f"what of {query}"}) for query in queries]
    (gold / "queries.jsonl").write_text("\n".join(lines), encoding="utf-8")
    judgements = [
        f"{query}\t{document}\t{grade}"
        for query in queries
        for document in generator.choice(documents, size=14, replace=False)
        for grade in [1 if document == documents[0] else generator.integers(0, 3)]
    ]
    judgements += [f"{query}\textra\t1" for query in queries]
    (gold / "qrels" / "test.tsv").write_text("\n".join(judgements), encoding="utf-8")
    run = {
        query: [(str(document), float(-rank)) for rank, document in enumerate(generator.permutation(documents)[:120])]
        for query in queries[:-1]
    }
    write_run(run_file, run, tag="t")
    return gold, run_file


def test_the_simulated_measures_are_those_of_the_engine(graded: tuple[Path, Path]) -> None:
    gold, run_file = graded
    population = run_population(gold, run_file)
    everything = np.arange(len(population.gains))
    ours = population.measure(everything, population.gains)
    run = {query: ranking[:100] for query, ranking in read_run(run_file).items()}
    theirs = score_run(read_gold_set(gold).qrels, run, RETRIEVAL_FAMILY).per_query
    assert ours == pytest.approx(np.array([list(scores.values()) for scores in theirs.values()]))


def test_two_systems_that_are_not_harmed_are_equally_good_and_harm_makes_worse(population: Population) -> None:
    simulation = Simulation(population, queries=4_000)
    assert np.abs(simulation.differences().mean(axis=0)).max() < 0.02
    for way in HARMS:
        losses = simulation.true_losses(way)
        assert (np.diff(losses, axis=0) > -0.005).all()
        assert losses[0] == pytest.approx([0, 0, 0])
        assert losses[-1].min() > 0.05


def test_the_gate_seldom_fails_between_equals_and_mostly_where_much_is_lost(population: Population) -> None:
    simulation = Simulation(population, queries=100)
    equal = verdicts(np.array([simulation.differences() for _ in range(200)]))
    assert equal.any(axis=1).mean() < 0.05
    harmed = verdicts(np.array([simulation.differences(lost=0.25) for _ in range(50)]))
    assert harmed.any(axis=1).mean() > 0.9


def test_the_command_prints_its_figures(graded: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    gold, run_file = graded
    main(["false-alarms", "--runs", "20", "--queries", "20", "--gold", str(gold), "--run", str(run_file)])
    found = json.loads(capsys.readouterr().out)
    assert 0.0 <= found["false_alarms"] <= 0.3
    assert set(found["means"]) == set(RETRIEVAL_FAMILY)
    main(["power", "--runs", "5", "--queries", "60"])
    found = json.loads(capsys.readouterr().out)
    assert found["power"] > 0.3
    assert {"gate", "measure", "smallest_effect", "without_statement"} == set(found["by"]["lost nDCG@10"])
