"""Where a text's tokens begin, found once, so that the size of any span is a matter of two binary searches."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag_engine.protocols import Tokenizer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag_engine.protocols import Numbers, TokenIds

CHARACTERS_PER_TOKEN = 8  # at most, in a chunk: one [UNK] may stand for a megabyte
_PIECE = 100_000  # characters tokenised at a time, which keeps memory flat
_SPACE = re.compile(r"\s")


class TokenPositions:
    """A text's tokens, without special tokens: ``starts`` in characters, shape (tokens,), ascending, and ``ids``."""

    def __init__(self, tokenizer: Tokenizer, text: str) -> None:
        import numpy as np

        starts, ids = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int32)]
        begin = 0
        while begin < len(text):
            space = _SPACE.search(text, begin + _PIECE, begin + 2 * _PIECE)
            end = space.start() if space else min(len(text), begin + 2 * _PIECE)
            encoding = tokenizer.encode(text[begin:end])
            starts.append(encoding.offsets[:, 0] + begin)
            ids.append(encoding.ids)
            begin = end
        self.starts: Numbers = np.concatenate(starts)
        self.ids: TokenIds = np.concatenate(ids)

    def sizes(self, starts: Numbers, ends: Numbers) -> NDArray[np.float64]:
        """Size of each span [start, end): its tokens, or an eighth of its characters where that is more."""
        import numpy as np

        tokens = np.searchsorted(self.starts, ends) - np.searchsorted(self.starts, starts)
        sizes: NDArray[np.float64] = np.maximum(tokens, (ends - starts) / CHARACTERS_PER_TOKEN)
        return sizes

    def count(self, start: int, end: int) -> int:
        """Tokens of the text that begin within one span."""
        return int(self.starts.searchsorted(end) - self.starts.searchsorted(start))

    def size(self, start: int, end: int) -> float:
        """Size of one span, as ``sizes`` measures it."""
        return max(self.count(start, end), (end - start) / CHARACTERS_PER_TOKEN)
