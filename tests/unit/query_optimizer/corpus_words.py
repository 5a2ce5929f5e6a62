"""A vocabulary of given words, without files and without a search engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rag_engine.index.vocabulary.segment import Segment
from rag_engine.index.vocabulary.segment_writing import segment_bytes
from rag_engine.index.vocabulary.word_counts import CountedWord


class CorpusWords:
    """A ``Vocabulary`` in which a search finds each word as it stands, and none of ``passed_over`` is looked for."""

    def __init__(
        self,
        words: Mapping[str, int],
        *,
        chunks: int = 1000,
        definitions: Mapping[tuple[str, str], int] | None = None,
        passed_over: Iterable[str] = (),
    ) -> None:
        counted = [CountedWord(word.lower(), count, int(word[0].isupper())) for word, count in words.items()]
        self._segment = Segment(segment_bytes(counted, definitions or {}))
        self._passed_over = frozenset(passed_over)
        self.chunks = chunks
        self.asked = 0

    def frequency(self, word: str) -> int:
        return self._segment.count(word.lower())[0]

    def found(self, word: str) -> int:
        self.asked += 1
        return self.chunks if word.lower() in self._passed_over else self.frequency(word)

    def written(self, word: str) -> str:
        return word.capitalize() if self._segment.count(word.lower())[1] else word.lower()

    def near(self, word: str, distance: int) -> list[tuple[str, int]]:
        found = self._segment.near(word.lower(), distance)
        return sorted(((other, count) for other, _, count in found if other != word.lower()), key=lambda one: -one[1])

    def decorated(self, plain: str) -> list[tuple[str, int]]:
        return sorted(((word, self.frequency(word)) for word in self._segment.decorated(plain)), key=lambda o: -o[1])

    def shortened_to(self, short: str, most_letters: int) -> list[tuple[str, int]]:
        found = self._segment.shortened_to(short.lower(), most_letters)
        return sorted(((other, count) for other, _, count in found), key=lambda one: -one[1])

    def long_forms(self, short: str) -> list[tuple[str, str, int]]:
        return [one for one in self._segment.defined(short.lower()) if one[0].lower() == short.lower()]

    def short_forms(self, long: str) -> list[tuple[str, str, int]]:
        return [one for one in self._segment.defined(long.lower()) if one[1] == long.lower()]
