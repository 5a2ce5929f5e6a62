"""What a word unknown to a corpus was meant to be, told by the corpus's own words.

A noisy channel (Kernighan, Church and Gale, 1990; Norvig, "How to write a spelling corrector", 2007): candidates weigh
by how frequent they are and by how easily they are typed as what stands there. Against them all weighs that the word
is right and the corpus does not have it: the shorter a word, the more others are near it by chance.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rag_engine.protocols import Vocabulary
from rag_engine.query_optimizer.edit_costs import edit_cost
from rag_engine.types.repair import RepairReason

LEAST_LETTERS = 4
# Below so many letters, two edits leave too little of a word.
LEAST_FOR_TWO_EDITS = 6
_MOST_CANDIDATES = 12
_SPLIT_COST, _SHORT_PART_COST, _LEAST_PART = 4.0, 1.0, 3
_VOWELS_DROPPED, _CONSONANT_DROPPED, _TRUNCATED = 1.0, 0.7, 5.0
_MOST_CONSONANTS_DROPPED = 2
_MOST_LONGER, _MOST_LETTERS = 3, 20
_VOWEL = re.compile("[aeiouyäöü]")
_TURNING = frozenset(("a", "an", "de", "il", "im", "in", "ir", "re", "un"))
# Beginnings and endings that are hardly words by themselves: a word with one of these is most likely right, and new to
# the corpus.
_ENDINGS = frozenset(
    (
        "able",
        "bar",
        "fold",
        "free",
        "ful",
        "haft",
        "hood",
        "keit",
        "less",
        "like",
        "lich",
        "los",
        "ness",
        "ship",
        "sam",
        "ward",
        "wards",
        "wise",
    )
)
_BEGINNINGS = frozenset(
    re.findall(
        r"\w+",
        "ante anti auto bio bis cardio contra counter cyber des dis down electro ent endo eco epi extra exo ferro "
        "geo hemi hetero homo hydro hyper hypo immuno infra inter intra iso kilo macro mega meta micro mid mini "
        "mis mono multi nano neo neuro nitro non omni ortho out over pan para patho per peri photo phyto poly post "
        "pre pro proto pseudo psycho quasi radio retro self semi sub super supra sur tele thermo trans tri ultra "
        "unter uber über under ver vor",
    )
)


@dataclass(frozen=True, slots=True)
class Channel:
    """How the weights of candidates are compared. A word's frequency counts to the power of ``frequency_power``. It
    costs a word of four letters ``unknown`` nats to be right and unknown, and ``unknown_per_letter`` more for each
    letter more; so many less where it is written like a ``name``, or is a word of the language for certain
    (``genuine``). Fitted by benchmarks/quality/fit_repair.py, but for the last two, which are judgement."""

    frequency_power: float = 0.2
    unknown: float = 1.8
    unknown_per_letter: float = 0.4
    name: float = 1.2
    genuine: float = 5.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a word may have been meant to be; ``confidence`` is its share of all that it may be."""

    text: str
    confidence: float
    reason: RepairReason


@dataclass(frozen=True, slots=True)
class _Weighed:
    """A candidate: what it costs to be typed like this, and the frequencies that count for it."""

    text: str
    cost: float
    frequencies: tuple[int, ...]
    reason: RepairReason


class LikelyMeant:
    """What a word in lower case that the corpus does not know was likely meant to be."""

    def __init__(self, word: str, vocabulary: Vocabulary) -> None:
        self._word = word
        self._chunks = max(1, vocabulary.chunks)
        self._candidates = list(_candidates(word, vocabulary)) if len(word) >= LEAST_LETTERS else []

    def best(
        self, channel: Channel, *, name: bool = False, is_genuine: Callable[[str], bool] = lambda _: False
    ) -> Candidate | None:
        """The best candidate, None where there is none. ``name`` says that the word is written like a name, which are
        more often right and unknown; ``is_genuine`` tells, where there are candidates, whether it is a word for
        certain."""
        if not self._candidates:
            return None
        masses = [(self._mass(one, channel), one.text, one.reason) for one in self._candidates]
        _, best, reason = max(masses)
        # Forms of one word speak for each other: a search finds them all by any of them.
        stem = best[: max(LEAST_LETTERS, len(best) - 3)]
        of_best = sum(mass for mass, text, _ in masses if text.startswith(stem))
        nats = channel.unknown + channel.unknown_per_letter * (len(self._word) - LEAST_LETTERS)
        nats -= channel.name if name else 0.0
        nats -= channel.genuine if is_genuine(self._word) else 0.0
        return Candidate(best, of_best / (math.exp(-nats) + sum(mass for mass, _, _ in masses)), reason)

    def _mass(self, one: _Weighed, channel: Channel) -> float:
        weight = channel.frequency_power * math.log(min(one.frequencies))
        if len(one.frequencies) > 1:  # two words that meet by chance seldom would
            by_chance = sum(map(math.log, one.frequencies)) - math.log(self._chunks)
            weight += min(0.0, channel.frequency_power * by_chance)
        return math.exp(weight - one.cost)


def _candidates(word: str, vocabulary: Vocabulary) -> Iterator[_Weighed]:
    near = vocabulary.near(word, 1)
    if len(word) >= LEAST_FOR_TWO_EDITS and not any(frequency > 1 for _, frequency in near):
        near = vocabulary.near(word, 2)
    for text, frequency in near[:_MOST_CANDIDATES]:
        if len(text) >= LEAST_LETTERS - 1 and not _turns(word, text) and vocabulary.found(text):
            yield _Weighed(text, edit_cost(word, text), (frequency,), RepairReason.SPELLING)
    yield from _split(word, vocabulary)
    if _looks_shortened(word) or not near:
        yield from _lengthened(word, vocabulary)


def _turns(word: str, text: str) -> bool:
    """Whether one is the other with a beginning that turns its sense: ``uncultured`` is not ``cultured`` misspelt."""
    shorter, longer = sorted((word, text), key=len)
    return longer.endswith(shorter) and longer[: len(longer) - len(shorter)] in _TURNING


def _split(word: str, vocabulary: Vocabulary) -> Iterator[_Weighed]:
    for place in range(_LEAST_PART, len(word) - _LEAST_PART + 1):
        left, right = word[:place], word[place:]
        if left in _BEGINNINGS or right in _ENDINGS:
            continue
        one = vocabulary.frequency(left)
        other = vocabulary.frequency(right) if one else 0
        if one and other and vocabulary.found(left) and vocabulary.found(right):
            cost = _SPLIT_COST + (_SHORT_PART_COST if min(len(left), len(right)) == _LEAST_PART else 0.0)
            yield _Weighed(f"{left} {right}", cost, (one, other), RepairReason.RUN_TOGETHER)


def _looks_shortened(word: str) -> bool:
    """Whether a word has so few vowels that some were left out."""
    return 6 * len(_VOWEL.findall(word, 1, len(word) - 1)) < len(word)


def _lengthened(word: str, vocabulary: Vocabulary) -> Iterator[_Weighed]:
    longest = min(_MOST_LETTERS, _MOST_LONGER * len(word))
    for text, frequency in vocabulary.shortened_to(word, longest):
        cost = _shortening_cost(word, text)
        if cost is not None and vocabulary.found(text):
            yield _Weighed(text, cost, (frequency,), RepairReason.SHORTENED)


def _shortening_cost(word: str, text: str) -> float | None:
    """What it costs to write ``text`` as ``word``, which has its first letter and others of it in order."""
    if text.startswith(word):
        return _TRUNCATED if len(word) >= LEAST_LETTERS else None
    if not _looks_shortened(word):
        return None
    skeleton, short = (_VOWEL.sub("", letters) for letters in (text, word))
    dropped = len(skeleton) - len(short)
    if skeleton[-1:] != short[-1:] or dropped > _MOST_CONSONANTS_DROPPED:
        return None
    return _VOWELS_DROPPED + _CONSONANT_DROPPED * max(0, dropped)
