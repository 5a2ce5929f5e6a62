"""How alike two texts are: the Jaccard similarity of their word 5-grams, and MinHash sketches that estimate it.

Broder, "On the resemblance and containment of documents", 1997; a byte of each minimum is enough: Li, König, "b-Bit
Minwise Hashing", 2010. With NumPy and not with datasketch, which imports SciPy for what is one product and one minimum;
and sketches made here are the same for ever, since nothing in them depends on the version of a library.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Shingles: TypeAlias = NDArray[np.uint64]
    Sketch: TypeAlias = NDArray[np.uint8]

WORDS = 5  # of a shingle
# Texts of similarity s share a band with probability 1 - (1 - s^6)^12: .9999 at .9, .97 at .8, .78 at .7.
BANDS, ROWS = 12, 6
PERMUTATIONS = BANDS * ROWS
SAMPLED = 8192  # shingles
CROWD, VERIFIED = 1000, 16
_WORD = re.compile(r"\w+")
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
# More than four standard deviations of an estimate at .9.
_DOUBT = 0.15
_TOGETHER = 4096  # shingles: their hashes fill 2 MB


def shingles(text: str) -> Shingles:
    """Hashes of a text's word 5-grams, each once, ascending, shape (n,), n at least 1; case does not count.

    A text of fewer words is one shingle; one without a word counts by its characters.
    """
    words = _WORD.findall(text.lower()) or [text.strip()]
    hashes = np.fromiter((crc32(word.encode("utf-8", "surrogatepass")) for word in words), np.uint64, len(words))
    length = min(WORDS, len(words))
    count = len(words) - length + 1
    total = hashes[:count]
    for place in range(1, length):
        total = total * _MULTIPLIER + hashes[place : place + count]
    return np.unique(_mixed(total))


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Values whose every bit depends on all bits, one to one."""
    values = (values ^ (values >> np.uint64(32))) * _MULTIPLIER
    return values ^ (values >> np.uint64(29))


# Odd factors and summands of multiply-shift hashing (Dietzfelbinger et al. 1997); numpy.random, which would do as
# well, takes longer to import than a search takes.
_SPREAD = _mixed(np.arange(1, 2 * PERMUTATIONS + 1, dtype=np.uint64) * _MULTIPLIER).reshape(2, PERMUTATIONS, 1)
_FACTORS, _SUMMANDS = _SPREAD[0] | np.uint64(1), _SPREAD[1]


def sketch(hashes: Shingles) -> Sketch:
    """The MinHash sketch of shingles, shape (72,): two sketches agree in about as many places as texts are alike."""
    least = np.full(PERMUTATIONS, np.iinfo(np.uint64).max, dtype=np.uint64)
    for start in range(0, len(hashes), _TOGETHER):
        np.minimum(least, (_FACTORS * hashes[start : start + _TOGETHER] + _SUMMANDS).min(axis=1), out=least)
    return (_mixed(least) & np.uint64(0xFF)).astype(np.uint8)


def bands(values: Sketch) -> list[int]:
    """Keys of a sketch's bands, 32-bit: texts that share none are hardly alike."""
    keys = np.arange(BANDS, dtype=np.uint64)
    for column in values.reshape(ROWS, BANDS):
        keys = _mixed(keys * _MULTIPLIER + column)
    found: list[int] = (keys >> np.uint64(32)).tolist()
    return found


def estimated_similarity(sketches: Sketch, other: Sketch) -> NDArray[np.float64]:
    """The estimates of one sketch, or of each row of several, and another; the standard deviation is at most .06, and
    .035 at .9."""
    estimates: NDArray[np.float64] = np.mean(sketches == other, axis=-1)
    return estimates


def similarity(one: Shingles, other: Shingles) -> float:
    """The Jaccard similarity of two texts by their shingles, 0 to 1: exact where these are at most SAMPLED together,
    else told from the SAMPLED smallest of both, with a standard deviation of at most .006 (Broder 1997)."""
    together = np.union1d(one[:SAMPLED], other[:SAMPLED])[:SAMPLED]
    shared = np.intersect1d(one[:SAMPLED], other[:SAMPLED], assume_unique=True)
    return int(np.searchsorted(shared, together[-1], side="right")) / len(together)


def leaders(
    ordered: Sequence[int],
    sketches: Mapping[int, Sketch],
    shingles_of: Callable[[int], Shingles],
    *,
    threshold: float,
) -> dict[int, tuple[int, float]]:
    """Which texts are nearly the same as an earlier one that is so of none itself; with how alike they are.

    ``ordered`` are the texts' numbers, the first first. Of several such, the first is taken. Where a crowd of texts
    is alike without being nearly the same, as filled-in forms are, a text is compared with the first ``CROWD`` of
    each band alone, and its shingles with those of the ``VERIFIED`` most alike of them.
    """
    found: dict[int, tuple[int, float]] = {}
    leading = _Leading(len(ordered))
    for number in ordered:
        values = sketches[number]
        for leader in leading.most_alike(values, least=threshold - _DOUBT):
            # Sketches are wrong by more than the doubt once in a million times; the shingles themselves decide.
            exact = similarity(shingles_of(leader), shingles_of(number))
            if exact >= threshold:
                found[number] = (leader, exact)
                break
        else:
            leading.add(number, values)
    return found


class _Leading:
    """The texts that follow none so far, in their order."""

    def __init__(self, most: int) -> None:
        """``most`` texts at most."""
        self._numbers: list[int] = []
        self._sketches = np.empty((most, PERMUTATIONS), dtype=np.uint8)
        self._by_band: dict[int, array[int]] = {}
        self._by_sketch: dict[bytes, int] = {}  # so that the same text is found in the largest crowd

    def add(self, number: int, values: Sketch) -> None:
        """Adds a text behind the others."""
        position = len(self._numbers)
        self._numbers.append(number)
        self._sketches[position] = values
        self._by_sketch.setdefault(values.tobytes(), position)
        for key in bands(values):
            members = self._by_band.setdefault(key, array("q"))
            if len(members) < CROWD:
                members.append(position)

    def most_alike(self, values: Sketch, *, least: float) -> list[int]:
        """Texts that share a band with this sketch and are estimated to be at least so alike: the most alike of
        them, in their order."""
        members = [np.asarray(self._by_band[key]) for key in bands(values) if key in self._by_band]
        same = self._by_sketch.get(values.tobytes())
        if same is not None:
            members.append(np.asarray([same]))
        if not members:
            return []
        positions = np.unique(np.concatenate(members))
        estimates = estimated_similarity(self._sketches[positions], values)
        alike = estimates >= least
        positions, estimates = positions[alike], estimates[alike]
        best = np.sort(positions[np.argsort(-estimates, kind="stable")[:VERIFIED]])
        return [self._numbers[position] for position in best]
