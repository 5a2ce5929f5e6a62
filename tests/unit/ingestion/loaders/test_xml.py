"""XML: the words of its elements, and nothing from outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag_engine.errors import EmptySourceError, SourceTooLargeError
from rag_engine.ingestion.loaders.xml import XmlLoader
from rag_engine.types.document import BlockKind, Document
from rag_engine.types.ingestion import LoadLimits


def load(source: str | bytes, *, max_characters: int = 10_000) -> Document:
    data = source.encode() if isinstance(source, str) else source
    (document,) = XmlLoader().load(data, name="a.xml", limits=LoadLimits(max_characters))
    return document


def test_prose_is_paragraphs_under_its_titles() -> None:
    document = load(
        '<book xml:lang="en"><title>Birds</title><chapter><title>Owls</title><para>They hunt <em>at night</em>,\n'
        " mostly.</para><programlisting>a = 1\n  b = 2</programlisting></chapter></book>"
    )
    assert document.text == "Birds\n\nOwls\n\nThey hunt at night, mostly.\n\na = 1\n  b = 2"
    assert [(block.kind, block.level) for block in document.blocks] == [
        *((BlockKind.HEADING, 1), (BlockKind.HEADING, 2), (BlockKind.PARAGRAPH, 0), (BlockKind.CODE, 0))
    ]
    assert (document.title, document.metadata) == ("Birds", {"root_element": "book", "language": "en"})


def test_records_are_rows_that_name_their_values() -> None:
    document = load(
        '<shops xmlns="urn:x"><shop id="1"><name>North</name><city>Hamburg</city><fax/></shop>'
        "<shop><name>South</name><city>Munich</city></shop></shops>"
    )
    assert document.text == "name: North; city: Hamburg\n\nname: South; city: Munich"
    assert {block.kind for block in document.blocks} == {BlockKind.ROW}


def test_html_within_a_feed_is_read_as_html() -> None:
    document = load(
        "<rss><item><title>News</title><description>&lt;p&gt;One &lt;b&gt;bold&lt;/b&gt;.</description></item></rss>"
    )
    assert document.text == "News\n\nOne bold."


def test_the_declared_encoding_is_believed() -> None:
    source = '<?xml version="1.0" encoding="koi8-r"?><a>привет, мир</a>'
    assert load(source.encode("koi8-r")).text == "привет, мир"


def test_an_external_entity_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    document = load(f'<!DOCTYPE a [<!ENTITY x SYSTEM "{secret.as_uri()}">]><a>before &x; after</a>')
    assert "secret" not in document.text.replace(str(secret), "")


def test_an_external_document_type_is_not_loaded(tmp_path: Path) -> None:
    definition = tmp_path / "a.dtd"
    definition.write_text('<!ENTITY x "from outside">')
    document = load(f'<!DOCTYPE a SYSTEM "{definition.as_uri()}"><a>text &x;</a>')
    assert "from outside" not in document.text


def test_entities_that_the_file_declares_are_replaced() -> None:
    assert load('<!DOCTYPE a [<!ENTITY x "Ltd.">]><a>Birds &x; &amp; Sons</a>').text == "Birds Ltd. & Sons"


def test_a_billion_laughs_are_not_told() -> None:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    document = load(f'<!DOCTYPE a [<!ENTITY l0 "lol">{entities}]><a>&l9;</a>')
    assert document.metadata == {"parsed_as": "plain_text"}


@pytest.mark.parametrize("source", ["<a><b></a>", "no markup at all", "<a>" * 1000 + "x" + "</a>" * 1000, "<a/><b/>"])
def test_what_is_not_well_formed_is_the_text_that_it_is(source: str) -> None:
    document = load(source)
    assert (document.text, document.metadata) == (source, {"parsed_as": "plain_text"})


def test_elements_without_words_are_an_empty_source() -> None:
    with pytest.raises(EmptySourceError):
        load("<a><b/> <c>\n</c></a>")


def test_text_over_the_limit_is_refused() -> None:
    with pytest.raises(SourceTooLargeError):
        load("<a><b>xxxx</b><b>" + "x" * 98 + "</b></a>", max_characters=100)


def test_hidden_words_in_the_html_of_a_feed_are_told_where_they_stand() -> None:
    document = load(
        "<rss><item><d>First &lt;b&gt;words&lt;/b&gt;</d></item><item><d>&lt;p&gt;Seen\n words&lt;/p&gt;"
        "&lt;p style='opacity:0'&gt;Unseen  words.&lt;/p&gt;</d></item></rss>"
    )
    ((start, end),) = document.metadata["hidden_text"]
    assert document.text[start:end] == "Unseen words."
