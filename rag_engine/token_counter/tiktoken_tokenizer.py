"""OpenAI's byte-pair encodings, exactly as tiktoken counts them."""

from __future__ import annotations

from collections.abc import Sequence

from rag_engine.protocols import Encoding
from rag_engine.token_counter.tiktoken_ranks import load_encoding


class TiktokenTokenizer:
    """One of OpenAI's encodings. Its ranks come from TIKTOKEN_CACHE_DIR, or from where tiktoken has kept them; the
    network is never asked."""

    exact = True
    separators = ""
    special_tokens = 0

    def __init__(self, encoding: str = "o200k_base") -> None:
        """Raises ModelNotFoundError where the encoding is unknown or its ranks cannot be had."""
        self._encoding = load_encoding(encoding)
        self.name = encoding

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text; text that looks like a special token counts as text."""
        if len(texts) == 1:  # without the pool of threads that a batch starts
            return [len(self._encoding.encode_ordinary(texts[0]))]
        return [len(tokens) for tokens in self._encoding.encode_ordinary_batch(list(texts))]

    def encode(self, text: str) -> Encoding:
        """The tokens of a text; one that starts inside a character starts with that character."""
        import numpy as np

        tokens = self._encoding.encode_ordinary(text)
        _, starts = self._encoding.decode_with_offsets(tokens)
        edges = np.asarray([*starts, len(text)], dtype=np.int64)
        return Encoding(np.asarray(tokens, dtype=np.int32), np.stack([edges[:-1], edges[1:]], axis=1))

    def vocabulary(self) -> list[str]:
        """None: many of its tokens are parts of characters."""
        return []
