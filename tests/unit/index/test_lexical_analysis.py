"""The terms of texts and questions in several languages."""

from __future__ import annotations

import pytest

from rag_engine.index.lexical_analysis import BODY, PARTS, AskedTerm, IndexedTerms, asked_terms, spelled_out

GERMAN = "Der Minister empfing gestern die Vertreter der Stadt und dankte ihnen für das Geschenk."


def indexed(frequencies: dict[str, int], **languages: float) -> IndexedTerms:
    return IndexedTerms(
        languages=languages,
        frequency=lambda field, term: frequencies.get(term, 0) if field == BODY else 0,
        beginning_with=lambda start: [term for term in frequencies if term.startswith(start)],
    )


def asked(question: str, index: IndexedTerms) -> dict[tuple[str, str], float]:
    return {(term.field, term.term): term.weight for term in asked_terms(question, index)}


@pytest.mark.parametrize("text", ["plain words", "The wing of the plane, and its drag.", "return refund(14)", ""])
def test_english_and_code_are_left_to_the_analyser(text: str) -> None:
    spelling = spelled_out(text)
    assert (spelling.words, spelling.parts, spelling.language) == (text, "", None)


def test_parts_of_identifiers_stand_behind_them() -> None:
    assert spelled_out("the DiffExecutor runs").words == "the DiffExecutor Diff Executor runs"


def test_a_german_text_is_indexed_as_its_stems_with_the_ends_of_long_words_apart() -> None:
    spelling = spelled_out("Die Verteidigungsminister und die Häuser der Stadt werden geschützt.")
    assert spelling.language == "german"
    assert "haus" in spelling.words.split()
    assert "minist" in spelling.parts.split()
    assert "minist" not in spelling.words.split()


def test_a_question_to_an_english_index_is_asked_in_english_alone() -> None:
    assert asked_terms("Wie viele Punkte?", indexed({})) == [AskedTerm("wie"), AskedTerm("viel"), AskedTerm("punkt")]


def test_a_german_question_loses_its_stop_words_where_the_index_is_german() -> None:
    terms = asked("Welche Häuser wurden von der Stadt geschützt?", indexed({}, german=1.0))
    assert (BODY, "haus") in terms
    assert not {"welch", "welche", "wurden", "wurd", "der", "von"} & {term for _, term in terms}


def test_a_question_of_stop_words_only_is_asked_all_the_same() -> None:
    assert (BODY, "wer") in asked("Wer ist das?", indexed({}, german=1.0))


def test_a_short_question_is_asked_in_every_language_of_the_index() -> None:
    terms = asked("général", indexed({}, french=0.01, german=0.01))
    assert (BODY, "general") in terms


def test_an_end_of_a_compound_counts_less_than_a_word() -> None:
    terms = asked("Minister", indexed({"minist": 3}, german=1.0))
    assert 0 < terms[PARTS, "minist"] < terms[BODY, "minist"] == 1.0


def test_a_compound_is_split_into_the_words_that_most_chunks_have() -> None:
    frequencies = {"verteid": 9, "minist": 9, "verteidigungsmin": 1, "ster": 1}
    terms = asked("Wer war Verteidigungsminister?", indexed(frequencies, german=1.0))
    assert 0 < terms[BODY, "verteid"] < 1
    assert 0 < terms[BODY, "minist"] < 1
    assert (BODY, "ster") not in terms


def test_a_word_that_the_index_has_is_not_completed_and_one_that_it_lacks_is() -> None:
    frequencies = {"verteidigungsminist": 1}
    assert (BODY, "verteidigungsminist") in asked("Verteidigung", indexed(frequencies, german=1.0))
    known = {**frequencies, "verteid": 2}
    assert (BODY, "verteidigungsminist") not in asked("Verteidigung", indexed(known, german=1.0))


def test_a_language_of_few_chunks_splits_no_word_of_an_english_question() -> None:
    frequencies = {"neuro": 5, "degeneration": 5, "neurodegener": 5}
    terms = asked("neurodegeneration", indexed(frequencies, german=0.001))
    assert all(weight == 1.0 for weight in terms.values())


def test_every_term_of_a_question_is_asked_once() -> None:
    terms = asked_terms(GERMAN, indexed({}, german=0.5, dutch=0.2, swedish=0.2))
    assert len({(term.field, term.term) for term in terms}) == len(terms)
