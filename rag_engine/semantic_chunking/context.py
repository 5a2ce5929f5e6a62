"""What the embedder reads before a chunk's text: title, headings, and what opened the table or function it is in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rag_engine.protocols import Tokenizer
from rag_engine.semantic_chunking.openings import Opening
from rag_engine.semantic_chunking.token_positions import CHARACTERS_PER_TOKEN
from rag_engine.types.document import Block

_SEPARATOR = " > "
_FEWEST_OPENING_TOKENS = 3


class Context:
    """Prefixes of at most ``limit`` tokens; the outermost headings go first where there is too much to say.

    What opened a table, a function or a turn comes last, and gets what title and headings leave. ``openings`` are the
    ones to expect, by the headings above them, so that ``largest`` can tell how much room they need.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        *,
        title: str,
        headings: Iterable[Block],
        limit: int,
        openings: Mapping[tuple[Block, ...], Opening] | None = None,
    ) -> None:
        self._tokenizer = tokenizer
        self.limit = limit
        self._openings: dict[tuple[Opening, int], str] = {}
        self._opening_tokens = {
            above: len(tokenizer.encode(opening.text).ids) + 1 for above, opening in (openings or {}).items()
        }
        self._title = _shortened(tokenizer, " ".join(title[: limit * CHARACTERS_PER_TOKEN].split()), limit)
        names = list(dict.fromkeys([self._title, *(heading.title for heading in headings)]))
        counts = tokenizer.count(names)
        # One more for the separator or line break behind each.
        self._tokens = {
            name: count - tokenizer.special_tokens + 1 for name, count in zip(names, counts, strict=True) if name
        }

    def largest(self, headings: Sequence[Block]) -> int:
        """Tokens that no prefix under these headings exceeds."""
        named = sum(self._tokens.get(name, 0) for name in self._names(headings))
        return min(self.limit, named + self._opening_tokens.get(tuple(headings), 0))

    def prefix(
        self, headings: Sequence[Block], start: int, end: int, text: str, *, opening: Opening | None = None, room: int
    ) -> str:
        """The prefix of the chunk ``text`` at [start, end), ending in a line break; empty where all is in the text.

        ``opening`` is what opened the part of the text that the chunk begins in. It takes no more of the chunk than
        is left of ``room`` tokens after title and headings.
        """
        names = self._names([heading for heading in headings if not (start <= heading.start and heading.end <= end)])
        titled = bool(self._title)
        if titled and ((headings and _same(headings[0].title, self._title)) or _opens(text, self._title)):
            titled = False
            names = names[1:]
        tokens = sum(self._tokens.get(name, 0) for name in names)
        outermost = 1 if titled else 0
        while tokens > self.limit and len(names) > outermost:
            tokens -= self._tokens.get(names.pop(outermost), 0)
        prefix = _SEPARATOR.join(names) + "\n" if names else ""
        return prefix + self._opening(opening, min(self.limit, room) - tokens) if opening else prefix

    def _opening(self, opening: Opening, limit: int) -> str:
        """The line that repeats what fits of ``opening``, or nothing."""
        if limit < _FEWEST_OPENING_TOKENS:
            return ""
        known = self._openings.get((opening, limit))
        if known is None:
            shortened = _shortened(self._tokenizer, opening.text, limit, opening.separator)
            known = self._openings[opening, limit] = shortened + "\n" if shortened else ""
        return known

    def _names(self, headings: Iterable[Block]) -> list[str]:
        titles = [heading.title for heading in headings if heading.title]
        return [self._title, *titles] if self._title else titles


def _shortened(tokenizer: Tokenizer, text: str, limit: int, separator: str = " ") -> str:
    """``text`` up to its last ``separator`` within ``limit`` - 1 tokens: one is left for the line break.

    A text without any is cut between two tokens.
    """
    tokens = tokenizer.encode(text).offsets if text else ()
    if len(tokens) < limit:
        return text
    end = int(tokens[max(limit - 1, 0)][0])
    cut = text.rfind(separator, 1, end + 1)
    return text[: cut if cut > 0 else end].rstrip()


def _same(left: str, right: str) -> bool:
    return " ".join(left.split()).casefold() == " ".join(right.split()).casefold()


def _opens(text: str, title: str) -> bool:
    head = " ".join(text[: 2 * len(title) + 16].split())
    return head[: len(title)].casefold() == title.casefold() and not head[len(title) : len(title) + 1].isalnum()
