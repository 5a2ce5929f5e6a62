"""Which language a text in Latin letters is in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.index.lexical_languages import COMPOUNDING, LANGUAGES, language_of

SENTENCES = {
    "german": "Die Erstattung wird innerhalb von vierzehn Tagen nach der Rückgabe gezahlt.",
    "dutch": "De terugbetaling wordt binnen veertien dagen na het retourneren van het product betaald.",
    "danish": "Hvad er det, der ikke blev betalt efter fjorten dage, og hvem har pengene?",
    "norwegian": "Hva er det som ikke ble betalt etter fjorten dager, og hvem har pengene?",
    "swedish": "Vad är det som inte har betalats efter fjorton dagar, och vem har pengarna?",
    "finnish": "Kirjastossa on paljon kirjoja, mutta se ei ole auki kun on juhlapäivä.",
    "hungarian": "A könyvtár nem volt nyitva, és ez az épület még mindig csak egy terv.",
    "french": "Les remboursements sont effectués dans les quatorze jours qui suivent le retour.",
    "spanish": "Los reembolsos se pagan en un plazo de catorce días para las personas que están inscritas.",
    "italian": "I rimborsi sono pagati entro quattordici giorni dalla restituzione della merce che non è usata.",
    "portuguese": "Os reembolsos são pagos em catorze dias e não há custos para os clientes que devolvem uma peça.",
    "romanian": "Banii sunt returnați în paisprezece zile de la data la care produsul a fost primit, dar nu mai mult.",
    "turkish": "Bu para iadesi ürün ile birlikte çok kısa bir süre sonra yapılır ve değişim için beklenmez.",
}


def test_there_is_a_sentence_of_every_language_here() -> None:
    assert set(SENTENCES) == set(LANGUAGES)
    assert set(LANGUAGES) >= COMPOUNDING


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_is_of_its_language(language: str) -> None:
    assert language_of(SENTENCES[language]) == language


@pytest.mark.parametrize(
    "text",
    [
        "Refunds are paid within fourteen days of the return.",
        "He read Der Spiegel and La Stampa in Los Angeles and in Den Haag.",
        "Louisville KY, Chicago IL, San Diego CA, Los Angeles CA, Des Moines IA, La Jolla CA, El Paso TX, Da Nang",
        "const AVRational timebase = av_make_q(num, den); return av_den(timebase, num, av, ctx, buffer, frame, i);",
        "mitochondria",
        "308",
        "",
    ],
)
def test_english_names_and_code_are_of_no_other_language(text: str) -> None:
    assert language_of(text) is None


def test_one_word_is_enough_where_the_languages_are_known() -> None:
    assert language_of("Welche Stadt?") is None
    assert language_of("Welche Stadt?", among=["german"], least=1) == "german"
    assert language_of("Welche Stadt?", among=["french"], least=1) is None
    assert language_of("Welche Stadt?", among=[], least=1) is None


@given(st.text(max_size=300))
def test_any_text_is_of_one_of_the_languages_or_of_none(text: str) -> None:
    assert language_of(text) in {None, *LANGUAGES}
