"""Questions are repaired where the corpus says how, and left alone everywhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.query_optimizer import repair
from rag_engine.types.repair import RepairReason
from tests.unit.query_optimizer.corpus_words import CorpusWords

ROOT = Path(__file__).parents[3]
PASSED_OVER = ("the", "of", "in", "is", "a", "for", "what", "how")
WORDS = CorpusWords(
    {
        "heat": 40, "conduction": 30, "conducted": 9, "composite": 25, "slabs": 8, "management": 50, "government": 20,
        "für": 60, "brücke": 12, "fur": 1, "Paris": 9, "thermal": 31, "properties": 44, "cultured": 70, "measured": 80,
        "привет": 3, "мир": 5, "hello": 6, "world": 8, "receive": 30, "body": 9, "mass": 8, "index": 7, "Shirley": 4,
        "boundary": 12, "layer": 40, "temperature": 60, "distribution": 33,
    },
    definitions={("BMI", "body mass index"): 4, ("CI", "confidence interval"): 3, ("CI", "cardiac index"): 3},
    passed_over=PASSED_OVER,
)  # fmt: skip


def mended(question: str) -> str:
    return repair(question, WORDS).text


@pytest.mark.parametrize(
    ("asked", "meant", "reason"),
    [
        ("heat conducton in slabs", "heat conduction in slabs", RepairReason.SPELLING),
        ("thremal properties", "thermal properties", RepairReason.SPELLING),
        ("Temperrature distribution", "Temperature distribution", RepairReason.SPELLING),
        ("TEMPERTURE DISTRIBUTION", "TEMPERATURE DISTRIBUTION", RepairReason.SPELLING),
        ("heat conduc tion", "heat conduction", RepairReason.TORN_APART),
        ("boundarylayer temperature", "boundary layer temperature", RepairReason.RUN_TOGETHER),
        ("risk mgmt", "risk management", RepairReason.SHORTENED),
        ("tmprtr of the layer", "temperature of the layer", RepairReason.SHORTENED),
        ("die Bruecke", "die Brücke", RepairReason.DIACRITICS),
        ("fur body", "für body", RepairReason.DIACRITICS),
        ("ghbdtn vbh", "привет мир", RepairReason.KEYBOARD_LAYOUT),
        ("руддщ цщкдв", "hello world", RepairReason.KEYBOARD_LAYOUT),
    ],
)
def test_a_question_is_repaired_with_words_of_the_corpus(asked: str, meant: str, reason: RepairReason) -> None:
    outcome = repair(asked, WORDS)
    assert outcome.text == meant
    assert {change.reason for change in outcome.changes} == {reason}
    assert all(0.5 <= change.confidence <= 1 for change in outcome.changes)


@pytest.mark.parametrize(
    "question",
    [
        "heat conduction in composite slabs",  # known
        "conduc_ton of heat",  # an identifier
        "theramlProperties of heat",
        "heat conducton2 in slabs",
        '"thremal properties" of slabs',  # quoted
        "`thremal` properties",
        "see thremal.properties for heat",
        "thremal@properties.example heat",
        "uncultured layer",  # not cultured misspelt
        "heat of xylophone",  # unknown and near nothing
        "the hat of",  # short words are near many
        "THRML heat layer",  # an acronym
        "热传导 导热",  # no spaces between words
        "qui legit hunc librum temperturi",  # in another language
        "",
        "?!",
        "'; drop table slabs; --",
    ],
)
def test_a_question_is_left_alone(question: str) -> None:
    assert repair(question, WORDS).changes == ()


def test_a_name_needs_more_than_a_common_word() -> None:
    assert mended("heat of sihrley") == "heat of Shirley"
    assert mended("heat of Shirlyn") == "heat of Shirlyn"


def test_a_word_of_the_language_is_left_alone_though_the_corpus_lacks_it() -> None:
    assert repair("mars index", CorpusWords({"marsh": 900, "index": 9})).text != "mars index"
    assert repair("mars index", CorpusWords({"marsh": 900, "index": 9}), is_genuine={"mars"}.__contains__).changes == ()


def test_a_short_form_is_asked_for_with_its_long_form_and_the_other_way_round() -> None:
    (long,) = repair("BMI of patients", WORDS).additions
    assert (long.text, long.reason, "BMI of patients"[long.start : long.end]) == (
        "body mass index", RepairReason.LONG_FORM, "BMI",
    )  # fmt: skip
    (short,) = repair("what is Body Mass index?", WORDS).additions
    assert (short.text, short.reason) == ("BMI", RepairReason.SHORT_FORM)
    assert 0 < short.weight < 1
    assert repair("BMI or body mass index", WORDS).additions == ()
    assert repair("CI of patients", WORDS).additions == ()  # defined in two ways


def test_changes_can_be_taken_back_one_by_one() -> None:
    outcome = repair("heat conducton of thremal slabs", WORDS)
    first, second = outcome.changes
    assert outcome.without([first]).text == "heat conducton of thermal slabs"
    assert outcome.without([second]).text == "heat conduction of thremal slabs"
    assert outcome.without(outcome.changes).text == outcome.original


def test_a_long_text_costs_no_more_than_a_long_question() -> None:
    words = CorpusWords({"heat": 4}, passed_over=PASSED_OVER)
    repair(" ".join(f"word{chr(97 + n % 26) * (n % 9)}" for n in range(20_000)), words)
    assert words.asked < 3_000


def test_most_misspellings_of_people_are_mended_among_the_words_they_mean() -> None:
    lines = (ROOT / "benchmarks" / "quality" / "misspellings.tsv").read_text(encoding="utf-8").splitlines()
    pairs = [tuple(line.lower().split("\t")) for line in lines]
    words = CorpusWords({meant: 20 for _, meant in pairs} | {"about": 900, "questions": 40})
    outcomes = [repair(f"questions about {wrong}", words).text.removeprefix("questions about ") for wrong, _ in pairs]
    right = sum(outcome == meant for outcome, (_, meant) in zip(outcomes, pairs, strict=True))
    another = sum(outcome not in pair for outcome, pair in zip(outcomes, pairs, strict=True))
    assert right >= 0.8 * len(pairs)
    assert another <= 0.02 * len(pairs)


PIECES = st.sampled_from(
    ["heat", "conducton", "conduc", "tion", "thremal", "mgmt", "fur", "ghbdtn", "Shirly", "boundarylayer", "BMI", "the",
     "body", "mass", "index", '"', ",", "-", "x_1", "prop", "erties", "erteis", "iss", "a", "руддщ", "brucke", "'s"]
)  # fmt: skip
QUESTIONS = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=10).map(" ".join), st.lists(PIECES).map("".join))


@given(QUESTIONS)
def test_a_repair_never_fails_touches_only_what_it_says_and_can_be_taken_back(question: str) -> None:
    outcome = repair(question, WORDS)
    end, parts = 0, []
    for change in outcome.changes:
        assert end <= change.start < change.end <= len(question)
        assert question[change.start : change.end] == change.before != change.after
        parts += [question[end : change.start], change.after]
        end = change.end
    assert "".join([*parts, question[end:]]) == outcome.text
    assert outcome.without(outcome.changes).text == question
    for addition in outcome.additions:
        assert 0 <= addition.start < addition.end <= len(question)


@given(QUESTIONS)
def test_a_second_repair_changes_nothing_more(question: str) -> None:
    once = mended(question)
    assert mended(once) == once
