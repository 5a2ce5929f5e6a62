from pathlib import Path

import pytest

from benchmarks.formats.agreement import cells_said, token_f1
from benchmarks.formats.encodings import is_as_labelled
from benchmarks.formats.manifest import Expectation, FormatFile, read_manifest
from benchmarks.formats.reading import MEMORY_MEGABYTES, Reading
from benchmarks.formats.verdicts import verdict_of
from rag_engine.types.document import Document
from tests.documents import pdf

TEXT = Expectation.TEXT


def reading(text: str = "", code: str = "", *, seconds: float = 0.1, peak_bytes: int = 0) -> Reading:
    documents = (Document("d", text),) if text else ()
    return Reading(documents, (), code, f"{code} because" if code else "", seconds, peak_bytes)


def judged(expectation: Expectation, found: Reading, location: Path, label: str = "") -> tuple[bool, bool | None]:
    verdict = verdict_of(FormatFile(location.name, "category", label, expectation), found, location)
    return verdict.expected, verdict.has_text


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_bytes(b"some text")
    return tmp_path / "a.txt"


@pytest.mark.parametrize(
    ("expectation", "text", "code", "expected"),
    [
        *((TEXT, "text", "", True), (TEXT, "", "parsing", False), (TEXT, "", "empty_source", False)),
        *((Expectation.PARSED, "", "empty_source", True), (Expectation.PARSED, "", "parsing", False)),
        *((Expectation.REFUSED, "text", "", False), (Expectation.REFUSED, "", "parsing", True)),
        *((Expectation.REFUSED, "", "parser_crash", False), (Expectation.UNLOCKED, "", "encrypted", True)),
        *((Expectation.UNLOCKED, "", "parsing", False), (Expectation.EITHER, "", "parser_crash", True)),
        *((Expectation.EITHER, "", "", False), (TEXT, "", "unreadable_source", False)),
    ],
)
def test_a_reading_is_held_against_what_must_come(
    expectation: Expectation, text: str, code: str, expected: bool, file: Path
) -> None:
    assert judged(expectation, reading(text, code), file)[0] is expected


def test_a_file_that_holds_no_text_need_not_give_any(tmp_path: Path) -> None:
    (tmp_path / "blank.txt").write_bytes(b"\xff\xfe \n")
    (tmp_path / "scan.pdf").write_bytes(pdf(" "))
    (tmp_path / "text.pdf").write_bytes(pdf("words"))
    refusal = reading(code="empty_source")
    assert judged(TEXT, refusal, tmp_path / "blank.txt") == (True, None)
    assert judged(TEXT, refusal, tmp_path / "scan.pdf") == (True, None)
    assert judged(TEXT, refusal, tmp_path / "text.pdf") == (False, False)


def test_a_reading_over_a_cap_is_never_as_expected(file: Path) -> None:
    assert not judged(Expectation.EITHER, reading("text", seconds=100.0), file)[0]
    assert not judged(Expectation.EITHER, reading("text", peak_bytes=MEMORY_MEGABYTES + 1 << 20), file)[0]


@pytest.mark.parametrize(
    ("encoding", "label", "right"),
    [("koi8-r", "KOI8-R", True), ("cp1251", "KOI8-R", False), ("cp1251", "windows-1251-russian", True)],
)
def test_mangled_text_is_told(tmp_path: Path, encoding: str, label: str, right: bool) -> None:
    data = "<p>Вчера вечером мы гуляли &mdash; там</p>".encode("koi8-r" if label == "KOI8-R" else encoding)
    text = data.decode(encoding).replace("<p>", "").replace("</p>", "").replace("&mdash;", "—")
    assert is_as_labelled(text, data, f"encoding={label}") is right


def test_agreement_counts_words_and_cells(tmp_path: Path) -> None:
    assert token_f1("One two two", "one two") == pytest.approx(0.8)
    assert token_f1("", "") == 1.0
    assert token_f1("one", "") == 0.0
    (tmp_path / "gold.json").write_text('[{"a": "1", "b": ""}, {"a": "two\\nlines", "b": "2"}]')
    assert cells_said("a: 1\na: two lines; b: 3", tmp_path / "gold.json") == pytest.approx(2 / 3)


def test_the_manifest_says_what_must_come_of_each_file(tmp_path: Path) -> None:
    rows = "json/S__y_a.json,json,x\njson/S__n_a.json,json,x\nepub/a-fatal.epub,epub,x\nepub/valid.epub,epub,x\n"
    rows += "email/a.msg,email,text\noffice_encrypted/a.msg,office_encrypted,x\n"
    (tmp_path / "MANIFEST.csv").write_text("file,category,expectation\n" + rows)
    assert [file.expectation.value for file in read_manifest(tmp_path)] == [
        *("parsed", "refused", "either", "text", "unlocked", "unlocked")
    ]
