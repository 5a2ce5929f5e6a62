from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rag_engine.semantic_chunking.structure import read_structure
from rag_engine.types.document import Block, BlockKind, Document
from tests.unit.semantic_chunking.conftest import titles

PLAIN = """Opening words
on two lines.

# Guide

Intro paragraph.

## Install ##

- first
  more of it
- second

| a | b |
|---|---|
| 1 | 2 |

```python
# not a heading

x = 1
```

Underlined
==========

Last words.
"""


def outline(document: Document) -> list[tuple[str, str, tuple[str, ...]]]:
    return [
        (unit.kind.value, document.text[unit.start : unit.end].split("\n")[0], titles(unit))
        for unit in read_structure(document)
    ]


def test_plain_text_is_read_for_headings_lists_tables_fences_and_paragraphs() -> None:
    assert outline(Document("d", PLAIN)) == [
        ("paragraph", "Opening words", ()),
        ("heading", "# Guide", ("Guide",)),
        ("paragraph", "Intro paragraph.", ("Guide",)),
        ("heading", "## Install ##", ("Guide", "Install")),
        ("list", "- first", ("Guide", "Install")),
        ("table", "| a | b |", ("Guide", "Install")),
        ("code", "```python", ("Guide", "Install")),
        ("heading", "Underlined", ("Underlined",)),
        ("paragraph", "Last words.", ("Underlined",)),
    ]


def test_doubtful_lines_are_no_headings() -> None:
    text = "ALL CAPITALS\n\n1.2 Numbered title\n\n# a comment\nimport os\n\nText\n----\n\n#hashtag"
    assert not any(unit.kind is BlockKind.HEADING for unit in read_structure(Document("d", text)))


def test_lines_that_end_as_statements_do_are_code() -> None:
    text = (
        "int main() {\n  puts(message);\n  return 0;\n}\n\nProse that goes on,\nand on, as prose does,\nuntil it ends."
    )
    assert [unit.kind for unit in read_structure(Document("d", text))] == [BlockKind.CODE, BlockKind.PARAGRAPH]


def test_an_unclosed_fence_swallows_nothing() -> None:
    units = read_structure(Document("d", "```\nhanging\n\n# Heading\n\nText"))
    assert [unit.kind for unit in units] == [BlockKind.PARAGRAPH, BlockKind.HEADING, BlockKind.PARAGRAPH]


def test_blocks_of_the_document_are_believed_and_what_they_leave_out_becomes_paragraphs() -> None:
    text = "Title\n\nleft out\n\n# not a heading\n===\nBody\n---"
    body = text.index("Body")
    blocks = (
        Block(BlockKind.HEADING, 0, 6, 1, "Title"),
        Block(BlockKind.PARAGRAPH, body, body + 4),
    )
    assert outline(Document("d", text, blocks=blocks)) == [
        ("heading", "Title", ("Title",)),
        ("paragraph", "left out", ("Title",)),
        ("paragraph", "# not a heading", ("Title",)),
        ("paragraph", "Body", ("Title",)),
    ]


def test_markup_without_words_belongs_to_the_unit_before_it() -> None:
    text = "One\n* * *\nTwo"
    blocks = (Block(BlockKind.PARAGRAPH, 0, 3), Block(BlockKind.PARAGRAPH, 10, 13))
    units = read_structure(Document("d", text, blocks=blocks))
    assert [text[unit.start : unit.end] for unit in units] == ["One\n* * *", "Two"]


def test_a_heading_closes_the_headings_of_its_level_and_below() -> None:
    text = "# A\n\n### B\n\n## C\n\n# D\n\nend"
    assert [titles(unit) for unit in read_structure(Document("d", text))] == [
        ("A",),
        ("A", "B"),
        ("A", "C"),
        ("D",),
        ("D",),
    ]


def test_an_endless_heading_is_cut_in_the_path_only() -> None:
    text = "word " * 1000
    (unit,) = read_structure(Document("d", text, blocks=(Block(BlockKind.HEADING, 0, len(text), 1),)))
    assert unit.end == len(text.rstrip())
    assert len(titles(unit)[0]) <= 200
    assert titles(unit)[0].endswith("word…")


LINES = st.sampled_from(
    [
        "",
        " ",
        "# A",
        "## B",
        "- item",
        "  more",
        "1. one",
        "| a |",
        "```",
        "~~~",
        "===",
        "x;",
        "a {",
        "}",
        "Text.",
        "\x0c",
    ]
)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    text = draw(st.lists(LINES, max_size=40).map("\n".join) | st.text(max_size=100))
    edges = sorted(draw(st.lists(st.integers(0, len(text) + 3), max_size=12)))
    kinds = draw(st.lists(st.sampled_from(list(BlockKind)), min_size=6, max_size=6))
    pairs = zip(kinds, edges[::2], edges[1::2], strict=False)
    return Document("d", text, blocks=tuple(Block(kind, start, end, 1) for kind, start, end in pairs))


@given(documents())
def test_units_are_ordered_trimmed_and_cover_every_visible_character(document: Document) -> None:
    position = 0
    for unit in read_structure(document):
        content = document.text[unit.start : unit.end]
        assert position <= unit.start
        assert not document.text[position : unit.start].strip()
        assert content == content.strip() != ""
        position = unit.end
    assert not document.text[position:].strip()


def test_code_behind_a_class_is_not_under_it() -> None:
    text = "class A\n  def f\n    1\n  x\ny"
    blocks = (
        Block(BlockKind.HEADING, 0, 7, 1, "class A"),
        Block(BlockKind.HEADING, 8, 15, 2, "method f"),
        Block(BlockKind.CODE, 16, 21),
        Block(BlockKind.CODE, 22, 25, 2),
        Block(BlockKind.CODE, 26, 27, 1),
    )
    assert outline(Document("d", text, blocks=blocks)) == [
        ("heading", "class A", ("class A",)),
        ("heading", "def f", ("class A", "method f")),
        ("code", "1", ("class A", "method f")),
        ("code", "x", ("class A",)),
        ("code", "y", ()),
    ]
