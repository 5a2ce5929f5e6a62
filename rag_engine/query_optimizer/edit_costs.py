"""How unlikely it is to type one word for another: costs in nats, the channel of a noisy channel model.

After Kernighan, Church and Gale, "A spelling correction program based on a noisy channel model" (1990). What a hand
does is cheap: two letters exchanged, one doubled or not doubled, the key beside hit, a mark left out. The costs are set
by that order, not counted from a corpus of errors.
"""

from __future__ import annotations

from functools import cache

EXCHANGED = 1.8
DOUBLED = 2.0
UNMARKED = 0.5
BESIDE = 2.8
VOWEL = 2.8
LEFT_OUT = 2.6
PUT_IN = 2.8
PUT_IN_BESIDE = 2.5
OTHER = 4.0
FIRST_LETTER = 1.5
_VOWELS = frozenset("aeiouyäöüéèàáíóúаеёиоуыэюя")
_KEYBOARDS = (
    ("qwertyuiop", "asdfghjkl", "zxcvbnm"),
    ("qwertzuiopü", "asdfghjklöä", "yxcvbnm"),
    ("azertyuiop", "qsdfghjklm", "wxcvbn"),
    ("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю"),
)
_UNMARKED = {
    marked: plain
    for plain, all_marked in {
        "a": "äàáâãåāą", "c": "çćč", "d": "ďđ", "e": "éèêëēęě", "g": "ğ", "i": "íìîïī", "l": "ł", "n": "ñńň",
        "o": "öòóôõøō", "r": "ř", "s": "śšşș", "t": "ťțţ", "u": "üùúûūů", "y": "ýÿ", "z": "žźż", "е": "ё", "и": "й",
    }.items()
    for marked in all_marked
}  # fmt: skip


@cache
def _beside() -> frozenset[tuple[str, str]]:
    """Pairs of letters whose keys touch on some keyboard; each row stands half a key further right."""
    pairs: set[tuple[str, str]] = set()
    for rows in _KEYBOARDS:
        for number, row in enumerate(rows):
            for place, letter in enumerate(row):
                around = [row[place + 1 : place + 2]]
                if number + 1 < len(rows):
                    around += [rows[number + 1][place : place + 1], rows[number + 1][max(0, place - 1) : place]]
                for other in filter(None, around):
                    pairs |= {(letter, other), (other, letter)}
    return frozenset(pairs)


def _exchange_cost(typed: str, meant: str) -> float:
    if _UNMARKED.get(meant, meant) == _UNMARKED.get(typed, typed):
        return UNMARKED
    if (typed, meant) in _beside():
        return BESIDE
    return VOWEL if typed in _VOWELS and meant in _VOWELS else OTHER


def edit_cost(typed: str, meant: str) -> float:
    """The least cost of edits that turn ``meant`` into ``typed``, both in lower case."""
    start = 0
    while start < min(len(typed), len(meant)) and typed[start] == meant[start]:
        start += 1
    end = 0
    while end < min(len(typed), len(meant)) - start and typed[-1 - end] == meant[-1 - end]:
        end += 1
    cost = _least(typed, meant, start, len(typed) - end, len(meant) - end)
    return cost + (FIRST_LETTER if start == 0 and cost > UNMARKED else 0.0)


def _least(typed: str, meant: str, start: int, typed_end: int, meant_end: int) -> float:
    """Restricted Damerau-Levenshtein over what lies between the words' common beginning and end."""
    # One letter more on each side, so that doubled letters and letters beside are seen.
    width = meant_end - start
    before: list[float] = []
    above = [0.0] * (width + 1)
    for column in range(1, width + 1):
        above[column] = above[column - 1] + _left_out(meant, start + column - 1)
    for row in range(1, typed_end - start + 1):
        letter = typed[start + row - 1]
        here = [above[0] + _put_in(typed, start + row - 1)]
        for column in range(1, width + 1):
            wanted = meant[start + column - 1]
            least = above[column - 1] + (0.0 if letter == wanted else _exchange_cost(letter, wanted))
            least = min(least, above[column] + _put_in(typed, start + row - 1))
            least = min(least, here[column - 1] + _left_out(meant, start + column - 1))
            if (
                row > 1
                and column > 1
                and letter == meant[start + column - 2]
                and typed[start + row - 2] == wanted
                and letter != wanted
            ):
                least = min(least, before[column - 2] + EXCHANGED)
            here.append(least)
        before, above = above, here
    return above[width]


def _left_out(meant: str, place: int) -> float:
    letter = meant[place]
    return DOUBLED if letter in (meant[place - 1 : place], meant[place + 1 : place + 2]) else LEFT_OUT


def _put_in(typed: str, place: int) -> float:
    letter, around = typed[place], typed[max(0, place - 1) : place] + typed[place + 1 : place + 2]
    if letter in around:
        return DOUBLED
    return PUT_IN_BESIDE if any((letter, other) in _beside() for other in around) else PUT_IN
