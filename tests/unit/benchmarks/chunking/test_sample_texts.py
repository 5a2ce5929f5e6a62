"""The texts that are timed are of the size and kind that they are named for."""

from __future__ import annotations

import random

import pytest

from benchmarks.chunking.sample_texts import MEGABYTE, generated, headings, table

SIZE = 20_000


@pytest.mark.parametrize("kind", MEGABYTE)
def test_a_text_has_the_size_that_was_asked_for(kind: str) -> None:
    text = MEGABYTE[kind](SIZE, random.Random(1))
    # A whole file is the largest piece that is added.
    assert SIZE <= len(text.encode()) < SIZE + 100_000
    assert text == MEGABYTE[kind](SIZE, random.Random(1))


def test_texts_of_one_sentence_and_of_one_word_are_that() -> None:
    sentence = MEGABYTE["one_sentence"](SIZE, random.Random(1))
    assert sentence.count(".") == 1
    assert "\n" not in sentence
    assert not any(character.isspace() for character in MEGABYTE["base64"](SIZE, random.Random(1)))
    assert not any(character.isalnum() for character in MEGABYTE["punctuation"](SIZE, random.Random(1)))


def test_tables_and_headings_have_as_many_as_were_asked_for() -> None:
    assert table(50, random.Random(1)).count("\n") == 51
    assert headings(30, random.Random(1)).count("# Heading") == 30


def test_generated_text_hardly_repeats() -> None:
    sentences = generated(SIZE, random.Random(1)).split(". ")
    assert len(set(sentences)) == len(sentences)
