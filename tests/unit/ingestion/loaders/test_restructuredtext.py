"""reStructuredText: its own source, told apart as docutils does."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.ingestion.loaders.restructuredtext import RestructuredTextLoader
from rag_engine.types.document import BlockKind, Document
from rag_engine.types.ingestion import LoadLimits


def load(source: str) -> Document:
    (document,) = RestructuredTextLoader().load(source.encode(), name="a.rst", limits=LoadLimits(100_000))
    return document


def kinds(source: str) -> list[tuple[str, str]]:
    document = load(source)
    return [(block.kind.value, document.text[block.start : block.end]) for block in document.blocks]


def headings(source: str) -> list[tuple[int, str]]:
    return [(block.level, block.title) for block in load(source).blocks if block.kind is BlockKind.HEADING]


def sections_of_docutils(source: str) -> list[tuple[int, str]]:
    from docutils import core, nodes

    settings = {
        "report_level": 5,
        "halt_level": 6,
        "file_insertion_enabled": False,
        "raw_enabled": False,
        "doctitle_xform": False,
        "docinfo_xform": False,
        "warning_stream": io.StringIO(),
    }
    found: list[tuple[int, str]] = []

    def walk(node: Any, level: int) -> None:
        for child in node.children:
            if isinstance(child, nodes.section):
                found.append((level, " ".join(child.children[0].astext().split())))
                walk(child, level + 1)

    walk(core.publish_doctree(source, settings_overrides=settings), 1)
    return found


SOURCE = """\
=====
Title
=====

:Author: Ann
:Date: 2024-05-31
:Keywords: birds, owls

Intro with ``code`` ends::

    literal = 1

    more

First
-----
- one

  more of one
- two

1. a
2. b

Second *part*
~~~~~~~~~~~~~

=====  =====
A      B
=====  =====
1      2

3      4
=====  =====

+---+---+
| a | b |
+---+---+

.. code-block:: python

   def f(): ...

.. note:: Careful.

>>> 1 + 1
2

----

Last 日本
---------
The end.
"""


def test_the_source_is_the_text_and_its_parts_are_told_apart() -> None:
    assert load(SOURCE).text == SOURCE
    assert kinds(SOURCE) == [
        ("heading", "=====\nTitle\n====="),
        ("list", ":Author: Ann\n:Date: 2024-05-31\n:Keywords: birds, owls"),
        ("paragraph", "Intro with ``code`` ends::"),
        ("code", "    literal = 1\n\n    more"),
        ("heading", "First\n-----"),
        ("list", "- one\n\n  more of one\n- two"),
        ("list", "1. a\n2. b"),
        ("heading", "Second *part*\n~~~~~~~~~~~~~"),
        ("table", "=====  =====\nA      B\n=====  =====\n1      2\n\n3      4\n=====  ====="),
        ("table", "+---+---+\n| a | b |\n+---+---+"),
        ("code", ".. code-block:: python\n\n   def f(): ..."),
        ("paragraph", ".. note:: Careful."),
        ("code", ">>> 1 + 1\n2"),
        ("heading", "Last 日本\n---------"),
        ("paragraph", "The end."),
    ]


def test_title_and_metadata_are_those_at_the_top() -> None:
    document = load(SOURCE)
    assert document.title == "Title"
    assert document.metadata == {"author": "Ann", "created": "2024-05-31", "keywords": "birds, owls"}


@pytest.mark.parametrize(
    "source",
    [
        SOURCE,
        "A\n=\n\nB\n-\n\nC\n=\n\ntext\n",
        "A title\n===\n\ntext\n",  # an underline that is too short, and too short to be one
        "A longer title\n====\n\ntext\n",  # too short, yet long enough to be meant
        "text\nof two lines\n============\n",
        "====\nOver\n====\n\nUnder\n====\n",
        "=======\n  Over \n=======\n",
        "日本語\n===\n\n日本語\n======\n",
        "    indented\n    ========\n\ntext\n",
        "- item\n\nTitle\n-----\n",
        "para::\n\n  code\n  ----\n\nTitle\n-----\n",
        "- - -\n\n---\n\n",
        ".. comment\n   more\n\nTitle\n#####\n",
        "A ``code`` title\n================\n",
    ],
)
def test_sections_are_those_that_docutils_sees(source: str) -> None:
    assert headings(source) == sections_of_docutils(source)


def test_titles_are_their_words_without_markup() -> None:
    source = "A :ref:`link <x>` to `here`_, **bold** and |that|\n" + "=" * 60 + "\n"
    assert headings(source) == [(1, "A link to here, bold and that")]


@given(st.text(st.sampled_from("ab=-~ \n\t:.*+|>`1日"), max_size=120))
def test_blocks_are_in_order_and_leave_out_no_word(source: str) -> None:
    if not source.strip():
        return
    document = load(source)
    position = 0
    for block in document.blocks:
        assert position <= block.start < block.end <= len(document.text)
        assert not any(map(str.isalnum, document.text[position : block.start]))
        position = block.end
    assert not any(map(str.isalnum, document.text[position:]))


def test_nothing_is_included() -> None:
    source = ".. include:: /etc/passwd\n\n.. raw:: html\n   :file: /etc/passwd\n"
    assert load(source).text == source
