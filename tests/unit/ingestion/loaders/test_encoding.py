import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import DecodingError
from rag_engine.ingestion.loaders.alphabets import could_be_language
from rag_engine.ingestion.loaders.encoding import canonical, declared_by_html, declared_by_xml, decode

SHARED_ENCODINGS = Path(__file__).parents[5] / "shared" / "formats" / "encodings"
LANGUAGE = re.compile(
    "-(bulgarian|croatian|czech|slovak|russian|greek|turkish|hungarian|romanian|slovene|hebrew|arabic)$"
)
AS_BROWSERS = {"GB2312": "gb18030", "SHIFT_JIS": "cp932"}
GERMAN = (
    "Die Verteidigung ließ während der Spielzeit nur wenige Punkte zu und belegte den sechsten Platz. "
    "Möglicherweise wäre das Ergebnis für die größeren Städte ungünstiger ausgefallen, hätte man früher gespielt. "
)
FRENCH = (
    "L'été dernier, nous avons passé nos vacances à la mer, où il faisait très chaud. Le garçon a mangé un gâteau "
    "près de la fenêtre ; sa mère préférait le thé. Les élèves rêvaient de neige, répéta le maître à l'évêque."
)
RUSSIAN = (
    "Вчера вечером мы гуляли вдоль реки, где встретили старых друзей. Потом вернулись домой и поужинали. "
    "Была уже поздняя ночь, но никто не хотел спать."
)
CHINESE = "黑豹队的防守只丢了三百分，在联赛中排名第六，同时也以二十四次拦截领先国家橄榄球联盟，并且四次入选职业碗。"


@given(st.text(st.characters(codec="utf-8")))
def test_utf8_is_read_exactly(text: str) -> None:
    if not text.startswith("\ufeff") and text.count("\x00") < 4 and "\x1b" not in text and "~{" not in text:
        assert decode(text.encode()) == text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_decides_and_is_dropped(encoding: str) -> None:
    assert decode("Grüße, 世界 🌍".encode(encoding)) == "Grüße, 世界 🌍"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", ["plain text in English", "Größe: 12 m, Preis: 3 €", "第 1 章 the first chapter 序言"])
def test_utf16_and_utf32_without_a_mark_are_told_by_their_nuls(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_words_with_nuls_between_them_are_not_taken_for_utf16() -> None:
    assert decode(b"abc\0def\0ghi\0jkl\0") == "abc\0def\0ghi\0jkl\0"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "cp1252"),
        (FRENCH, "cp1252"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8_r"),
        (CHINESE, "gb18030"),
        ("日本語の文章です。", "iso2022_jp"),
    ],
)
def test_an_undeclared_encoding_is_detected_where_the_text_shows_it(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize("data", [b"caf\xe9", b"\xe0\xe8", b"na\xefve r\xe9sum\xe9"])
def test_too_little_text_to_tell_an_encoding_by_is_refused(data: bytes) -> None:
    with pytest.raises(DecodingError):
        decode(data)


@pytest.mark.parametrize("encoding", ["cp1252", "cp1251", "cp1250", "koi8_r"])
@pytest.mark.parametrize("repetitions", [1, 50])
def test_a_file_that_mixes_two_encodings_is_refused(encoding: str, repetitions: int) -> None:
    text = {"cp1252": GERMAN, "cp1250": GERMAN}.get(encoding, RUSSIAN)
    for data in (text.encode() + text.encode(encoding), GERMAN.encode() + (text * repetitions).encode(encoding)):
        with pytest.raises(DecodingError) as caught:
            decode(data)
        assert "UTF-8" in caught.value.hint


def test_an_undeclared_text_may_be_in_several_languages() -> None:
    text = f"{GERMAN}\n{FRENCH}\nEl niño comió paella con piñones. ¡Qué rico!\nO João comprou um café, não é?"
    assert decode(text.encode("cp1252")) == text


def test_letters_that_change_to_capitals_within_words_are_no_language() -> None:
    assert could_be_language("ÉCOLE, École. Œuvre d'Été, où il fait très chaud")
    assert not could_be_language("kohtasime vanu sšpru\nja rĄĄkisime kaua")


def test_a_declared_encoding_is_believed_even_for_a_word() -> None:
    assert decode("naïve".encode("cp1252"), declared="iso-8859-1") == "naïve"
    assert decode("“quoted”".encode("cp1252"), declared="ISO-8859-1") == "“quoted”"  # as browsers do


@pytest.mark.parametrize(("data", "declared", "text"), [(b"\xa1\xa4", "gb2312", "·"), (b"\x81\x60", "Shift_JIS", "～")])
def test_signs_that_standards_map_differently_are_read_as_browsers_read_them(
    data: bytes, declared: str, text: str
) -> None:
    assert decode(data, declared=declared) == text


@pytest.mark.parametrize("declared", ["utf-8", "utf-16", "klingon"])
def test_a_declaration_that_cannot_be_true_is_passed_over(declared: str) -> None:
    assert decode(FRENCH.encode("cp1252"), declared=declared) == FRENCH


def test_a_truncated_character_is_refused_not_replaced() -> None:
    with pytest.raises(DecodingError):
        decode("Ende mit €".encode()[:-1])
    with pytest.raises(DecodingError):
        decode("\ufeffabc".encode("utf-16-le") + b"\x00")


@given(st.binary(max_size=300))
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    try:
        text = decode(data)
    except DecodingError:
        return
    text.encode("utf-8")


def test_declarations_are_found_where_the_standards_put_them() -> None:
    assert declared_by_xml(b'<?xml version="1.0" encoding="koi8-r"?><a/>') == "koi8-r"
    assert declared_by_html(b"<html><meta charset=windows-1251>") == "windows-1251"
    assert declared_by_html(b'<META http-equiv=x content="text/html; charset=Shift_JIS">') == "Shift_JIS"
    assert declared_by_html(b" " * 1024 + b"<meta charset=utf-8>") is None


def test_canonical_text_has_one_line_end_no_control_characters_and_no_surrogates() -> None:
    assert canonical("a\r\nb\rc\x00d\x1be\x9b\tf\fg\ud800h") == "a\nb\nc d e \tf\fg\ufffdh"


@pytest.mark.needs_shared
@pytest.mark.skipif(not SHARED_ENCODINGS.is_dir(), reason="needs the data folder ../shared")
def test_real_files_of_forty_encodings_are_read_as_labelled_or_refused() -> None:
    right = refused = 0
    for file in sorted(SHARED_ENCODINGS.iterdir()):
        label = LANGUAGE.sub("", file.name.split("__")[1])
        data = file.read_bytes()
        try:
            text = decode(data, declared=declared_by_html(data))
        except DecodingError:
            refused += 1
            continue
        assert text == data.decode(AS_BROWSERS.get(label, label)).lstrip("\ufeff"), file.name
        right += 1
    assert (right, refused) >= (58, 0)


@pytest.mark.parametrize("name", ["idna", "punycode", "unicode_escape", "undefined", "charmap", "a\0b", "zlib"])
def test_a_codec_that_no_text_is_in_is_not_believed(name: str) -> None:
    with pytest.raises(DecodingError):
        decode(b"\xff\\u0041", declared=name)
