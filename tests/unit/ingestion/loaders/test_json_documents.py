import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import DecodingError, EmptySourceError, ParsingError, SourceTooLargeError
from rag_engine.ingestion.loaders.json import JsonLoader
from rag_engine.ingestion.loaders.json_lines import JsonLinesLoader
from rag_engine.types.document import BlockKind, Document, SourceFailure
from rag_engine.types.ingestion import LoadLimits


def load(source: str | bytes, *, max_characters: int = 10**6) -> Document:
    data = source.encode() if isinstance(source, str) else source
    (document,) = JsonLoader().load(data, name="n.json", limits=LoadLimits(max_characters))
    return document


def lines(*values: object, max_characters: int = 10**6) -> list[Document | SourceFailure]:
    data = "\n".join(value if isinstance(value, str) else json.dumps(value) for value in values).encode()
    return list(JsonLinesLoader().load(data, name="n.jsonl", limits=LoadLimits(max_characters)))


def test_an_object_with_text_is_that_document() -> None:
    document = load('{"_id": 7, "title": "T", "text": "words", "year": 2020, "tags": ["a"], "metadata": {"x": [1]}}')
    assert document == Document("7", "words", "T", {"year": 2020, "tags": ["a"], "x": [1]})


@pytest.mark.parametrize("field", ["text", "content", "body"])
def test_text_may_have_other_names(field: str) -> None:
    assert load(json.dumps({field: "words"})) == Document("n.json", "words")


def test_anything_else_is_flattened_to_paths_and_values() -> None:
    document = load('{"a": {"b": [1, true, null, "x"]}, "c": "", "d": 1e400, "e": 12345678901234567890123}')
    assert document.text == "a.b[0]: 1\na.b[1]: true\na.b[3]: x\nd: 1e400\ne: 12345678901234567890123"
    kinds = [(block.kind, document.text[block.start : block.end]) for block in document.blocks]
    assert kinds[0] == (BlockKind.PARAGRAPH, "a.b[0]: 1\na.b[1]: true\na.b[3]: x")
    assert load("[[1], 2]").text == "[0][0]: 1\n[1]: 2"


def records(*values: object) -> list[Document | SourceFailure]:
    data = json.dumps(values).encode()
    return list(JsonLoader().load(data, name="n.json", limits=LoadLimits(1000)))


def test_a_list_of_records_with_texts_is_a_document_each() -> None:
    assert records({"text": "one", "year": 1}, {"title": "T", "body": "two"}) == [
        Document("n.json#1", "one", "", {"year": 1}),
        Document("n.json#2", "two", "T"),
    ]


def test_records_are_called_by_their_ids_where_all_have_different_ones() -> None:
    a, b, again = ({"id": name, "text": "x"} for name in "aba")
    assert [record.id for record in records(a, b) if isinstance(record, Document)] == ["a", "b"]
    for values in ((a, again), (a, {"text": "x"})):
        documents = [record for record in records(*values) if isinstance(record, Document)]
        assert [document.id for document in documents] == ["n.json#1", "n.json#2"]
        assert documents[0].metadata == {"id": "a"}


def test_a_record_that_cannot_be_taken_costs_only_itself() -> None:
    first, second, third = records({"text": "one"}, {"text": " "}, {"text": "x" * 1001})
    assert first == Document("n.json#1", "one")
    assert [record.source for record in (second, third) if isinstance(record, SourceFailure)] == [
        "n.json:2",
        "n.json:3",
    ]


def test_a_list_of_anything_else_is_one_document() -> None:
    assert load('[{"text": "one"}, {"id": 2}]').text == "[0].text: one\n[1].id: 2"


def test_integers_of_any_length_are_kept() -> None:
    assert load(f"[{'9' * 5000}]").text == f"[0]: {'9' * 5000}"


@pytest.mark.parametrize("source", ["NaN", "[Infinity]", "{'a': 1}", "[1,]", "[1] x", "{", '["\t"]', "nul"])
def test_what_is_not_json_is_refused(source: str) -> None:
    with pytest.raises(ParsingError):
        load(source)


@pytest.mark.parametrize("source", ["[" * 100_000, '{"a":' * 100_000, "[" * 900 + "1" + "]" * 900])
def test_deep_nesting_is_refused_or_read_but_never_crashes(source: str) -> None:
    try:
        assert load(source).text.endswith(": 1")
    except ParsingError:
        assert len(source) > 10_000


def test_lone_surrogates_become_replacement_characters_and_pairs_characters() -> None:
    assert load(r'{"text": "a\ud800b \ud83d\ude00", "k": "\udc00"}') == Document(
        "n.json", "a\ufffdb 😀", "", {"k": "\ufffd"}
    )


def test_utf16_json_is_read_and_broken_utf8_refused() -> None:
    assert load(json.dumps({"text": "ä"}, ensure_ascii=False).encode("utf-16")).text == "ä"
    with pytest.raises(DecodingError):
        load(b'["\xff"]')


@pytest.mark.parametrize("source", ["", "  \n", "{}", "null", '{"text": ""}', '[[], {}, ""]'])
def test_json_without_text_is_empty(source: str) -> None:
    with pytest.raises(EmptySourceError):
        load(source)


def test_flattened_json_cannot_outgrow_the_limit() -> None:
    with pytest.raises(SourceTooLargeError):
        load(json.dumps({"k" * 500: list(range(1000))}), max_characters=10_000)


def test_each_line_is_a_document() -> None:
    assert lines({"_id": "a", "text": "one"}, "", {"id": 2, "title": "two"}, {"k": "v"}) == [
        Document("a", "one"),
        Document("2", "two", "two"),
        Document("n.jsonl#4", "k: v", blocks=load('{"k": "v"}').blocks),
    ]


def test_a_broken_line_costs_only_itself() -> None:
    first, broken, array, last = lines({"text": "one"}, '{"text": "tw', [1], {"text": "three"})
    assert isinstance(first, Document)
    assert isinstance(last, Document)
    assert isinstance(broken, SourceFailure)
    assert (broken.source, broken.code) == ("n.jsonl:2", "parsing")
    assert "line 2" in broken.error
    assert isinstance(array, SourceFailure)
    assert array.code == "parsing"


def test_the_second_document_of_an_id_is_refused_naming_both_lines() -> None:
    first, second = lines({"_id": "a", "text": "one"}, {"id": "a", "text": "two"})
    assert isinstance(first, Document)
    assert isinstance(second, SourceFailure)
    assert (second.source, second.code) == ("n.jsonl:2", "duplicate_document")
    assert "line 2" in second.error
    assert "line 1" in second.error


def test_empty_and_oversized_records_cost_only_themselves() -> None:
    kept, empty, large = lines({"text": "one"}, {"text": " "}, {"text": "x" * 99}, max_characters=50)
    assert isinstance(kept, Document)
    assert isinstance(empty, SourceFailure)
    assert isinstance(large, SourceFailure)
    assert (empty.code, large.code) == ("empty_source", "source_too_large")


def test_a_line_of_another_encoding_costs_only_itself() -> None:
    data = b'{"text": "one"}\n{"text": "caf\xe9"}\n'
    kept, refused = JsonLinesLoader().load(data, name="n", limits=LoadLimits(100))
    assert isinstance(kept, Document)
    assert isinstance(refused, SourceFailure)
    assert refused.code == "decoding"


def test_a_file_of_which_no_line_is_json_is_refused_as_a_whole() -> None:
    with pytest.raises(ParsingError):
        lines(*["not json"] * 1000)
    with pytest.raises(EmptySourceError):
        lines("", " ")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_blocks_lie_in_order_within_valid_text(value: object) -> None:
    try:
        document = load(json.dumps(value))
    except EmptySourceError:
        return
    document.text.encode("utf-8")
    assert all(left.end <= right.start for left, right in zip(document.blocks, document.blocks[1:], strict=False))
