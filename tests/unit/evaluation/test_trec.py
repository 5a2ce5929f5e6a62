"""TREC run files: what is written is read again, and other tools see the same order."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import EvaluationError, GoldSetError
from rag_engine.evaluation import read_run, score_run, write_run

IDENTIFIERS = st.text(min_size=1, max_size=8)
RANKINGS = st.lists(
    st.tuples(IDENTIFIERS, st.floats(-10, 10, width=32)), min_size=1, max_size=8, unique_by=lambda pair: pair[0]
)


@given(st.dictionaries(IDENTIFIERS, RANKINGS, min_size=1, max_size=4))
def test_every_id_and_the_order_survive_the_file(tmp_path_factory, run):
    file = tmp_path_factory.mktemp("run") / "a.run"
    write_run(file, run, "rag engine")
    read = read_run(file)
    assert {query: [document for document, _ in ranking] for query, ranking in read.items()} == {
        query: [document for document, _ in ranking] for query, ranking in run.items()
    }
    for ranking in read.values():
        scores = [score for _, score in ranking]
        assert all(earlier > later for earlier, later in pairwise(scores))


def test_lines_have_trecs_six_columns_with_ranks_from_one_and_scores_that_fall(tmp_path):
    write_run(tmp_path / "a.run", {"q1": [("my file.txt", 0.5), ("100%", 0.5), ("d3", 0.25)]}, "hybrid")
    assert (tmp_path / "a.run").read_text() == (
        "q1 Q0 my%20file.txt 1 0.5 hybrid\nq1 Q0 100%25 2 0.49999997 hybrid\nq1 Q0 d3 3 0.25 hybrid\n"
    )


def test_a_run_scores_the_same_before_and_after_the_file(tmp_path):
    run = {"q1": [("d2", 0.5), ("d1", 0.5), ("d3", 0.1)], "q2": [("d1", 3.0)]}
    qrels = {"q1": {"d1": 1}, "q2": {"d9": 1}}
    write_run(tmp_path / "a.run", run, "x")
    assert score_run(qrels, read_run(tmp_path / "a.run")) == score_run(qrels, run)


def test_another_tools_lines_are_ordered_by_score_then_rank(tmp_path):
    file = tmp_path / "other.run"
    file.write_text("q1\tQ0\td1\t2\t0.5\tt\nq1 Q0 d2 1 0.5 t\r\n\nq1 Q0 50%zz 9 7e-1 t\nq1 Q0 %E3 3 0.1 t")
    assert read_run(file) == {"q1": [("50%zz", 0.7), ("d2", 0.5), ("d1", 0.5), ("%E3", 0.1)]}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("q1 Q0 d2 1 0.5", "5 columns where a run file has 6"),
        ("q1 Q0 my file 1 0.5 t", "7 columns"),
        ("q1 Q0 d2 one 0.5 t", "the rank is no whole number or the score no number"),
        ("q1 Q0 d2 1 high t", "the rank is no whole number or the score no number"),
        ("q1 Q0 d2 1 nan t", "the score nan is not finite"),
        ("q1 Q0 d1 2 0.5 t", "ranks d1 for query q1 a second time"),
    ],
)
def test_a_malformed_line_is_refused_with_its_number(tmp_path, line, said):
    file = tmp_path / "bad.run"
    file.write_text(f"q1 Q0 d1 1 0.9 t\n{line}\n")
    with pytest.raises(GoldSetError, match=f"bad.run:2: {said}"):
        read_run(file)


def test_an_empty_or_missing_file_is_refused(tmp_path):
    (tmp_path / "empty.run").write_text("\n")
    with pytest.raises(GoldSetError, match="holds no result"):
        read_run(tmp_path / "empty.run")
    with pytest.raises(GoldSetError, match="cannot be read"):
        read_run(tmp_path / "none.run")


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf"), -1e300])
def test_a_score_that_a_run_file_cannot_hold_is_refused(tmp_path, score):
    with pytest.raises(EvaluationError, match="not finite"):
        write_run(tmp_path / "a.run", {"q1": [("d1", score)]}, "x")


def test_scores_too_large_for_single_precision_keep_their_order(tmp_path):
    write_run(tmp_path / "a.run", {"q1": [("d2", 1e300), ("d1", 1e299)]}, "x")
    assert [document for document, _ in read_run(tmp_path / "a.run")["q1"]] == ["d2", "d1"]


@pytest.mark.parametrize("run", [{"": [("d1", 1.0)]}, {"q1": [("", 1.0)]}])
def test_an_empty_id_is_refused(tmp_path, run):
    with pytest.raises(EvaluationError, match="empty id"):
        write_run(tmp_path / "a.run", run, "x")


def test_a_run_that_cannot_be_written_leaves_what_was_there_and_nothing_else(tmp_path):
    file = tmp_path / "a.run"
    write_run(file, {"q1": [("d1", 1.0)]}, "x")
    with pytest.raises(EvaluationError):
        write_run(file, {"q1": [("d1", float("nan"))]}, "x")
    assert [path.name for path in tmp_path.iterdir()] == ["a.run"]
    assert read_run(file) == {"q1": [("d1", 1.0)]}
    with pytest.raises(EvaluationError, match="cannot be written"):
        write_run(tmp_path / "none" / "a.run", {"q1": [("d1", 1.0)]}, "x")
