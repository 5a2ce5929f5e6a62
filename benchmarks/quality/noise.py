"""Makes questions as they are typed in haste: misspelt, mistyped, undecorated, shortened, run together or torn apart.

    python -m benchmarks.quality.noise KIND [--seed N] < QUESTIONS > NOISY

Reads and prints one question a line. Every kind spoils one or two content words of a question (words of four letters
and more that are no function words), so far as it finds any that it applies to; the rest stays character by character:

* ``typos``: one Damerau edit a word (a letter left out, put in, exchanged for another or with its neighbour), letters
  put in or exchanged drawn from the alphabet, every place as likely as any other, the first letter too.
* ``keyboard``: one or two hits beside the key that was meant, or of both keys at once, on QWERTY, QWERTZ or AZERTY.
* ``diacritics``: every mark over a letter is left out, of the whole question.
* ``abbreviations``: a long form becomes the short form that is defined in the corpus, where the caller knows one; else
  a word of seven letters and more loses its inner vowels.
* ``spaces``: two neighbouring words are run together, or one is torn apart within.

What repairs them is not fitted to this: it was written first, and the kinds are told nothing of the corpus but the
definitions handed in.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import TypeAlias

KINDS = ("typos", "keyboard", "diacritics", "abbreviations", "spaces")
LEAST_LETTERS = 4
LEAST_SHORTENED = 7
_WORD = re.compile(r"(?<![\w'’])[^\W\d_]+(?![\w'’])")
_FUNCTION_WORDS = frozenset(
    re.findall(
        r"\w+",
        "about above after also among because been before being below between both could does doing down during "
        "each from further have having here into itself more most much must only other over same should some such "
        "than that their them then there these they this those through under until upon very were what when where "
        "which while will with within without would your aber alle auch beim dass dem denen diese dieser dieses "
        "durch eine einem einen einer eines haben hatte hatten ihre ihrem ihren ihrer kann können mehr nach nicht "
        "oder sein seine seinem seinen seiner sich sind über unter viel viele vielen wann warum waren welche "
        "welchem welchen welcher welches wenn werden wurde wurden wieso zwischen",
    )
)
_ROWS = {
    "qwerty": ("qwertyuiop", "asdfghjkl", "zxcvbnm"),
    "qwertz": ("qwertzuiopü", "asdfghjklöä", "yxcvbnm"),
    "azerty": ("azertyuiop", "qsdfghjklm", "wxcvbn"),
}
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_VOWELS = frozenset("aeiouyäöü")
Drawn: TypeAlias = random.Random
Spoil: TypeAlias = Callable[[str, Drawn], str]


def noisy(question: str, *, kind: str, seed: int, short_forms: Mapping[str, str] | None = None) -> str:
    """The question with noise of one kind; the same for the same arguments, and unchanged where none applies.

    ``short_forms`` are the short forms that a corpus defines, by their long form in lower case.
    """
    drawn = random.Random(f"{seed} {kind} {question}")
    if kind == "diacritics":
        return _without_diacritics(question)
    if kind == "spaces":
        return _with_spaces_moved(question, drawn)
    if kind == "abbreviations":
        abbreviated = _abbreviated(question, short_forms or {})
        return abbreviated or _spoilt(question, drawn, _without_vowels, least=LEAST_SHORTENED, most_words=1)
    return _spoilt(question, drawn, {"typos": _typo, "keyboard": _mistyped}[kind])


def _content_words(question: str, least: int = LEAST_LETTERS) -> list[re.Match[str]]:
    found = [match for match in _WORD.finditer(question) if len(match.group()) >= least]
    return [match for match in found if match.group().lower() not in _FUNCTION_WORDS]


def _spoilt(question: str, drawn: Drawn, spoil: Spoil, *, least: int = LEAST_LETTERS, most_words: int = 2) -> str:
    words = _content_words(question, least)
    chosen = drawn.sample(words, min(len(words), drawn.randint(1, most_words)))
    for match in sorted(chosen, key=lambda match: -match.start()):
        spoilt = match.group()
        for _ in range(8):  # an exchange of two equal letters is none
            spoilt = spoil(match.group(), drawn)
            if spoilt != match.group():
                break
        question = question[: match.start()] + spoilt + question[match.end() :]
    return question


def _typo(word: str, drawn: Drawn) -> str:
    place, edit = drawn.randrange(len(word)), drawn.choice(("out", "in", "other", "exchange"))
    letter = _like(word[place], drawn.choice(_ALPHABET))
    if edit == "out":
        return word[:place] + word[place + 1 :]
    if edit == "in":
        return word[:place] + letter + word[place:]
    if edit == "other":
        return word[:place] + letter + word[place + 1 :]
    place = min(place, len(word) - 2)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def _mistyped(word: str, drawn: Drawn) -> str:
    rows = _ROWS[drawn.choice(sorted(_ROWS))]
    for _ in range(1 if len(word) < 8 else drawn.randint(1, 2)):
        place = drawn.randrange(len(word))
        beside = _beside(word[place].lower(), rows)
        if not beside:
            continue
        hit = _like(word[place], drawn.choice(beside))
        keeps = drawn.choice((word[place], ""))  # both keys at once, or the wrong one alone
        word = word[:place] + hit + keeps + word[place + 1 :]
    return word


def _beside(letter: str, rows: tuple[str, ...]) -> str:
    """Keys that touch a letter's; each row of keys stands half a key further right."""
    for number, row in enumerate(rows):
        if letter in row:
            place = row.index(letter)
            around = [(number, place - 1), (number, place + 1)]
            around += [(number - 1, place), (number - 1, place + 1), (number + 1, place - 1), (number + 1, place)]
            return "".join(rows[r][p] for r, p in around if 0 <= r < len(rows) and 0 <= p < len(rows[r]))
    return ""


def _like(model: str, letter: str) -> str:
    return letter.upper() if model.isupper() else letter


def _without_diacritics(question: str) -> str:
    apart = unicodedata.normalize("NFD", question)
    return unicodedata.normalize("NFC", "".join(letter for letter in apart if not unicodedata.combining(letter)))


def _abbreviated(question: str, short_forms: Mapping[str, str]) -> str | None:
    """The question with its longest long form abbreviated; None where the corpus defines none of its words."""
    words = [match.span() for match in re.finditer(r"[^\W_]+(?:['’-][^\W_]+)*", question)]
    for length in range(min(len(words), 8), 0, -1):
        for first in range(len(words) - length + 1):
            start, end = words[first][0], words[first + length - 1][1]
            short = short_forms.get(question[start:end].lower())
            if short is not None and len(short) < end - start:
                return question[:start] + short + question[end:]
    return None


def _without_vowels(word: str, _drawn: Drawn) -> str:
    return word[0] + "".join(letter for letter in word[1:-1] if letter.lower() not in _VOWELS) + word[-1]


def _with_spaces_moved(question: str, drawn: Drawn) -> str:
    words = _content_words(question)
    pairs = [(one, other) for one, other in pairwise(words) if question[one.end() : other.start()] == " "]
    if pairs and drawn.random() < 0.5:
        one, other = drawn.choice(pairs)
        return question[: one.end()] + question[other.start() :]
    long = [match for match in words if len(match.group()) >= LEAST_SHORTENED - 1]
    if not long:
        return question
    match = drawn.choice(long)
    place = match.start() + drawn.randint(2, len(match.group()) - 2)
    return question[:place] + " " + question[place:]


def main() -> None:
    """Spoils what comes in, line by line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    for line in sys.stdin:
        print(noisy(line.rstrip("\n"), kind=arguments.kind, seed=arguments.seed))


if __name__ == "__main__":
    main()
