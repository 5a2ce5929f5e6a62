from hypothesis import given
from hypothesis import strategies as st

from rag_engine.ingestion.loaders.markdown import MarkdownLoader
from rag_engine.types.document import BlockKind, Document
from rag_engine.types.ingestion import LoadLimits

SOURCE = """---
title: "The handbook"
version: 3
draft: false
tags:
  - one
---

# Getting *started* with `rag`

First paragraph
on two lines.

- one
- two
  - nested

1. first

| a | b |
|---|---|
| 1 | 2 |

```python
# not a heading
```

> quoted

Details
-------

    indented code
"""


def load(text: str) -> Document:
    (document,) = MarkdownLoader().load(text.encode(), name="n.md", limits=LoadLimits(10**6))
    return document


def slices(document: Document) -> list[tuple[BlockKind, str]]:
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def test_blocks_are_the_exact_lines_of_the_source() -> None:
    document = load(SOURCE)
    assert document.text == SOURCE
    assert slices(document) == [
        (BlockKind.HEADING, "# Getting *started* with `rag`"),
        (BlockKind.PARAGRAPH, "First paragraph\non two lines."),
        (BlockKind.LIST, "- one\n- two\n  - nested"),
        (BlockKind.LIST, "1. first"),
        (BlockKind.TABLE, "| a | b |\n|---|---|\n| 1 | 2 |"),
        (BlockKind.CODE, "```python\n# not a heading\n```"),
        (BlockKind.PARAGRAPH, "> quoted"),
        (BlockKind.HEADING, "Details\n-------"),
        (BlockKind.CODE, "    indented code"),
    ]


def test_headings_carry_level_and_words_without_markup() -> None:
    headings = [block for block in load(SOURCE).blocks if block.kind is BlockKind.HEADING]
    assert [(block.level, block.title) for block in headings] == [(1, "Getting started with rag"), (2, "Details")]
    (linked,) = load("## See [the *docs*](http://x) ![logo](y.png) &amp; <b>more</b>").blocks
    assert linked.title == "See the docs logo & more"


def test_front_matter_gives_metadata_and_title_and_stays_in_the_text() -> None:
    document = load(SOURCE)
    assert document.title == "The handbook"
    assert document.metadata == {"title": "The handbook", "version": 3, "draft": False}
    assert document.text.startswith("---\ntitle")


def test_without_front_matter_the_first_heading_of_level_one_is_the_title() -> None:
    assert load("## Two\n\n# One\n").title == "One"
    assert load("## Two\n\n### Three\n").title == "Two"
    assert load("no heading").title == ""


def test_a_rule_at_the_start_is_not_front_matter() -> None:
    document = load("---\n\nJust text, then a rule.\n\n---\n\nMore.")
    assert document.metadata == {}
    assert (BlockKind.PARAGRAPH, "More.") in slices(document)


def test_windows_line_ends_do_not_shift_blocks() -> None:
    document = load("# A\r\n\r\ntext\r\n")
    assert slices(document) == [(BlockKind.HEADING, "# A"), (BlockKind.PARAGRAPH, "text")]


def test_a_hundred_thousand_nested_quotes_do_no_harm() -> None:
    assert load(">" * 20_000 + " deep").text.endswith("deep")


LINES = [
    *("# h", "text", "- i", "> q", "```", "| a |", "|---|", "    c", "", "---", "a: b", "\x0b\x85", "<div>", "==="),
    *("1) x", "\t- y"),
]


@given(st.lists(st.sampled_from(LINES)).map("\n".join))
def test_blocks_lie_in_order_within_the_text_and_hold_something(source: str) -> None:
    if not source.strip():
        return
    document = load(source + "\nend")
    position = 0
    for block in document.blocks:
        assert position <= block.start < block.end <= len(document.text)
        assert document.text[block.start : block.end].strip()
        position = block.end
