"""Repairs a question with the words of the corpus that it is asked of: spelling, spaces, marks, layout, short forms.

Nothing is done to a word that a search would find, nor to numbers, identifiers, quotations and acronyms: a repair puts
a word that finds something in the place of one that finds nothing, so that the evidence for a question never falls.
Pure functions over a ``Vocabulary``; every change says where it was made, and can be taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rag_engine.protocols import Vocabulary
from rag_engine.query_optimizer.abbreviations import additions
from rag_engine.query_optimizer.composition import composed
from rag_engine.query_optimizer.keyboard_layouts import other_layout
from rag_engine.query_optimizer.question_words import QuestionWord, question_words
from rag_engine.query_optimizer.word_repair import LEAST_LETTERS, Channel, LikelyMeant
from rag_engine.types.repair import Repair, RepairAddition, RepairChange, RepairReason, repaired

LEAST_CONFIDENCE = 0.5
# What is less certain stays as it is typed, and is asked for besides, at the weight of its confidence.
LEAST_ADDED_CONFIDENCE = 0.2
# A question of so many words of which more than such a part is unknown is in another language, or no language.
_ENOUGH_WORDS, _MOST_UNKNOWN = 4, 0.6
# An undecorated word that the corpus has too must be so much rarer than the decorated one.
_RARER = 20
_TORN_CONFIDENCE, _LAYOUT_CONFIDENCE, _MARKS_CONFIDENCE = 0.9, 0.9, 0.95
_LEAST_LAYOUT_LETTERS = 3
# A shorter word that the corpus has but once is no reason to put two together.
_LEAST_TORN_ONCE = 7
_MOST_ROUNDS = 4
_CHANNEL = Channel()
# Longer questions are text that was pasted: of these, only so many characters are looked at.
MOST_CHARACTERS = 2_000


def repair(question: str, vocabulary: Vocabulary, *, is_genuine: Callable[[str], bool] = lambda _: False) -> Repair:
    """The question as it was probably meant. A second repair of its text changes nothing more.

    ``is_genuine`` tells of a word in lower case whether it is one for certain, such as one that a model's tokenizer
    knows whole; it is asked only about words that the corpus does not have, and that a repair is in sight for.
    """
    known = _Known(vocabulary, is_genuine)
    rounds = [repaired(question, tuple(_changes(question, known)))]
    doubts = len(known.doubtful)  # those of later rounds would speak of another text
    while rounds[-1].changes and len(rounds) < _MOST_ROUNDS:
        # What was torn apart may be misspelt besides, and what was run together too.
        rounds.append(repaired(rounds[-1].text, tuple(_changes(rounds[-1].text, known))))
    changes = rounds[0].changes
    for later in rounds[1:]:
        changes = composed(question, changes, later.changes)
    doubtful = [
        one
        for one in known.doubtful[:doubts]
        if not any(change.start < one.end and one.start < change.end for change in changes)
    ]
    return repaired(question, changes, additions=(*doubtful, *additions(question, vocabulary)))


class _Known:
    """A vocabulary that is asked once for each word of a question."""

    def __init__(self, vocabulary: Vocabulary, is_genuine: Callable[[str], bool]) -> None:
        self.vocabulary = vocabulary
        self.is_genuine = is_genuine
        self.doubtful: list[RepairAddition] = []
        self._known: dict[str, bool] = {}

    def __call__(self, word: str) -> bool:
        """Whether a search finds the word, or passes over it."""
        if word not in self._known:
            self._known[word] = self.vocabulary.found(word) > 0
        return self._known[word]


def _changes(question: str, known: _Known) -> Iterator[RepairChange]:
    words = list(question_words(question[:MOST_CHARACTERS]))
    by_layout = {change.start: change for change in _layout_changes(question, known)}
    unknown = [word for word in words if not known(word.lower) and word.start not in by_layout]
    foreign = len(words) >= _ENOUGH_WORDS and len(unknown) > _MOST_UNKNOWN * len(words)
    done = 0
    for number, word in enumerate(words):
        if word.start < done:
            continue
        change = by_layout.get(word.start)
        if change is None and not foreign:
            following = words[number + 1] if number + 1 < len(words) else None
            change = _joined(question, word, following, known) or _change(word, known)
        if change is not None:
            done = change.end
            yield change


def _change(word: QuestionWord, known: _Known) -> RepairChange | None:
    if word.text.isascii() and (change := _decorated(word, known)) is not None:
        return change
    if known(word.lower):
        return None
    meant = LikelyMeant(word.lower, known.vocabulary).best(_CHANNEL, name=word.name, is_genuine=known.is_genuine)
    if meant is None or meant.confidence < LEAST_ADDED_CONFIDENCE:
        return None
    if meant.confidence < LEAST_CONFIDENCE:
        weight = round(meant.confidence, 3)
        known.doubtful.append(RepairAddition(meant.text, weight, meant.reason, word.start, word.end))
        return None
    after = _like(word.text, meant.text, known.vocabulary)
    return RepairChange(word.text, after, round(meant.confidence, 3), meant.reason, word.start, word.end)


def _decorated(word: QuestionWord, known: _Known) -> RepairChange | None:
    candidates = known.vocabulary.decorated(word.lower)
    if not candidates or not candidates[0][1]:
        return None
    best, frequency = candidates[0]
    if not known(best) or frequency < _RARER * known.vocabulary.frequency(word.lower):
        return None
    confidence = _MARKS_CONFIDENCE * frequency / sum(count for _, count in candidates)
    if confidence < LEAST_CONFIDENCE:
        return None
    after = _like(word.text, best, known.vocabulary)
    return RepairChange(word.text, after, round(confidence, 3), RepairReason.DIACRITICS, word.start, word.end)


def _joined(question: str, word: QuestionWord, following: QuestionWord | None, known: _Known) -> RepairChange | None:
    """The word and the following one as one, where the corpus has that one and not both of them."""
    if following is None or question[word.end : following.start] != " ":
        return None
    if known(word.lower) and known(following.lower):
        return None
    parts = (word.lower, following.lower)
    whole = "".join(parts)
    times = known.vocabulary.frequency(whole)
    if times < (1 if len(whole) >= _LEAST_TORN_ONCE else 2) or len(whole) <= LEAST_LETTERS or not known(whole):
        return None
    if any(len(part) >= LEAST_LETTERS and not known(part) and known.is_genuine(part) for part in parts):
        return None
    before = question[word.start : following.end]
    after = _like(word.text, whole, known.vocabulary)
    return RepairChange(before, after, _TORN_CONFIDENCE, RepairReason.TORN_APART, word.start, following.end)


def _layout_changes(question: str, known: _Known) -> Iterator[RepairChange]:
    """Words that were typed on another layout: some of its letters are punctuation on this one."""
    place = 0
    for part in question[:MOST_CHARACTERS].split(" "):
        start, place = place, place + len(part) + 1
        for end in dict.fromkeys((len(part), len(part.rstrip(",.;")))):
            typed = part[:end]
            other = other_layout(typed) if len(typed) >= _LEAST_LAYOUT_LETTERS else None
            if other is None or not known.vocabulary.frequency(other) or not known(other):
                continue
            if typed.isalpha() and known(typed.lower()):
                continue
            after = _like(typed, other, known.vocabulary)
            reason = RepairReason.KEYBOARD_LAYOUT
            yield RepairChange(typed, after, _LAYOUT_CONFIDENCE, reason, start, start + end)
            break


def _like(typed: str, word: str, vocabulary: Vocabulary) -> str:
    """``word`` with the capitals that were typed; where none were, with those that the corpus writes."""
    if len(typed) > 1 and typed.isupper():
        return word.upper()
    written = " ".join(vocabulary.written(part) for part in word.split(" "))
    if typed[:1].isupper():
        return written[:1].upper() + written[1:]
    return written
