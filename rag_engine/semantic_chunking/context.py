"""What the embedder reads before a chunk's text: the document's title and the headings above."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rag_engine.protocols import Tokenizer
from rag_engine.semantic_chunking.token_positions import CHARACTERS_PER_TOKEN
from rag_engine.types.document import Block

_SEPARATOR = " > "


class Context:
    """Prefixes of at most ``limit`` tokens; the outermost headings go first where there is too much to say."""

    def __init__(self, tokenizer: Tokenizer, *, title: str, headings: Iterable[Block], limit: int) -> None:
        self.limit = limit
        self._title = _shortened(tokenizer, " ".join(title[: limit * CHARACTERS_PER_TOKEN].split()), limit)
        names = list(dict.fromkeys([self._title, *(heading.title for heading in headings)]))
        counts = tokenizer.count(names)
        # One more for the separator or line break behind each.
        self._tokens = {
            name: count - tokenizer.special_tokens + 1 for name, count in zip(names, counts, strict=True) if name
        }

    def largest(self, headings: Sequence[Block]) -> int:
        """Tokens that no prefix under these headings exceeds."""
        return min(self.limit, sum(self._tokens.get(name, 0) for name in self._names(headings)))

    def prefix(self, headings: Sequence[Block], start: int, end: int, text: str) -> str:
        """The prefix of the chunk ``text`` at [start, end), ending in a line break; empty where all is in the text."""
        names = self._names([heading for heading in headings if not (start <= heading.start and heading.end <= end)])
        titled = bool(self._title)
        if titled and ((headings and _same(headings[0].title, self._title)) or _opens(text, self._title)):
            titled = False
            names = names[1:]
        tokens = sum(self._tokens.get(name, 0) for name in names)
        outermost = 1 if titled else 0
        while tokens > self.limit and len(names) > outermost:
            tokens -= self._tokens.get(names.pop(outermost), 0)
        return _SEPARATOR.join(names) + "\n" if names else ""

    def _names(self, headings: Iterable[Block]) -> list[str]:
        titles = [heading.title for heading in headings if heading.title]
        return [self._title, *titles] if self._title else titles


def _shortened(tokenizer: Tokenizer, text: str, limit: int) -> str:
    """``text`` up to its last whole word within ``limit`` - 1 tokens: one is left for the line break."""
    tokens = tokenizer.offsets(text) if text else ()
    if len(tokens) < limit:
        return text
    end = int(tokens[max(limit - 1, 0)][0])
    space = text.rfind(" ", 0, end + 1)
    return text[: space if space > 0 else end].rstrip()


def _same(left: str, right: str) -> bool:
    return " ".join(left.split()).casefold() == " ".join(right.split()).casefold()


def _opens(text: str, title: str) -> bool:
    head = " ".join(text[: 2 * len(title) + 16].split())
    return head[: len(title)].casefold() == title.casefold() and not head[len(title) : len(title) + 1].isalnum()
