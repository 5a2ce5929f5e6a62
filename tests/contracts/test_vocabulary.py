"""What every vocabulary does: of words in memory, in one file, and in several."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag_engine.index.lexical import TantivyIndex
from rag_engine.index.vocabulary import CorpusVocabulary, WordIndex
from rag_engine.protocols import LexicalEntry, Vocabulary

TEXTS = [
    "Heat conduction in composite slabs",
    "The conduction of heat is measured by the thermal conductivity",
    "body mass index (BMI) of the patients",
    "Body mass index (BMI) and management of weight",
    "Die Brücke führt über den Fluss für Fußgänger",
    "Weight management in Paris",
]


@pytest.fixture(params=["memory", "one file", "several files"])
def vocabulary(request: pytest.FixtureRequest, tmp_path: Path) -> Vocabulary:
    words = WordIndex() if request.param == "memory" else WordIndex(tmp_path / "vocabulary", index_id="mine")
    portions = [TEXTS] if request.param != "several files" else [TEXTS[:4], TEXTS[4:5], TEXTS[5:]]
    for commit, portion in enumerate(portions, start=1):
        words.update(portion, removed=0, commit=commit)
    if request.param != "memory":
        words = WordIndex.load(tmp_path / "vocabulary", index_id="mine")
    lexical = TantivyIndex()
    lexical.update(add=[LexicalEntry(n, "", text) for n, text in enumerate(TEXTS, start=1)], remove=[], commit=1)
    return CorpusVocabulary(words, lexical)


def test_a_word_is_as_frequent_as_chunks_hold_it_whatever_its_capitals(vocabulary: Vocabulary) -> None:
    assert vocabulary.chunks == len(TEXTS)
    assert vocabulary.frequency("HEAT") == vocabulary.frequency("heat") == 2
    assert vocabulary.frequency("heats") == 0


def test_a_word_is_found_by_other_forms_of_it_and_one_that_is_passed_over_everywhere(vocabulary: Vocabulary) -> None:
    assert vocabulary.found("measuring") == 1
    assert vocabulary.found("the") == len(TEXTS)
    assert vocabulary.found("conducton") == 0


def test_near_words_come_by_frequency_without_the_word_itself(vocabulary: Vocabulary) -> None:
    assert vocabulary.near("conducton", 1) == [("conduction", 2)]
    assert vocabulary.near("conduction", 1) == []
    assert next(word for word, _ in vocabulary.near("heaht", 2)) == "heat"


def test_a_word_comes_back_as_it_is_mostly_written(vocabulary: Vocabulary) -> None:
    assert vocabulary.written("paris") == "Paris"
    assert vocabulary.written("bmi") == "BMI"
    assert vocabulary.written("HEAT") == "heat"
    assert vocabulary.written("unheard") == "unheard"


def test_shortened_and_undecorated_words_lead_to_the_whole_ones(vocabulary: Vocabulary) -> None:
    assert vocabulary.shortened_to("mgmt", 12) == [("management", 2)]
    assert vocabulary.decorated("fur") == vocabulary.decorated("FUER") == [("für", 1)]
    assert vocabulary.decorated("fluss") == []


def test_definitions_are_found_by_either_form(vocabulary: Vocabulary) -> None:
    assert vocabulary.long_forms("bmi") == [("BMI", "body mass index", 2)]
    assert vocabulary.short_forms("Body mass index") == [("BMI", "body mass index", 2)]
    assert vocabulary.long_forms("body") == []


@pytest.mark.parametrize("word", ["", "a", "x" * 200, "\ud800", "日本", "a\tbcdefg", "\0", "𝒳𝒴𝒵"])
def test_odd_words_are_simply_unknown(vocabulary: Vocabulary, word: str) -> None:
    assert vocabulary.frequency(word) == 0
    assert vocabulary.found(word) in (0, len(TEXTS))
    assert vocabulary.near(word, 2) == [] or len(word) < 3
    assert vocabulary.shortened_to(word, 12) == [] or word == "a"
    assert vocabulary.decorated(word) == vocabulary.long_forms(word) == vocabulary.short_forms(word) == []
