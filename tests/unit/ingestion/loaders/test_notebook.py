"""Jupyter notebooks: cells in order, outputs within bounds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rag_engine.errors import EmptySourceError, ParsingError, SourceTooLargeError
from rag_engine.ingestion.loaders.notebook import NotebookLoader
from rag_engine.types.document import BlockKind, Document, Truncation
from rag_engine.types.ingestion import LoadLimits


def load(value: Any, *, max_characters: int = 100_000) -> Document:
    data = json.dumps(value).encode()
    (document,) = NotebookLoader().load(data, name="a.ipynb", limits=LoadLimits(max_characters))
    return document


def code(source: Any, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "outputs": list(outputs)}


def parts(document: Document) -> list[tuple[BlockKind, str]]:
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def test_cells_are_blocks_in_order_with_the_headings_of_markdown() -> None:
    document = load(
        {
            "cells": [
                {"cell_type": "markdown", "source": ["# Owls\n", "\n", "They *hunt*.\n", "\n", "- at night"]},
                code(["import owls\n", "owls.count()"], {"output_type": "stream", "text": ["12\n"]}),
                {"cell_type": "raw", "source": "As it is."},
            ],
            "metadata": {"kernelspec": {"language": "R"}, "authors": [{"name": "Ann"}, {"name": "Bob"}]},
        }
    )
    assert document.text == "# Owls\n\nThey *hunt*.\n\n- at night\n\nimport owls\nowls.count()\n\n12\n\nAs it is."
    assert parts(document) == [
        (BlockKind.HEADING, "# Owls"),
        (BlockKind.PARAGRAPH, "They *hunt*."),
        (BlockKind.LIST, "- at night"),
        (BlockKind.CODE, "import owls\nowls.count()"),
        (BlockKind.CODE, "12"),
        (BlockKind.PARAGRAPH, "As it is."),
    ]
    assert document.title == "Owls"
    assert document.metadata == {"programming_language": "r", "author": "Ann, Bob"}


def test_outputs_are_their_plain_text_without_colours_and_images_are_left_out() -> None:
    document = load(
        {
            "cells": [
                code(
                    "f()",
                    {"output_type": "error", "ename": "E", "traceback": ["\x1b[0;31mE\x1b[0m: bad", "line 1"]},
                    {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo="}},
                    {"output_type": "execute_result", "data": {"text/plain": "   a\n0  1", "text/html": "<b>x"}},
                    {"output_type": "display_data", "data": {"text/html": "<script>x</script><p>Only <b>HTML"}},
                )
            ]
        }
    )
    assert [text for _, text in parts(document)] == ["f()", "E: bad\nline 1", "   a\n0  1", "Only HTML"]


def test_a_long_output_is_cut_at_a_line_and_said_to_be() -> None:
    document = load({"cells": [code("log()", {"output_type": "stream", "text": "0123456789\n" * 1000})]})
    assert document.text.count("0123456789") == 909
    assert document.truncations == (Truncation("characters of an output of cell 1", 9998, 10_999),)


def test_notebooks_of_format_3_are_read() -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": "Old"},
        {"cell_type": "code", "input": "1+1", "outputs": [{"output_type": "pyout", "text": ["2"]}]},
    ]
    document = load({"worksheets": [{"cells": cells}]})
    assert (document.text, document.title) == ("## Old\n\n1+1\n\n2", "Old")


@pytest.mark.parametrize("value", [[], {}, {"cells": None}, {"worksheets": 1}, "x"])
def test_what_has_no_cells_is_no_notebook(value: Any) -> None:
    with pytest.raises(ParsingError):
        load(value)


@pytest.mark.parametrize(
    "cell", [1, None, {}, {"cell_type": "code", "source": 5, "outputs": 7}, code(" ", {"data": 1})]
)
def test_odd_cells_are_passed_over(cell: Any) -> None:
    assert load({"cells": [cell, code("x = 1")]}).text == "x = 1"
    with pytest.raises(EmptySourceError):
        load({"cells": [cell]})


def test_text_over_the_limit_is_refused() -> None:
    with pytest.raises(SourceTooLargeError):
        load({"cells": [code("x" * 60), code("y" * 60)]}, max_characters=100)


def test_a_table_of_html_that_is_longer_as_text_is_kept() -> None:
    html = f"<table><tr><th>{'N' * 100}</th><th>b</th></tr>{'<tr><td>1</td><td>2</td></tr>' * 50}</table>"
    cell = {
        "cell_type": "code",
        "source": "t",
        "outputs": [{"output_type": "display_data", "data": {"text/html": html}}],
    }
    data = json.dumps({"cells": [cell]}).encode()
    (document,) = NotebookLoader().load(data, name="a.ipynb", limits=LoadLimits(100_000))
    assert document.text.count("N: 1; b: 2") == 50


def test_an_early_line_break_does_not_cost_the_rest_of_a_long_output() -> None:
    cell = {"cell_type": "code", "source": "t", "outputs": [{"output_type": "stream", "text": "a\n" + "x" * 20_000}]}
    data = json.dumps({"cells": [cell]}).encode()
    (document,) = NotebookLoader().load(data, name="a.ipynb", limits=LoadLimits(100_000))
    assert document.truncations[0].kept == 10_000
