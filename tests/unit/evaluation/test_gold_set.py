"""Reading gold sets, in both forms, and refusing broken ones with the place."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import GoldSetError
from rag_engine.evaluation import GoldForm, GoldSpan, check_against, check_spans, document_ids, read_gold_set

SHARED = Path(__file__).resolve().parents[4] / "shared"
HEADER = "query-id\tcorpus-id\tscore\n"


def beir(folder: Path, *, queries=None, qrels=HEADER + "q1\td1\t1\n", answers=None, corpus=None) -> Path:
    (folder / "qrels").mkdir()
    write(folder / "queries.jsonl", queries or [{"_id": "q1", "text": "who?"}, {"_id": "q2", "text": "what?"}])
    (folder / "qrels" / "test.tsv").write_text(qrels)
    for name, records in (("answers.jsonl", answers), ("corpus.jsonl", corpus)):
        if records is not None:
            write(folder / name, records)
    return folder


def spans(folder: Path, *questions: dict, documents=None) -> Path:
    write(folder / "questions.jsonl", questions)
    if documents is not None:
        write(folder / "docs.jsonl", documents)
    return folder


def write(file: Path, records) -> None:
    file.write_text("".join(json.dumps(record) + "\n" for record in records))


def asked(identifier="q1", **fields) -> dict:
    return {"id": identifier, "question": "who?", "answers": [], **fields}


def test_a_beir_folder_gives_questions_with_judged_documents_and_answers(tmp_path):
    folder = beir(
        tmp_path,
        qrels=HEADER + "q1\td1\t2\nq1\td2\t0\n",
        answers=[{"_id": "q1", "answers": ["Ann"]}, {"_id": "q2", "answerable": False, "answers": []}],
        corpus=[{"_id": "d1", "text": "Ann"}],
    )
    gold = read_gold_set(folder)
    first, second = gold.questions
    assert (gold.name, gold.form, gold.corpus) == (tmp_path.name, GoldForm.BEIR, tmp_path / "corpus.jsonl")
    assert (first.text, first.relevant, first.answers, first.answerable) == ("who?", {"d1": 2, "d2": 0}, ("Ann",), True)
    assert (second.relevant, second.answers, second.answerable) == ({}, (), False)


def test_only_queries_with_qrels_are_scored(tmp_path):
    assert read_gold_set(beir(tmp_path)).qrels == {"q1": {"d1": 1}}


def test_without_answers_and_corpus_files_nothing_is_claimed_about_them(tmp_path):
    gold = read_gold_set(beir(tmp_path))
    assert gold.corpus is None
    assert {question.answerable for question in gold.questions} == {None}


@pytest.mark.parametrize(
    "qrels",
    [
        HEADER + "q1\td1\t1\n",
        "q1\td1\t1\n",
        "q1 0 d1 1\n",
        "q1\t0\td1\t1\r\n",
        "\ufeff" + HEADER + "\nq1\td1\t1",
        "q1 d1 1\nq1 d1 1\n",
    ],
)
def test_qrels_are_read_in_beirs_and_trecs_columns_with_or_without_a_header(tmp_path, qrels):
    assert read_gold_set(beir(tmp_path, qrels=qrels)).qrels == {"q1": {"d1": 1}}


def test_a_document_id_with_spaces_is_read_from_tab_separated_qrels(tmp_path):
    assert read_gold_set(beir(tmp_path, qrels="q1\tmy file.txt\t1\n")).qrels == {"q1": {"my file.txt": 1}}


@pytest.mark.parametrize(
    ("qrels", "said"),
    [
        (HEADER + "q1\td1\n", "test.tsv:2: not query, document and whole grade"),
        (HEADER + "q1\td1\thigh\n", "test.tsv:2: not query, document and whole grade"),
        ("q1\td1\thigh\n", "test.tsv:1: not query, document and whole grade"),
        (HEADER + "q1\td1\t1\nq9\td1\t1\n", "test.tsv:3: judges query q9, which is not in queries.jsonl"),
        ("q1\td1\t1\nq1\td1\t2\n", "test.tsv:2: grades d1 for query q1 a second time"),
        (HEADER, "judges nothing"),
    ],
)
def test_broken_qrels_are_refused_with_the_line(tmp_path, qrels, said):
    with pytest.raises(GoldSetError, match=said):
        read_gold_set(beir(tmp_path, qrels=qrels))


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([{"_id": "q1", "text": "a"}, {"_id": "q1", "text": "b"}], "queries.jsonl:2: id q1 a second time"),
        ([{"_id": "q1", "text": " "}], "queries.jsonl:1: text is absent, empty or no string"),
        ([{"text": "a"}], "queries.jsonl:1: no _id or id"),
        ([{"_id": True, "text": "a"}], "queries.jsonl:1: no _id or id"),
        ([["q1", "a"]], "queries.jsonl:1: JSON, but no object"),
    ],
)
def test_broken_queries_are_refused_with_the_line(tmp_path, records, said):
    with pytest.raises(GoldSetError, match=said):
        read_gold_set(beir(tmp_path, queries=records))


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([{"_id": "q9", "answers": []}], "answers.jsonl:1: answers q9, which is not in queries.jsonl"),
        ([{"_id": "q1", "answers": "Ann"}], "answers.jsonl:1: answers is not a list of strings"),
        ([{"_id": "q1", "answerable": "no"}], "answers.jsonl:1: answerable is neither true nor false"),
        ([{"_id": "q1", "answers": []}] * 2, "answers.jsonl:2: id q1 a second time"),
    ],
)
def test_broken_answers_are_refused_with_the_line(tmp_path, records, said):
    with pytest.raises(GoldSetError, match=said):
        read_gold_set(beir(tmp_path, answers=records))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"_id": "q2"\n', "queries.jsonl:2: no JSON"),
        (b'{"_id": "q2", "text": "\xff"}\n', "queries.jsonl:2: not UTF-8 at byte 23"),
        (b"[" * 100_000 + b"\n", "queries.jsonl:2: no JSON"),
    ],
)
def test_a_line_that_is_no_json_is_refused_with_its_number(tmp_path, line, said):
    folder = beir(tmp_path)
    (folder / "queries.jsonl").write_bytes(b'{"_id": "q1", "text": "who?"}\n' + line)
    with pytest.raises(GoldSetError, match=said):
        read_gold_set(folder)


def test_numbers_as_ids_are_read_as_their_digits(tmp_path):
    gold = read_gold_set(beir(tmp_path, queries=[{"_id": 7, "text": "who?"}], qrels="7\t4983\t1\n"))
    assert gold.qrels == {"7": {"4983": 1}}


def test_a_span_folder_gives_spans_with_their_documents_as_relevant(tmp_path):
    marked = [{"doc": "d1", "start": 0, "end": 3, "text": "Ann"}, {"start": 4, "end": 7, "text": "Bob"}]
    gold = read_gold_set(spans(tmp_path, asked(answers=["Ann"], doc="d2", spans=marked), asked("q2", spans=[])))
    first, second = gold.questions
    assert gold.form is GoldForm.SPANS
    assert gold.corpus is None
    assert first.spans == (GoldSpan("d1", 0, 3, "Ann"), GoldSpan("d2", 4, 7, "Bob"))
    assert (first.relevant, first.answerable) == ({"d1": 1, "d2": 1}, True)
    assert (second.spans, second.relevant, second.answerable) == ((), {}, False)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"spans": [{"doc": "d1", "start": 0, "end": 9, "text": "Ann"}]}, "a span from 0 to 9 with a text of 3"),
        ({"spans": [{"doc": "d1", "start": -1, "end": 2, "text": "Ann"}]}, "start is not a whole number from 0"),
        ({"spans": [{"doc": "d1", "start": 0, "end": 0, "text": ""}]}, "text is absent, empty"),
        ({"spans": [{"start": 0, "end": 3, "text": "Ann"}]}, "no doc that is a string"),
        ({"spans": ["Ann"]}, "spans is not a list of objects"),
        ({"answers": ["Ann"]}, "has answers but no spans"),
        ({"question": 3}, "question is absent, empty or no string"),
    ],
)
def test_broken_questions_are_refused_with_the_line(tmp_path, fields, said):
    with pytest.raises(GoldSetError, match=f"questions.jsonl:2: {said}"):
        read_gold_set(spans(tmp_path, asked("q0"), asked(**fields)))


@pytest.mark.parametrize("make", [lambda folder: None, lambda folder: (beir(folder), spans(folder, asked()))])
def test_a_folder_of_neither_or_both_forms_is_refused(tmp_path, make):
    make(tmp_path)
    with pytest.raises(GoldSetError, match=r"holds (neither|both)"):
        read_gold_set(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(GoldSetError, match="is no folder"):
        read_gold_set(tmp_path / "none")


def test_missing_qrels_are_named(tmp_path):
    folder = beir(tmp_path)
    (folder / "qrels" / "test.tsv").unlink()
    with pytest.raises(GoldSetError, match=r"test\.tsv cannot be read: No such file"):
        read_gold_set(folder)


def test_a_set_without_questions_is_refused(tmp_path):
    with pytest.raises(GoldSetError, match="holds no question"):
        read_gold_set(spans(tmp_path))


def test_judged_documents_that_are_not_there_are_counted_and_the_first_named(tmp_path):
    gold = read_gold_set(beir(tmp_path, qrels="".join(f"q1\td{number}\t1\n" for number in range(8))))
    with pytest.raises(GoldSetError, match=r"judges 7 of 8 documents that are not there: d1, d2, d3, d4, d5, \.\.\."):
        check_against(gold, {"d0"})
    check_against(gold, {f"d{number}" for number in range(8)})


def test_spans_are_held_against_the_documents_whose_text_is_known(tmp_path):
    marked = {"doc": "d1", "start": 4, "end": 7, "text": "Ann"}
    gold = read_gold_set(spans(tmp_path, asked(answers=["Ann"], spans=[marked])))
    check_spans(gold, {"d1": "Hey Ann"}.get)
    check_spans(gold, {}.get)
    with pytest.raises(GoldSetError, match="question q1: characters 4 to 7 of d1 are not the span's text"):
        check_spans(gold, {"d1": "I am Ann"}.get)


def test_document_ids_are_read_as_they_are_asked_for(tmp_path):
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text('{"_id": "d1", "text": ""}\n{"id": 2}\nbroken\n')
    ids = document_ids(corpus)
    assert (next(ids), next(ids)) == ("d1", "2")
    with pytest.raises(GoldSetError, match=r"corpus\.jsonl:3: no JSON"):
        next(ids)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_with_a_gold_set_error(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("gold")
    (folder / "questions.jsonl").write_bytes(content)
    with pytest.raises(GoldSetError):
        read_gold_set(folder)


@pytest.mark.needs_shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="no ../shared")
@pytest.mark.parametrize(
    ("name", "questions", "scored", "documents", "unanswerable"),
    [
        ("gold/anthropic_code_chunks", 248, 248, 737, 0),
        ("gold/clapnq_dev", 600, 300, 597, 300),
        ("gold/cranfield", 225, 225, 1400, 0),
        ("gold/hotpotqa_200", 200, 200, 1971, 0),
        ("gold/nfcorpus_preprocessed", 323, 323, 3395, 0),
        ("gold/scifact", 300, 300, 5183, 0),
        ("spans/chroma", 472, 472, 5, 0),
        ("spans/legalbenchrag_contractnli", 977, 977, 95, 0),
        ("spans/squad2_dev_half", 6078, 2910, 36, 3168),
        ("spans/xquad_de", 1190, 1190, 48, 0),
        ("spans/xquad_en", 1190, 1190, 48, 0),
        ("spans/xquad_zh", 1190, 1190, 48, 0),
    ],
)
def test_shared_gold_sets_read_whole_and_agree_with_their_documents(name, questions, scored, documents, unanswerable):
    gold = read_gold_set(SHARED / name)
    with gold.corpus.open(encoding="utf-8") as lines:
        texts = {record["_id"]: record["text"] for record in map(json.loads, lines)}
    assert set(document_ids(gold.corpus)) == texts.keys()
    check_against(gold, texts)
    check_spans(gold, texts.get)
    refused = sum(question.answerable is False for question in gold.questions)
    assert (len(gold.questions), len(gold.qrels), len(texts), refused) == (questions, scored, documents, unanswerable)
