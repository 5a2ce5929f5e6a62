"""Which questions lost, and the reasons that are told."""

from rag_engine.evaluation import Side, find_losses, gold_ranks
from tests.unit.evaluation.comparing import gold_set, judged_set, question, values


def ranking(*documents: str) -> list[tuple[str, float]]:
    return [(document, 1.0 - number / 10) for number, document in enumerate(documents)]


def losses(gold, before_run, now_run, before, now, *, before_scores=None, now_scores=None, depth=4, most=20):
    return find_losses(
        gold,
        before=Side(before, before_scores or {}, gold_ranks(gold.qrels, before_run, depth=depth)),
        now=Side(now, now_scores or {}, gold_ranks(gold.qrels, now_run, depth=depth)),
        run=now_run,
        depth=depth,
        most=most,
    )


def test_a_document_that_fell_is_told_with_its_ranks_and_what_stands_above_it():
    before, now = {"q0": ranking("d0", "a")}, {"q0": ranking("a", "b", "d0")}
    (found,) = losses(judged_set(1), before, now, {"nDCG@10": values(1.0)}, {"nDCG@10": values(0.5)})
    assert found.reasons == ("gold document d0 fell from 1 to 3; above it now: a, b",)
    assert (found.documents[0].before, found.documents[0].now, found.documents[0].above) == (1, 3, ("a", "b"))
    assert [(change.metric, change.before, change.now) for change in found.measures] == [("nDCG@10", 1.0, 0.5)]
    assert found.question == "What is q0?"


def test_a_document_that_is_gone_is_told_with_what_comes_first_now():
    before, now = {"q0": ranking("a", "d0")}, {"q0": ranking("a", "b", "c", "e", "d0")}
    (found,) = losses(judged_set(1), before, now, {"R@100": values(1.0)}, {"R@100": values(0.0)})
    assert found.reasons == ("gold document d0, 2 before, is no longer among 4; the first now: a, b, c",)
    (nothing,) = losses(judged_set(1), before, {}, {"R@100": values(1.0)}, {"R@100": values(0.0)})
    assert nothing.reasons == ("gold document d0, 2 before, is no longer among 4; nothing is found now",)


def test_documents_that_rose_or_stayed_and_those_that_are_not_relevant_are_no_reasons():
    gold = gold_set(question("q0", relevant={"x": 1, "y": 2, "z": 1, "no": 0}))
    before, now = {"q0": ranking("no", "y", "z", "x")}, {"q0": ranking("x", "z", "no", "y")}
    (found,) = losses(gold, before, now, {"nDCG@10": values(0.8)}, {"nDCG@10": values(0.7)})
    assert found.reasons == ("gold document y fell from 2 to 4; above it now: no",)


def test_questions_stand_by_their_largest_loss_and_no_more_are_told_than_asked_for():
    before = {"nDCG@10": values(1, 1, 1, 1), "R@100": values(1, 1, 1, 1)}
    now = {"nDCG@10": values(0.5, 1, 0.9, 1), "R@100": values(1, 0, 1, 1)}
    assert [found.query for found in losses(judged_set(4), {}, {}, before, now)] == ["q1", "q0", "q2"]
    assert [found.query for found in losses(judged_set(4), {}, {}, before, now, most=1)] == ["q1"]


def test_a_loss_that_is_rounding_is_none():
    assert losses(judged_set(1), {}, {}, {"f1": values(0.3)}, {"f1": values(0.1 + 0.2 - 1e-16)}) == ()


def test_an_answer_that_lost_says_what_it_no_longer_does():
    gold = gold_set(*(question(f"q{number}", answerable=True) for number in range(4)))
    before = {
        "f1": values(1, 1, 1, 0.5),
        "answer_in_text": values(1, 1, 1, 0),
        "answer_in_citation": values(1, 1, 1, 1),
    }
    now = {
        "f1": values(0, 0, 0, 0.25),
        "answer_in_text": values(0, 0, 0, 0),
        "answer_in_citation": values(0, 1, 0, 1),
    }
    scores = {key: {"abstained": 0.0} for key in now["f1"]}
    found = losses(gold, {}, {}, before, now, before_scores=scores, now_scores=scores | {"q0": {"abstained": 1.0}})
    assert {loss.query: loss.reasons for loss in found} == {
        "q0": ("now abstains",),
        "q1": ("the answer no longer contains a gold answer",),
        "q2": ("the cited characters no longer hold a gold span", "the answer no longer contains a gold answer"),
        "q3": ("the answer shares fewer words with a gold answer (F1 0.50, now 0.25)",),
    }


def test_an_unanswerable_question_that_is_answered_now_is_told():
    gold = gold_set(question("q0", answerable=False))
    before, now = ({"f1": values(v), "refusal_recall": values(v)} for v in (1, 0))
    (found,) = losses(gold, {}, {}, before, now)
    assert found.reasons == ("now answers, though nothing answers the question",)


def test_where_the_baseline_tells_no_ranks_that_is_said():
    (found,) = losses(judged_set(1), {}, {"q0": ranking("a", "d0")}, {"RR@10": values(1)}, {"RR@10": values(0.5)})
    assert found.reasons == ("RR@10 fell; the baseline does not tell why",)
