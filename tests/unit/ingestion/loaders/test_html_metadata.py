import json

import pytest
from selectolax.lexbor import LexborHTMLParser

from rag_engine.ingestion.loaders.html_metadata import iso_date, page_metadata
from rag_engine.types.document import JsonValue


def metadata(source: str) -> dict[str, JsonValue]:
    return page_metadata(LexborHTMLParser(source))


def linked(value: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(value)}</script>'


def test_meta_elements_say_who_when_where_and_what() -> None:
    source = (
        '<html lang="en_GB"><meta name="Author" content=" A. \n Writer">'
        '<meta property="og:site_name" content="The Site">'
        '<meta property="article:published_time" content="2024-05-31T08:30:00+02:00">'
        '<meta property="article:modified_time" content="2024-06-01"><meta name="keywords" content="a, b">'
        '<meta property="og:description" content="What it is">'
    )
    assert metadata(source) == {
        "author": "A. Writer",
        "created": "2024-05-31T08:30:00+02:00",
        "modified": "2024-06-01",
        "description": "What it is",
        "keywords": "a, b",
        "site": "The Site",
        "language": "en-GB",
    }


def test_linked_data_say_what_meta_elements_do_not() -> None:
    article = {
        "@type": "NewsArticle",
        "datePublished": "2024-05-31",
        "author": [{"name": "A. Writer"}, "B. Writer"],
        "publisher": {"name": "The Site"},
        "description": "not this",
    }
    said = {"author": "A. Writer, B. Writer", "created": "2024-05-31", "site": "The Site", "description": "this"}
    for value in (article, [article], {"@graph": [{"@type": "WebSite"}, article]}):
        assert metadata(linked(value) + '<meta name=description content="this">') == said


def test_a_time_element_dates_a_page_that_says_no_date() -> None:
    assert metadata("<time pubdate datetime=2024-05-31>Friday</time>") == {"created": "2024-05-31"}
    assert metadata("<p itemprop=dateModified content=2024-05-31>") == {"modified": "2024-05-31"}
    assert metadata("<time datetime=2024-05-31>when something else was</time>") == {}


@pytest.mark.parametrize(
    "source", [linked([[[]]]), linked({"author": {"name": 7}}), '<script type="application/ld+json">{']
)
def test_linked_data_of_no_use_do_no_harm(source: str) -> None:
    assert metadata(source) == {}


def test_an_address_is_no_author_and_a_sentence_no_language() -> None:
    assert metadata('<html lang="all of them"><meta name=author content="https://example.org/writers/1">') == {}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2024-05-31", "2024-05-31"),
        ("2024-05-31T08:30Z", "2024-05-31T08:30Z"),
        ("2024-05-31 08:30:15.250 +0200", "2024-05-31T08:30:15+0200"),
        ("2024-02-30", ""),
        ("31.5.2024", ""),
    ],
)
def test_dates_are_iso_dates(written: str, read: str) -> None:
    assert iso_date(written) == read
