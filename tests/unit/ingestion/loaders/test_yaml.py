"""YAML: flattened like JSON, and never a bomb."""

from __future__ import annotations

import time

import pytest

from rag_engine.errors import EmptySourceError, SourceTooLargeError
from rag_engine.ingestion.loaders.yaml import YamlLoader
from rag_engine.types.document import Document
from rag_engine.types.ingestion import LoadLimits


def load(text: str, *, max_characters: int = 10_000) -> list[Document]:
    return list(YamlLoader().load(text.encode(), name="a.yaml", limits=LoadLimits(max_characters)))


def test_values_are_lines_under_their_paths_as_they_were_written() -> None:
    (document,) = load(
        "# comment\nserver:\n  ports: [80, 8080]\n  host: 'example.org'\nversion: 1.10\nmode: 0o755\n"
        "on: yes\nnone: ~\nempty:\ndate: 2024-05-31\ntext_block: |\n  two\n  lines\n"
    )
    assert document.id == "a.yaml"
    assert document.text.split("\n") == [
        *("server.ports[0]: 80", "server.ports[1]: 8080", "server.host: example.org"),
        *("version: 1.10", "mode: 0o755", "on: yes", "date: 2024-05-31", "text_block: two", "lines"),
    ]


def test_an_object_with_a_text_is_that_text() -> None:
    (document,) = load("id: n1\ntitle: Opening\ntext: |\n  We open at nine.\nyear: 2024\nrate: 0.5\nopen: true\n")
    assert (document.id, document.title, document.text) == ("n1", "Opening", "We open at nine.\n")
    assert document.metadata == {"year": 2024, "rate": 0.5, "open": True}


def test_each_of_several_documents_is_one() -> None:
    documents = load("a: 1\n---\n# nothing\n---\nb: 2\n")
    assert [(document.id, document.text) for document in documents] == [("a.yaml#1", "a: 1"), ("a.yaml#3", "b: 2")]


def test_aliases_and_merges_are_followed() -> None:
    (document,) = load("base: &base {a: 1, b: 2}\nderived:\n  <<: *base\n  b: 3\nlist: [*base]\n")
    assert document.text.split("\n") == [
        *("base.a: 1", "base.b: 2", "derived.a: 1", "derived.b: 3", "list[0].a: 1", "list[0].b: 2")
    ]


@pytest.mark.parametrize("bomb", ["lol", '""'], ids=["of words", "of nothing"])
def test_an_alias_bomb_is_refused_at_once(bomb: str) -> None:
    lines = [f"a0: &a0 {bomb}"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    started = time.process_time()
    with pytest.raises(SourceTooLargeError):
        load("\n".join(lines))
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    "text",
    [
        "{{ template }}: [\n",
        "a: b: c\n",
        "\tkey: value\n",
        "a: *nothing\n",
        "a: &a [*a]\n",
        "[" * 100_000,
        "? [a, b]\n: c\n",
        "a: !!python/object/apply:os.system [\n",
    ],
)
def test_what_cannot_be_parsed_is_the_text_that_it_is(text: str) -> None:
    (document,) = load(text, max_characters=200_000)
    assert document.text == text
    assert document.metadata == {"parsed_as": "plain_text"}


def test_tags_build_nothing() -> None:
    (document,) = load('a: !!python/object/apply:os.system ["exit 1"]\n')
    assert document.text == "a[0]: exit 1"


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "a:\n", "{}"])
def test_nothing_is_an_empty_source(text: str) -> None:
    with pytest.raises(EmptySourceError):
        load(text)


def test_a_document_over_the_limit_is_refused() -> None:
    with pytest.raises(SourceTooLargeError):
        load("a: " + "x" * 101, max_characters=100)


def test_words_that_look_like_no_number_stay_as_they_are_written() -> None:
    (document,) = YamlLoader().load(b"text: x\na: inf\nb: nan\n", name="a.yaml", limits=LoadLimits(1000))
    assert document.metadata == {"a": "inf", "b": "nan"}
