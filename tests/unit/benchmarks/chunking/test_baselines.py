"""The baselines cut as the methods they stand for do, on texts small enough to cut by hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise, product
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.chunking.baselines import AverageSizeChunker, ClusterChunker, PercentileChunker, RecursiveChunker
from benchmarks.chunking.baselines.cluster import best_segments
from benchmarks.faults.hashing_embedder import HashingEmbedder
from rag_engine.errors import ConfigurationError
from rag_engine.protocols import Chunker, Encoding
from rag_engine.types.document import Document

if TYPE_CHECKING:
    from rag_engine.protocols import Vectors


class WordTokenizer:
    """A token is a word with the marks behind it; no special tokens."""

    name = "words"
    exact = True
    separators = ""
    special_tokens = 0

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def encode(self, text: str) -> Encoding:
        offsets = np.asarray([match.span() for match in re.finditer(r"\S+", text)], dtype=np.int64).reshape(-1, 2)
        return Encoding(np.zeros(len(offsets), dtype=np.int32), offsets)

    def vocabulary(self) -> list[str]:
        return []


class TopicEmbedder(HashingEmbedder):
    """Texts of cats and texts of tax lie at right angles; a text of both lies between."""

    def __init__(self) -> None:
        super().__init__()
        self.tokenizer = WordTokenizer()  # type: ignore[assignment]

    def embed(self, texts: Sequence[str]) -> Vectors:
        rows = np.asarray([[text.count("cat"), text.count("tax")] for text in texts], dtype=np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows


def cut(chunker: Chunker, text: str) -> list[str]:
    return [chunk.text for chunk in chunker.chunk(Document("d", text))]


def recursive(size: int, overlap: int = 0) -> RecursiveChunker:
    return RecursiveChunker(tokenizer=WordTokenizer(), chunk_tokens=size, overlap_tokens=overlap)


def test_paragraphs_are_joined_while_they_fit() -> None:
    assert cut(recursive(4), "a b\n\nc d\n\ne f") == ["a b\n\nc d", "e f"]


def test_a_paragraph_that_is_too_large_is_split_at_lines_then_sentences_then_words() -> None:
    assert cut(recursive(3), "a b c\nd e f. g h. i j\n\nk") == ["a b c", "d e f.", "g h.", "i j", "k"]
    assert cut(recursive(2), "a b c d e") == ["a b", "c d", "e"]


def test_what_follows_a_piece_that_is_too_large_is_not_joined_to_its_parts() -> None:
    assert cut(recursive(3), "a b c d\n\ne\n\nf") == ["a b c", "d", "e\n\nf"]


def test_a_separator_stays_with_what_precedes_it() -> None:
    assert cut(recursive(2), "is it? yes it is! so") == ["is it?", "yes it", "is!", "so"]


def test_chunks_overlap_by_whole_pieces_up_to_the_overlap() -> None:
    assert cut(recursive(3, 1), "a b c d e") == ["a b c", "c d e"]
    assert cut(recursive(4, 3), "a b\n\nc d\n\ne f") == ["a b\n\nc d", "c d\n\ne f"]


def test_a_word_without_separators_is_cut_between_tokens() -> None:
    class Letters(WordTokenizer):
        def count(self, texts: Sequence[str]) -> list[int]:
            return list(map(len, texts))

        def encode(self, text: str) -> Encoding:
            offsets = np.asarray([(place, place + 1) for place in range(len(text))], dtype=np.int64).reshape(-1, 2)
            return Encoding(np.zeros(len(text), dtype=np.int32), offsets)

    assert cut(RecursiveChunker(tokenizer=Letters(), chunk_tokens=3), "abcdefgh") == ["abc", "def", "gh"]


def test_percentile_breakpoints_lie_where_neighbouring_groups_differ_most() -> None:
    cats, taxes = " ".join(["A cat."] * 10), " ".join(["A tax."] * 10)

    # Of 19 distances 16 are 0, two are 1 - 2 / sqrt(5), and that of the groups c c t and c t t is 1 - 4 / 5: it alone
    # is above the 95th percentile.
    assert cut(PercentileChunker(embedder=TopicEmbedder()), f"{cats} {taxes}") == [cats, taxes]


def test_a_single_sentence_is_one_chunk_of_any_size() -> None:
    text = "cat " * 1000
    assert cut(PercentileChunker(embedder=TopicEmbedder()), text) == [text.strip()]


@pytest.mark.parametrize("average", [60, 100, 250])
def test_the_average_size_decides_how_many_cuts_there_are(average: int) -> None:
    text = " ".join(f"alpha{number} beta{number % 7} gamma." for number in range(400))
    embedder = HashingEmbedder()

    chunks = AverageSizeChunker(embedder=embedder, average_tokens=average).chunk(Document("d", text))

    assert len(chunks) - 1 == embedder.tokenizer.count([text])[0] // average


def test_clusters_end_where_the_topic_does() -> None:
    cats, taxes = "cat " * 50, "tax " * 50
    embedder = TopicEmbedder()

    assert cut(ClusterChunker(embedder=embedder, most_tokens=200), cats * 2 + taxes * 3) == [
        (cats * 2).strip(),
        (taxes * 3).strip(),
    ]
    assert cut(ClusterChunker(embedder=embedder, most_tokens=100), cats * 2 + taxes * 2) == [
        (cats * 2).strip(),
        (taxes * 2).strip(),
    ]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), pieces=st.integers(1, 9), most=st.integers(1, 4))
def test_the_band_gives_the_segments_that_the_whole_matrix_gives(seed: int, pieces: int, most: int) -> None:
    vectors = np.random.default_rng(seed).standard_normal((pieces, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    matrix = vectors.astype(np.float64) @ vectors.T
    matrix -= matrix[np.triu_indices(pieces, 1)].mean() if pieces > 1 else 0.0
    np.fill_diagonal(matrix, 0.0)

    def worth(ends: Sequence[int]) -> float:
        return sum(float(matrix[first:last, first:last].sum()) for first, last in pairwise([0, *ends]))

    every = (
        [number + 1 for number, ends in enumerate(choice) if ends] + [pieces]
        for choice in product((False, True), repeat=pieces - 1)
    )
    allowed = [ends for ends in every if all(last - first <= most for first, last in pairwise([0, *ends]))]

    found = best_segments(vectors, most=most)

    assert found in allowed
    assert worth(found) == pytest.approx(max(map(worth, allowed)), abs=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: recursive(0),
        lambda: recursive(5, 5),
        lambda: PercentileChunker(embedder=HashingEmbedder(), percentile=101),
        lambda: AverageSizeChunker(embedder=HashingEmbedder(), average_tokens=10),
        lambda: ClusterChunker(embedder=HashingEmbedder(), most_tokens=10),
    ],
)
def test_sizes_that_cannot_be_are_refused(make: object) -> None:
    with pytest.raises(ConfigurationError):
        make()  # type: ignore[operator]
