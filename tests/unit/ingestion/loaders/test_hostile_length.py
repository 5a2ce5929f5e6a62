"""What is long is read in a time that grows with its length, not with its square or worse."""

from __future__ import annotations

import json
import time
from contextlib import suppress

import pytest

from rag_engine.errors import IngestionError
from rag_engine.ingestion.loaders import select_loader
from rag_engine.types.ingestion import LoadLimits

SECONDS = 5  # each took minutes, or for ever


@pytest.mark.parametrize(
    ("name", "data"),
    [
        pytest.param("a.vue", b"<!-- a -->\n" * 40 + b"x", id="comments before what is no page"),
        pytest.param("a.md", b"---\n" + b"-a: b\n" * 40 + b"x", id="front matter that does not end"),
        pytest.param("a.md", b"---\na: x" + b" " * 200_000 + b"y\n---\nhello", id="spaces in front matter"),
        pytest.param("a.csv", b"1" * 200_000 + b"x,b\n1,2\n", id="digits in a header"),
        pytest.param("a.rst", b"A word or two.\n\n" * 50_000, id="paragraphs"),
        pytest.param("a.rst", b":a" * 50_000 + b"\n====\n", id="roles in a title"),
        pytest.param("a.rst", b"`" + b" " * 200_000 + b"x\n====\n", id="spaces in a title"),
        pytest.param("a.rst", b"=== ===\nx\n\n" * 20_000, id="tables that do not end"),
        pytest.param(
            "a.xml",
            b"<r>" + b"".join(b"<a%d>x</a%d>" % (n, n) for n in range(20_000)) + b"<p>a <b>x</b></p></r>",
            id="fields of different names",
        ),
        pytest.param("a.json", json.dumps({"k" * 1_000_000: [None] * 100_000}).encode(), id="nulls under a long key"),
        pytest.param("a.eml", b"Content-Type: text/plain" + b";" * 1_000_000 + b"\n\nhi", id="parameters of a header"),
        pytest.param("a.html", b"<html>" + b"<ul><li>a" * 100_000, id="lists in lists"),
        pytest.param(
            "a.html",
            b"<html><table>"
            + (b"<tr><th colspan=1000 rowspan=1000>" + b"x" * 200 + b"</th></tr>" + b"<tr><td>y</td></tr>" * 999) * 5,
            id="cells that span a million",
        ),
    ],
)
def test_a_long_file_is_read_or_refused_in_seconds(name: str, data: bytes) -> None:
    begun = time.process_time()
    with suppress(IngestionError):
        list(select_loader(name, data).load(data, name=name, limits=LoadLimits(20_000_000)))
    assert time.process_time() - begun < SECONDS
