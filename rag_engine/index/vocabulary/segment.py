"""One file of words: sorted, mapped into memory, searched by distance without reading more than signatures.

::

    header                                    JSON: number of words, where each length begins, where each section lies
    seen, repeated         uint32 (words,)    which letters a word has, and which twice (bit: code point modulo 32)
    frequency, capitals    uint32 (words,)    chunks that hold it; capitals of its most frequent form
    letters                uint16, big-endian words of one length in alphabetical order, one length after the other
    definitions            a table of lines   ``short TAB long TAB count``, found by either form
    marked                 a table of lines   words with marks over letters, found as they are typed without

An edit changes at most two bits of ``seen``: words further away are passed over without looking at their letters.
"""

from __future__ import annotations

import json
import mmap
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from rag_engine.index.vocabulary.distance import distances, holds_in_order
from rag_engine.index.vocabulary.line_table import LineTable
from rag_engine.index.vocabulary.word_counts import LEAST_LETTERS, MOST_LETTERS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bits: TypeAlias = NDArray[np.uint32]
    Letters: TypeAlias = NDArray[np.uint16]

# Each length's words: letters as rows of fixed width, frequency, capitals.
ByLength: TypeAlias = "dict[int, tuple[NDArray[np.void], Bits, Bits]]"


class Segment:
    """Words with their frequencies, and definitions with theirs."""

    def __init__(self, data: bytes | mmap.mmap) -> None:
        """Over the bytes that ``segment_bytes`` made. Raises ValueError where they are none."""
        size = int.from_bytes(data[:8], "little")
        if size > len(data):
            raise ValueError("the header is cut short")
        header = json.loads(data[8 : 8 + size])
        self._data = data
        self._starts: list[int] = header["starts"]
        self._sections: dict[str, list[int]] = header["sections"]
        self.seen, self.repeated, self.frequency, self.capitals = (
            self._section(name, np.uint32) for name in ("seen", "repeated", "frequency", "capitals")
        )
        self.definitions, self.marked = self._table("definitions"), self._table("marked")
        self._letters = self._section("letters", np.dtype(">u2"))
        self._spans: dict[tuple[int, str], tuple[int, int]] = {}
        if len(self.seen) != self._starts[-1] or len(self._starts) != MOST_LETTERS + 2:
            raise ValueError("the header does not fit the sections")

    @classmethod
    def open(cls, file: Path) -> Segment:
        """The segment in a file, mapped. Raises OSError, ValueError."""
        with file.open("rb") as opened:
            return cls(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))

    def _section(self, name: str, kind: Any) -> NDArray[Any]:
        start, count = self._sections[name]
        return np.frombuffer(self._data, dtype=kind, count=count, offset=start)

    def _table(self, name: str) -> LineTable:
        keys, places = self._section(f"{name}_keys", np.uint64), self._section(f"{name}_places", np.uint32)
        start, count = self._sections[f"{name}_lines"]
        return LineTable(keys, places, self._data, start, start + count)

    def __len__(self) -> int:
        return len(self.seen)

    def _first_letter(self, length: int) -> int:
        """Where the letters of the words of a length begin."""
        return sum(size * (self._starts[size + 1] - self._starts[size]) for size in range(length))

    def _rows(self, length: int) -> Letters:
        """Letters of all words of a length, one word a row."""
        count, first = self._starts[length + 1] - self._starts[length], self._first_letter(length)
        return self._letters[first : first + count * length].reshape(count, length)

    def _position(self, word: str) -> int | None:
        length = len(word)
        if not LEAST_LETTERS <= length <= MOST_LETTERS or not _is_storable(word):
            return None
        first, rows, key = self._starts[length], self._rows(length), word.encode("utf-16-be")
        place = bisect_left(range(len(rows)), key, key=lambda row: rows[row].tobytes())
        return first + place if place < len(rows) and rows[place].tobytes() == key else None

    def count(self, word: str) -> tuple[int, int]:
        """Frequency and capitals of a word in lower case; zeros where it is not held."""
        position = self._position(word)
        return (0, 0) if position is None else (int(self.frequency[position]), int(self.capitals[position]))

    def near(self, word: str, most: int) -> Iterator[tuple[str, int, int]]:
        """Words within ``most`` edits of a word, itself too: word, distance and frequency. In no order."""
        if not LEAST_LETTERS <= len(word) <= MOST_LETTERS or not _is_storable(word):
            return
        start = self._starts[max(LEAST_LETTERS, len(word) - most)]
        end = self._starts[min(MOST_LETTERS, len(word) + most) + 1]
        seen, repeated = signature(word)
        likely = start + np.flatnonzero(np.bitwise_count(self.seen[start:end] ^ seen) <= 2 * most)
        differing = np.bitwise_count(self.seen[likely] ^ seen) + np.bitwise_count(self.repeated[likely] ^ repeated)
        likely = likely[differing <= 2 * most]
        letters, lengths = self._padded(likely)
        apart = distances(word, letters, lengths, most)
        close = np.flatnonzero(apart <= most)
        yield from self._named(likely[close], letters[close], lengths[close], apart[close])

    def shortened_to(self, short: str, most_letters: int) -> Iterator[tuple[str, int, int]]:
        """Longer words with the same first letter that hold all letters of ``short`` in order: word, 0, frequency."""
        if not short or not _is_storable(short):
            return
        seen, _ = signature(short)
        found = [np.zeros(0, dtype=np.int64)]
        for length in range(max(len(short) + 1, LEAST_LETTERS), min(most_letters, MOST_LETTERS) + 1):
            start, end = self._beginning_with(length, short[0])
            if end > start:
                found.append(start + np.flatnonzero((self.seen[start:end] & seen) == seen))
        likely = np.concatenate(found)
        letters, lengths = self._padded(likely)
        close = np.flatnonzero(holds_in_order(short, letters))
        yield from self._named(likely[close], letters[close], lengths[close], np.zeros(len(close), dtype=np.int64))

    def _beginning_with(self, length: int, letter: str) -> tuple[int, int]:
        span = self._spans.get((length, letter))
        if span is None:
            first, firsts = self._starts[length], self._rows(length)[:, 0]
            span = (
                first + int(np.searchsorted(firsts, ord(letter), "left")),
                first + int(np.searchsorted(firsts, ord(letter), "right")),
            )
            self._spans[length, letter] = span
        return span

    def _padded(self, positions: NDArray[np.int64]) -> tuple[Letters, NDArray[np.int64]]:
        """Letters, shape (n, longest), zeros behind each word's end, and lengths, shape (n,); positions ascend."""
        starts = np.asarray(self._starts)
        lengths = np.searchsorted(starts, positions, "right") - 1
        letters = np.zeros((len(positions), int(lengths.max(initial=1))), dtype=np.uint16)
        for length in np.unique(lengths).tolist():
            own = slice(int(np.searchsorted(lengths, length)), int(np.searchsorted(lengths, length, "right")))
            letters[own, :length] = self._rows(length)[positions[own] - starts[length]]
        return letters, lengths

    def _named(
        self, positions: NDArray[np.int64], letters: Letters, lengths: NDArray[np.int64], apart: NDArray[np.int64]
    ) -> Iterator[tuple[str, int, int]]:
        frequencies = self.frequency[positions].tolist()
        for row, length, distance, frequency in zip(
            letters, lengths.tolist(), apart.tolist(), frequencies, strict=True
        ):
            yield row[:length].astype("<u2").tobytes().decode("utf-16-le", "replace"), distance, frequency

    def defined(self, form: str) -> Iterator[tuple[str, str, int]]:
        """Definitions of a short form, or by a long one, both in lower case: short, long, count."""
        for short, long, times in self.definitions.under(form):
            if form in (short.lower(), long):
                yield short, long, int(times)

    def decorated(self, plain: str) -> Iterator[str]:
        """Words with marks over letters that are typed like this where a keyboard has none."""
        yield from (word for (word,) in self.marked.under(plain))

    def by_length(self) -> ByLength:
        """All words, as ``merged_bytes`` joins them."""
        lengths = [size for size in range(len(self._starts) - 1) if self._starts[size + 1] > self._starts[size]]
        return {
            length: (
                as_rows(self._rows(length)),
                self.frequency[self._starts[length] : self._starts[length + 1]],
                self.capitals[self._starts[length] : self._starts[length + 1]],
            )
            for length in lengths
        }


def signature(word: str) -> tuple[np.uint32, np.uint32]:
    """Which letters a word has, and which more than once."""
    seen = repeated = 0
    for letter in word:
        bit = 1 << (ord(letter) & 31)
        repeated |= seen & bit
        seen |= bit
    return np.uint32(seen), np.uint32(repeated)


def as_rows(letters: NDArray[Any]) -> NDArray[Any]:
    """Each word as one item that NumPy sorts by its letters."""
    count, length = letters.shape
    return np.ascontiguousarray(letters).view(f"S{2 * length}").reshape(count)


def _is_storable(word: str) -> bool:
    return all(ord(letter) < 0xD800 or 0xDFFF < ord(letter) < 0x10000 for letter in word)
