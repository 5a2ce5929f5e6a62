from __future__ import annotations

from itertools import pairwise

import pytest

from rag_engine.errors import ConfigurationError
from rag_engine.semantic_chunking import FixedWindowChunker
from rag_engine.token_counter import ModelTokenizer
from rag_engine.types.document import Document


def test_windows_are_of_the_same_number_of_tokens(tokenizer: ModelTokenizer) -> None:
    text = "cat dog " * 50
    chunks = FixedWindowChunker(tokenizer=tokenizer, window_tokens=22).chunk(Document("d", text))
    assert [chunk.tokens for chunk in chunks] == [22] * 5
    assert {chunk.text for chunk in chunks} == {" ".join(["cat dog"] * 10)}


def test_windows_share_the_overlap(tokenizer: ModelTokenizer) -> None:
    text = " ".join(["cat", "dog", "cow", "pig"] * 10)
    chunks = FixedWindowChunker(tokenizer=tokenizer, window_tokens=10, overlap_tokens=2).chunk(Document("d", text))
    words = [chunk.text.split() for chunk in chunks]
    assert all(left[-2:] == right[:2] for left, right in pairwise(words))
    assert chunks[-1].end == len(text)


def test_the_embedded_text_is_the_plain_text(tokenizer: ModelTokenizer) -> None:
    (chunk,) = FixedWindowChunker(tokenizer=tokenizer, window_tokens=64).chunk(Document("d", "# A\n\nb", title="T"))
    assert chunk.embedded_text == chunk.text == "# A\n\nb"
    assert chunk.heading_path == ()


@pytest.mark.parametrize(("window", "overlap"), [(2, 0), (0, 0), (10, 8), (10, -1)])
def test_a_window_that_cannot_move_is_refused(tokenizer: ModelTokenizer, window: int, overlap: int) -> None:
    with pytest.raises(ConfigurationError, match="window"):
        FixedWindowChunker(tokenizer=tokenizer, window_tokens=window, overlap_tokens=overlap)
