"""The vocabulary of a corpus as questions are repaired with: counted words, checked against what is searched."""

from __future__ import annotations

from rag_engine.index.lexical import TantivyIndex
from rag_engine.index.vocabulary.word_index import WordIndex


class CorpusVocabulary:
    """A ``Vocabulary`` over the word files and the lexical index of one index."""

    def __init__(self, words: WordIndex, lexical: TantivyIndex) -> None:
        self._words = words
        self._lexical = lexical

    @property
    def chunks(self) -> int:
        """Chunks of the corpus."""
        return len(self._lexical)

    def frequency(self, word: str) -> int:
        """Chunks that hold the word just as it is spelt, capitals aside; about, where documents were removed."""
        return self._words.count(word.lower())[0]

    def found(self, word: str) -> int:
        """Chunks in which a search finds the word: also other forms of it."""
        return self._lexical.frequency(word.encode("utf-8", "replace").decode())  # a lone surrogate is no character

    def written(self, word: str) -> str:
        """The word with the capitals of its most frequent form."""
        word = word.lower()
        capitals = self._words.count(word)[1]
        return "".join(letter.upper() if capitals >> place & 1 else letter for place, letter in enumerate(word))

    def near(self, word: str, distance: int) -> list[tuple[str, int]]:
        """Other words within so many edits (Damerau-Levenshtein), with their frequencies, most frequent first."""
        word = word.lower()
        found = self._words.near(word, distance)
        return _ranked({other: frequency for other, (_, frequency) in found.items() if other != word})

    def decorated(self, plain: str) -> list[tuple[str, int]]:
        """Words with marks over letters that are typed as ``plain`` where a keyboard has no such marks, with their
        frequencies, most frequent first: ``für`` for ``fur`` and for ``fuer``."""
        return _ranked(self._words.decorated(plain.lower()))

    def shortened_to(self, short: str, most_letters: int) -> list[tuple[str, int]]:
        """Longer words that the letters of ``short`` may stand for, in their order and with the first one, with their
        frequencies, most frequent first."""
        found = self._words.shortened_to(short.lower(), most_letters)
        return _ranked({other: frequency for other, (_, frequency) in found.items()})

    def long_forms(self, short: str) -> list[tuple[str, str, int]]:
        """Definitions of a short form, in whatever capitals: short form as written, long form, chunks that define it;
        the most frequent first."""
        return self._definitions(short.lower(), column=0)

    def short_forms(self, long: str) -> list[tuple[str, str, int]]:
        """Definitions with this long form: short form as written, long form, chunks that define it."""
        return self._definitions(long.lower(), column=1)

    def _definitions(self, form: str, *, column: int) -> list[tuple[str, str, int]]:
        found = [
            (short, long, count)
            for (short, long), count in self._words.defined(form).items()
            if (short.lower(), long)[column] == form
        ]
        return sorted(found, key=lambda one: (-one[2], one[1], one[0]))


def _ranked(frequencies: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(frequencies.items(), key=lambda item: (-item[1], item[0]))
