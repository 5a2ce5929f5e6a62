from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.evaluation.question_forms import QuestionKind, SentenceQuestion, is_english, sentence_questions
from rag_engine.evaluation.question_making import MadeQuestion, Withheld, make_questions, mentions
from rag_engine.types.document import Block, BlockKind, Document


def split(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\S[^.。]*[.。]?", text)]


def made_of(sentence: str) -> dict[QuestionKind, SentenceQuestion]:
    found = sentence_questions(sentence, rarity=lambda word: float(len(word)), random=random.Random(1))
    assert len({question.kind for question in found}) == len(found)
    return {question.kind: question for question in found}


@pytest.mark.parametrize(
    ("kind", "sentence", "question", "answer"),
    [
        (
            QuestionKind.DEFINITION,
            "A turbine is a rotary machine that takes energy from a flow of water.",
            "what is a turbine",
            "a rotary machine that takes energy from a flow of water.",
        ),
        (
            QuestionKind.TIME,
            "The harbour bridge was opened to the traffic of the city in 1932.",
            "when was the harbour bridge opened to the traffic of the city",
            "1932",
        ),
        (
            QuestionKind.NUMBER,
            "The library has 1,200 manuscripts in the vault of the east wing.",
            "how many manuscripts has the library in the vault of the east wing",
            "1,200",
        ),
        (
            QuestionKind.NAME,
            "Ada Lovelace published the first program for the analytical engine.",
            "who published the first program for the analytical engine",
            "Ada Lovelace",
        ),
        (
            QuestionKind.NAME,
            "The steam museum was founded by Amelia Brandt in the spring of the year.",
            "who founded the steam museum",
            "Amelia Brandt",
        ),
        (
            QuestionKind.REASON,
            "The evening ferry to Ghent was cancelled because the wind was too strong for the harbour.",
            "why was the evening ferry to Ghent cancelled",
            "because the wind was too strong for the harbour.",
        ),
    ],
)
def test_a_sentence_is_turned_into_the_question_that_it_answers(
    kind: QuestionKind, sentence: str, question: str, answer: str
) -> None:
    made = made_of(sentence)[kind]
    assert made.text == question
    assert sentence[made.start : made.end] == answer


def test_a_question_of_too_few_words_that_say_something_is_not_asked() -> None:
    assert QuestionKind.REASON not in made_of("The ferry was late because the wind was too strong for the harbour.")


def test_nothing_is_asked_with_a_question_word_about_a_subject_that_another_sentence_names() -> None:
    kinds = set(made_of("It was opened to the traffic of the whole northern district in 1932."))
    assert kinds <= {QuestionKind.KEYWORDS, QuestionKind.FRAGMENT}


def test_a_script_without_spaces_gives_a_part_of_its_sentence() -> None:
    sentence = "黑豹队的防守只丢了三百零八分在联赛中排名第六。"
    made = made_of(sentence)
    assert set(made) == {QuestionKind.FRAGMENT}
    assert made[QuestionKind.FRAGMENT].text in sentence


def test_english_is_told_by_its_small_words() -> None:
    assert is_english("The bridge over the river was closed in the winter")
    assert not is_english("Der Vertrag kann mit einer Frist von drei Monaten gekündigt werden")


@given(st.text(max_size=300))
def test_any_text_gives_questions_whose_answers_lie_within_it(text: str) -> None:
    for question in sentence_questions(text, rarity=lambda word: float(len(word)), random=random.Random(0)):
        assert question.text.strip()
        assert 0 <= question.start < question.end <= len(text)


PLACES = ("Riga", "Porto", "Lyon", "Gdansk", "Turku", "Bergen", "Ghent", "Malaga")
THINGS = ("turbine", "harbour", "library", "museum", "railway", "orchard", "cathedral", "brewery")


def corpus() -> list[Document]:
    return [
        Document(
            id=f"{place}.txt",
            title=place,
            text=f"The {thing} of Old {place} was opened to all visitors in 19{number}{number}. "
            f"Every {thing} near New {place} keeps {number + 2} guides for the long winter season. "
            f"Karl von {place} designed the roof of the {thing} with local craftsmen and apprentices.",
        )
        for number, (place, thing) in enumerate(zip(PLACES, THINGS, strict=True))
    ]


def questions(count: int = 40, seed: int = 3) -> list[MadeQuestion]:
    return make_questions(corpus(), count, split_sentences=split, seed=seed)


def test_the_same_seed_makes_the_same_questions_and_another_one_others() -> None:
    assert questions(seed=3) == questions(seed=3)
    assert questions(seed=3) != questions(seed=4)


def test_half_of_the_questions_are_answerable_and_each_is_asked_once() -> None:
    made = questions()
    assert len(made) == 40
    assert sum(question.answerable for question in made) == 20
    assert len({question.text.casefold() for question in made}) == 40
    assert {question.withheld for question in made} == set(Withheld)


def test_an_answer_lies_within_the_sentence_that_was_asked_about() -> None:
    texts = {document.id: document.text for document in corpus()}
    for question in questions():
        assert question.start <= question.answer_start < question.answer_end <= question.end
        assert question.end <= len(texts[question.document])


def test_a_swapped_question_names_something_of_another_document_in_place_of_its_own() -> None:
    texts = {document.id: document.text for document in corpus()}
    swapped = [question for question in questions() if question.withheld is Withheld.SUBJECT]
    assert swapped
    for question in swapped:
        own = texts[question.document].casefold()
        assert any(word not in own for word in question.text.casefold().split())


def test_a_heading_that_asks_is_asked() -> None:
    text = "How long may a parcel wait?\n\nA parcel waits ten days at the pickup point of the customer's choice."
    document = Document(id="a", text=text, blocks=(Block(BlockKind.HEADING, 0, 27, 1, "How long may a parcel wait?"),))
    made = make_questions([document], 10, split_sentences=lambda given: [(0, 27), (29, len(given))], seed=1)
    asked = {question.text: question for question in made}
    assert asked["How long may a parcel wait?"].kind is QuestionKind.HEADING
    assert asked["How long may a parcel wait?"].start == 29


def test_headings_tables_and_code_are_not_asked_about() -> None:
    text = "| the name of the thing | the price of the thing | the place of the thing |"
    table = Document(id="t", text=text, blocks=(Block(BlockKind.TABLE, 0, len(text)),))
    assert make_questions([table], 10, split_sentences=lambda given: [(0, len(given))], seed=1) == []
    assert make_questions([], 10, split_sentences=split, seed=1) == []


def test_of_a_long_document_a_part_is_read_and_its_questions_point_into_the_whole() -> None:
    sentences = [
        f"The lighthouse number {n} was painted by the keepers of the northern shore in 18{n:03}." for n in range(5000)
    ]
    document = Document(id="long", text=" ".join(sentences))
    for question in make_questions([document], 30, split_sentences=split, seed=2):
        assert document.text[question.start : question.end] in sentences


def test_a_near_copy_of_what_is_withheld_is_noticed() -> None:
    (question,) = [q for q in questions() if q.answerable][:1]
    text = {document.id: document.text for document in corpus()}[question.document]
    answer = text[question.answer_start : question.answer_end]
    assert mentions(text[question.start : question.end], question, answer)
    assert not mentions("Nothing of the kind is said here.", question, answer)
