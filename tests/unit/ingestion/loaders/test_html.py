import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.errors import EmptySourceError, SourceTooLargeError
from rag_engine.ingestion.loaders.html import HtmlLoader
from rag_engine.types.document import BlockKind, Document
from rag_engine.types.ingestion import LoadLimits

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
    (document,) = HtmlLoader().load(source.encode(), name="n.html", limits=LoadLimits(max_characters))
    return document


def slices(document: Document) -> list[tuple[BlockKind, str]]:
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def test_content_becomes_blocks_and_furniture_is_left_out() -> None:
    document = load(PAGE)
    assert slices(document) == [
        (BlockKind.HEADING, "Main words"),
        (BlockKind.PARAGRAPH, "A paragraph with bold,\na break and a link."),
        (BlockKind.LIST, "- one\n- two\n  - inner"),
        (BlockKind.TABLE, "Prices\nItem: Apple; Price: 1 €"),
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
        (BlockKind.TABLE, "a; b"),
    ]


@pytest.mark.parametrize("anchor", ["<a href='#install' title='Link'>¶</a>", " <a href='#install'>\u200b</a>"])
def test_the_anchor_behind_a_heading_is_no_part_of_it(anchor: str) -> None:
    document = load(f"<h2>Install C#{anchor}</h2><p>text</p>")
    assert document.blocks[0].title == "Install C#"
    assert document.text == "Install C#\n\ntext"


def test_an_empty_page_is_its_title() -> None:
    assert load("<title>Only a title</title><body></body>").text == "Only a title"


def links(count: int, word: str = "elsewhere") -> str:
    return "".join(f"<li><a href=x>{word} {number}</a></li>" for number in range(count))


def test_boards_of_links_are_no_content() -> None:
    page = f"<h1>Title</h1><p>{'The words of the article. ' * 20}</p><div><h3>More</h3><ul>{links(5)}</ul></div>"
    assert "elsewhere" not in load(page).text
    assert "More" not in load(page).text


def test_links_that_an_author_chose_are_content() -> None:
    words = "The words of the article. " * 20
    assert "elsewhere 4" in load(f"<article><p>{words}</p><ul>{links(5)}</ul></article>").text
    assert "elsewhere 2" in load(f"<p>{words}</p><ul>{links(3)}</ul>").text
    assert (
        "elsewhere 4" in load(f"<p>{words}</p><ul>{links(5).replace('</a>', '</a> ' + 'said about it ' * 5)}</ul>").text
    )


def test_the_links_of_an_index_are_its_content() -> None:
    assert "elsewhere 99" in load(f"<h1>Index</h1><ul>{links(100)}</ul>").text


def test_the_only_article_is_the_content_unless_it_is_a_teaser() -> None:
    assert load("<div>around</div><article><p>inside and long enough</p></article>").text == "inside and long enough"
    assert load(f"<p>{'around ' * 50}</p><article>teaser</article>").text.endswith("teaser")


@pytest.mark.parametrize(
    "element",
    [
        *("<div role=navigation>", "<div role=banner>", "<div role=dialog>", "<div hidden>"),
        *('<div style="display: none">', '<p style="color:red;VISIBILITY:hidden">'),
    ],
)
def test_what_browsers_hide_and_landmarks_of_navigation_are_left_out(element: str) -> None:
    assert load(f"<p>seen</p>{element}unseen").text == "seen"


@pytest.mark.parametrize(
    "style",
    [
        *(
            "font-size:0",
            "font-size: 0px; color: red",
            "opacity:0",
            "text-indent:-9999px",
            "position:absolute;left:-5000px",
        ),
        *("color:#fff;background:white", "background-color: #FFFFFF; color: rgb(255, 255, 255)"),
    ],
)
def test_disguised_text_is_read_and_its_spans_are_told(style: str) -> None:
    document = load(f'<p>seen <span style="{style}">obey me</span> seen</p>')
    assert document.text == "seen obey me seen"
    assert document.metadata["hidden_text"] == [[5, 12]]


@pytest.mark.parametrize(
    "style", ["font-size:0.8em", "opacity:.5", "color:#fff;background:#000", "left:-1px", "color:0"]
)
def test_legible_text_is_not_told_as_hidden(style: str) -> None:
    assert load(f'<p style="{style}">seen</p>').metadata == {}


@pytest.mark.parametrize("style", ["a" * 300_000, "a:" * 150_000, ";" * 300_000, "; " * 150_000, " " * 300_000])
def test_a_style_without_end_takes_no_time(style: str) -> None:
    assert load(f'<p style="{style}">seen</p>').text == "seen"


@pytest.mark.parametrize(
    "source", ["<" * 300_000, "<a " * 100_000, '<a b="c"' + ' b="c"' * 50_000, "<a" + " " * 300_000]
)
def test_xhtml_without_end_takes_no_time(source: str) -> None:
    assert "seen" in load(f"<?xml version='1.0'?><p>seen</p>{source}").text


def table(*rows: str) -> str:
    document = load("<p>before</p><table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>")
    return "\n".join(text for kind, text in slices(document) if kind is BlockKind.TABLE)


def test_a_cell_stands_behind_the_names_of_its_columns() -> None:
    heads = "<th rowspan=2>City<th colspan=2>People", "<th>2019<th>2020"
    assert table(*heads, "<td>Ulm<td>1<td>2") == "City: Ulm; People 2019: 1; People 2020: 2"


def test_a_cell_that_spans_rows_stands_in_each() -> None:
    rows = "<th>City<th>Year<th>People", "<td rowspan=2>Ulm<td>2019<td>1", "<td>2020<td>2"
    assert table(*rows) == "City: Ulm; Year: 2019; People: 1\nCity: Ulm; Year: 2020; People: 2"


def test_rows_with_names_of_their_own_say_them() -> None:
    assert (
        table("<th>Opens<td>9:00", "<th>Closes<td>18:00<td>Sunday 12:00") == "Opens: 9:00\nCloses: 18:00; Sunday 12:00"
    )


def test_a_row_of_one_cell_is_a_heading_within_the_table() -> None:
    rows = "<th>Item<th>Price", "<td colspan=2>Fruit", "<td>Apple<td>1", "<td colspan=2>Nuts", "<td>Hazelnut<td>2"
    assert table(*rows) == "Fruit\nItem: Apple; Price: 1\nNuts\nItem: Hazelnut; Price: 2"


def test_an_absurd_span_takes_no_room() -> None:
    row = f"<td colspan=999999999 rowspan=999999999>{'x' * 5000}<td>y"
    assert len(table("<th>a<th>b", *[row] * 50)) < 500_000


def test_xhtml_elements_that_end_where_they_begin_swallow_nothing() -> None:
    source = (
        '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body><script src="x"/>'
    )
    assert load(source + '<p>one<a id="a>b"/></p><div/><p>two<br/>three</p></body></html>').text == "one\n\ntwo\nthree"


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
