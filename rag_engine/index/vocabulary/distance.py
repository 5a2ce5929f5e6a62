"""Edit distances of one word to many at once, in bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EVERY_BIT = np.uint32(0xFFFFFFFF)
_ONE = np.uint32(1)


def distances(word: str, letters: NDArray[np.uint16], lengths: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Restricted Damerau-Levenshtein distance of ``word``, at most 32 letters, to words: ``letters`` of shape
    (n, longest) with zeros behind each word's end, ``lengths`` of shape (n,). Above ``most``, only that it is above.

    Hyyrö, "A bit-vector algorithm for computing Levenshtein and Damerau edit distances" (2003), over all words side by
    side.
    """
    rows, longest = letters.shape
    score = np.full(rows, len(word), dtype=np.int64)
    last = np.uint32(1 << (len(word) - 1))
    same = _masks(word, letters)
    vertical_more, vertical_less = np.full(rows, _EVERY_BIT), np.zeros(rows, dtype=np.uint32)
    diagonal = previous = np.zeros(rows, dtype=np.uint32)
    for column in range(longest):
        here = same[column]
        exchanged = ((~diagonal & here) << _ONE) & previous
        diagonal = (((here & vertical_more) + vertical_more) ^ vertical_more) | here | vertical_less | exchanged
        more, less = vertical_less | ~(diagonal | vertical_more), diagonal & vertical_more
        within = lengths > column
        score += ((more & last) != 0) & within
        score -= ((less & last) != 0) & within
        more, less = (more << _ONE) | _ONE, less << _ONE
        vertical_more, vertical_less = less | ~(diagonal | more), more & diagonal
        previous = here
    return np.minimum(score, most + 1)


def _masks(word: str, letters: NDArray[np.uint16]) -> NDArray[np.uint32]:
    """For each column and word, the places of its letter in ``word`` as bits; shape (longest, n)."""
    places: dict[int, int] = {}
    for place, letter in enumerate(word):
        places[ord(letter)] = places.get(ord(letter), 0) | 1 << place
    known = np.array(sorted(places), dtype=np.uint16)
    bits = np.array([places[letter] for letter in sorted(places)], dtype=np.uint32)
    columns: NDArray[Any] = np.ascontiguousarray(letters.T)
    found = np.minimum(np.searchsorted(known, columns), len(known) - 1)
    return np.where(known[found] == columns, bits[found], np.uint32(0))


def holds_in_order(short: str, letters: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Which rows hold all letters of ``short`` in this order, others between them allowed."""
    wanted = np.array([*map(ord, short), 0xFFFF], dtype=np.uint16)
    met = np.zeros(len(letters), dtype=np.int64)
    for column in letters.T:
        met += column == wanted[met]
    return met >= len(short)
