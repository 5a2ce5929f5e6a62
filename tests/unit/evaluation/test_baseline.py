"""Baselines: run files and stored evaluations of this gold set, and none of another."""

import json
from dataclasses import replace

import pytest

from rag_engine.errors import GoldSetError
from rag_engine.evaluation import GoldSpan, fingerprint, gold_ranks, read_baseline, score_run, write_run
from tests.unit.evaluation.comparing import gold_set, judged_set, question, report

KNOWN = {"d0", "d1", "d2", "x"}
RUN = {"q0": [("d0", 2.0), ("x", 1.0)], "q1": [("x", 2.0), ("d1", 1.0)], "q2": [("x", 1.0)]}


def stored(gold, **changes) -> str:
    per_query = score_run(gold.qrels, RUN).per_query
    made = report(per_query=per_query, fingerprint=fingerprint(gold), ranks=gold_ranks(gold.qrels, RUN, depth=100))
    return json.dumps(made.to_json() | {"gold": gold.name} | changes)


def read(path, gold, depth=100):
    return read_baseline(path, gold, known_documents=KNOWN, depth=depth)


def test_a_run_file_and_a_stored_evaluation_of_the_same_run_say_the_same(tmp_path):
    gold = judged_set()
    write_run(tmp_path / "a.run", RUN, tag="t")
    (tmp_path / "a.json").write_text(stored(gold), encoding="utf-8")
    run, evaluation = read(tmp_path / "a.run", gold), read(tmp_path / "a.json", gold)
    assert run.ranks == evaluation.ranks == {"q0": {"d0": 1}, "q1": {"d1": 2}, "q2": {}}
    for query, scores in run.per_query.items():
        assert scores == {name: evaluation.per_query[query][name] for name in ("nDCG@10", "R@100", "RR@10")}
    assert (run.name, evaluation.name) == ("a.run", "a.json")


def test_of_a_longer_run_file_only_as_many_documents_count_as_are_ranked_now(tmp_path):
    write_run(tmp_path / "a.run", RUN, tag="t")
    found = read(tmp_path / "a.run", judged_set(), depth=1)
    assert found.ranks["q1"] == {}
    assert found.per_query["q1"]["R@100"] == 0.0


def test_a_run_of_other_questions_is_refused_and_they_are_named(tmp_path):
    write_run(tmp_path / "a.run", {"z9": [("d0", 1.0)]}, tag="t")
    with pytest.raises(GoldSetError, match="z9"):
        read(tmp_path / "a.run", judged_set())


def test_a_run_with_the_same_question_ids_over_other_documents_is_refused(tmp_path):
    write_run(tmp_path / "a.run", {"q0": [("elsewhere", 1.0)]}, tag="t")
    with pytest.raises(GoldSetError, match="no document"):
        read(tmp_path / "a.run", judged_set())


def test_a_run_for_a_set_that_judges_nothing_is_refused(tmp_path):
    write_run(tmp_path / "a.run", {"q0": [("d0", 1.0)]}, tag="t")
    with pytest.raises(GoldSetError, match="judges no document"):
        read(tmp_path / "a.run", gold_set(question("q0", answerable=False)))


def test_an_evaluation_of_another_gold_set_is_refused_by_its_name(tmp_path):
    (tmp_path / "a.json").write_text(stored(judged_set(2, name="another")), encoding="utf-8")
    with pytest.raises(GoldSetError, match="is of the gold set another, not of small"):
        read(tmp_path / "a.json", judged_set())


def test_an_evaluation_made_before_the_gold_set_was_edited_is_refused(tmp_path):
    (tmp_path / "a.json").write_text(stored(judged_set(2)), encoding="utf-8")
    with pytest.raises(GoldSetError, match="before small changed"):
        read(tmp_path / "a.json", judged_set())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no JSON"),
        ('{"gold": "small"}', "no evaluation with values by question"),
        ('{"gold": "small", "metrics": {}, "queries": 3}', "no evaluation with values by question"),
        ("[" * 20_000, "columns"),
    ],
)
def test_what_is_neither_a_run_nor_an_evaluation_is_refused(tmp_path, text, says):
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    with pytest.raises(GoldSetError, match=says):
        read(tmp_path / "a.json", judged_set())


@pytest.mark.parametrize(
    "changes",
    [
        {"per_query": []},
        {"per_query": {"q0": 1}},
        {"per_query": {"q0": {"nDCG@10": "much"}}},
        {"per_query": {"q0": {"nDCG@10": True}}},
        {"per_query": {"q0": {"nDCG@10": float("nan")}}},
        {"ranks": {"q0": {"d0": 0}}},
        {"ranks": {"q0": {"d0": 1.5}}},
        {"ranks": None},
    ],
)
def test_an_evaluation_with_values_that_are_none_is_refused(tmp_path, changes):
    (tmp_path / "a.json").write_text(stored(judged_set(), **changes), encoding="utf-8")
    with pytest.raises(GoldSetError):
        read(tmp_path / "a.json", judged_set())


def test_a_baseline_that_is_not_there_is_named(tmp_path):
    with pytest.raises(GoldSetError, match=r"nothing\.json"):
        read(tmp_path / "nothing.json", judged_set())


def test_the_fingerprint_tells_every_edit_but_where_things_stand():
    gold = judged_set()
    turned = replace(gold, questions=tuple(reversed(gold.questions)))
    assert fingerprint(gold) == fingerprint(turned) == fingerprint(replace(gold, name="copy"))
    marked = (
        gold_set(question("q", spans=(GoldSpan("d", start, start + len(text), text),)))
        for start, text in ((0, "two words"), (7, "two\nwords"), (0, "two swords"))
    )
    here, moved, reworded = map(fingerprint, marked)
    assert here == moved != reworded
    first, *others = gold.questions
    edits = [
        {"id": "other"},
        {"text": "Why?"},
        {"relevant": {"d0": 2}},
        {"relevant": {"d0": 1, "x": 0}},
        {"answers": ("an answer",)},
        {"answerable": False},
    ]
    marks = {fingerprint(replace(gold, questions=(replace(first, **edit), *others))) for edit in edits}
    assert len(marks | {fingerprint(gold)}) == len(edits) + 1
