import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import EmptySourceError, SourceTooLargeError
from rag_engine.ingestion.loaders.html import HtmlLoader
from rag_engine.types.document import BlockKind, Document

PAGE = """<!doctype html><html lang="de"><head><meta charset="utf-8"><title> The
 page </title><meta name="description" content="What it is"><meta name=author content="A. Writer">
<style>p {}</style></head><body><header><a>Logo</a></header><nav><a>Home</a></nav>
<article><header><h1>Main <em>words</em></h1></header>
<p>A   paragraph with <b>bold</b>,<br>a break and <a href=x>a link</a>.<script>bad()</script></p>
<ul><li>one<li><p>two</p><ul><li>inner</ul></ul>
<table><caption>Prices</caption><tr><th>Item<th>Price</tr><tr><td>Apple<td>1&nbsp;€</tr></table>
<pre>
def f():
    return 1
</pre><div>loose <p>inner</p> tail</div></article><footer>Imprint</footer></body></html>"""


def load(source: str, *, max_characters: int = 10**6) -> Document:
    (document,) = HtmlLoader().load(source.encode(), name="n.html", max_characters=max_characters)
    return document


def slices(document: Document) -> list[tuple[BlockKind, str]]:
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def test_content_becomes_blocks_and_furniture_is_left_out() -> None:
    document = load(PAGE)
    assert slices(document) == [
        (BlockKind.HEADING, "Main words"),
        (BlockKind.PARAGRAPH, "A paragraph with bold,\na break and a link."),
        (BlockKind.LIST, "- one\n- two\n  - inner"),
        (BlockKind.TABLE, "Prices\nItem | Price\nApple | 1 €"),
        (BlockKind.CODE, "def f():\n    return 1"),
        (BlockKind.PARAGRAPH, "loose"),
        (BlockKind.PARAGRAPH, "inner"),
        (BlockKind.PARAGRAPH, "tail"),
    ]
    assert document.text == "\n\n".join(text for _, text in slices(document))
    assert document.blocks[0].level == 1


def test_title_and_metadata_come_from_the_head() -> None:
    document = load(PAGE)
    assert document.title == "The page"
    assert document.metadata == {"description": "What it is", "author": "A. Writer", "language": "de"}
    assert load("<h1>Only this</h1>").title == "Only this"


def test_a_page_of_nothing_but_furniture_is_read_whole() -> None:
    assert load("<nav><a>Home</a></nav><footer>Imprint</footer>").text == "Home\n\nImprint"


def test_a_page_without_text_is_empty() -> None:
    with pytest.raises(EmptySourceError):
        load("<html><body><script>x()</script><img src=y></body></html>")


def test_the_main_element_is_the_content_where_there_is_one() -> None:
    assert load("<div>around</div><main><p>inside</p></main>").text == "inside"


def test_tables_that_lay_out_a_page_are_not_tables() -> None:
    document = load("<table><tr><td><h1>Title</h1><p>text</p></td><td><table><tr><td>a<td>b</table></td></tr></table>")
    assert slices(document) == [
        (BlockKind.HEADING, "Title"),
        (BlockKind.PARAGRAPH, "text"),
        (BlockKind.TABLE, "a | b"),
    ]


@pytest.mark.parametrize("tag", ["div", "ul><li", "blockquote", "b", "table><tr><td", "font", "pre"])
def test_nesting_deeper_than_any_stack_does_no_harm(tag: str) -> None:
    assert load(f"<{tag}>" * (100_000 if tag == "b" else 5_000) + "deep").text.strip("- ") == "deep"


def test_the_limit_counts_text_not_markup() -> None:
    source = "<p>" + "<!-- long -->" * 1000 + "short</p>"
    assert load(source, max_characters=10).text == "short"
    with pytest.raises(SourceTooLargeError):
        load("<p>" + "x" * 11, max_characters=10)


FRAGMENTS = [
    *("<p>", "</p>", "<ul>", "<li>", "</ul>", "<table>", "<tr>", "<td>", "</table>", "<caption>", "<pre>", "</pre>"),
    *("<h2>", "</h2>", "<br>", "<div>", "</div>", "<a>", " ", "\n", "words", "x", "&#0;"),
]


@given(st.lists(st.sampled_from(FRAGMENTS)).map("".join))
def test_blocks_lie_in_order_and_make_up_the_text(source: str) -> None:
    document = load(source + "end")
    assert document.text == "\n\n".join(text for _, text in slices(document))
    assert all(text == text.strip("\n") and text.strip() for _, text in slices(document))
    assert sum(document.text.count(letter) for letter in "x") == source.count("x")
