"""Makes questions that a corpus answers, and questions that it does not, from the corpus alone and from a seed.

What answers is known, since each question is made of a sentence (``question_forms``) or is a heading that asks. A
question becomes unanswerable in three ways: what answers it is held out of the passages, its whole document is, or a
name or number in it is replaced by one of another document, so that its subject is there and its answer is not, as in
SQuAD 2.0's questions (Rajpurkar and others, 2018). All three are asked in the same words as the answerable ones.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from random import Random

from rag_engine.evaluation.question_forms import (
    UNSPACED_CHARACTER,
    QuestionKind,
    SentenceQuestion,
    content_words,
    entities,
    sentence_questions,
    words,
)
from rag_engine.protocols import SentenceSplitter
from rag_engine.types.document import Block, BlockKind, Document


class Withheld(StrEnum):
    """Why a made question has no answer."""

    NOTHING = "nothing"
    PASSAGE = "passage"
    DOCUMENT = "document"
    SUBJECT = "subject"


# Every second question is answerable; the ways of the others take turns.
_PASSAGE, _DOCUMENT, _SUBJECT = Withheld.PASSAGE, Withheld.DOCUMENT, Withheld.SUBJECT
WAYS = (
    _PASSAGE,
    _SUBJECT,
    _PASSAGE,
    _SUBJECT,
    _DOCUMENT,
    _PASSAGE,
    _SUBJECT,
    _PASSAGE,
    _SUBJECT,
    _DOCUMENT,
    _PASSAGE,
    _SUBJECT,
)
SENTENCE_CHARACTERS = (40, 400)
CHARACTERS_READ = 100_000  # of a document, at most
# Few questions with a question word can be made of most sentences, and people ask mostly these.
_WEIGHTS = {QuestionKind.KEYWORDS: 1.0, QuestionKind.FRAGMENT: 1.0}
_WEIGHT = 3.0
# Whoever asks uses words that the sentence lacks: so many of a question without a question word come from elsewhere in
# its document, and so many of the words that the corpus can hardly do without. Without them, made questions are easier
# than those that people ask: in the mean of their confidences they are alike on SQuAD 2.0 and CLAPnq with them.
_FOREIGN_WORDS = (0, 1)
_COMMON_WORDS = (1, 3)
MOST_COMMON = 40
_TRIES = 30  # sentences that are drawn for one question before there are said to be no more


@dataclass(frozen=True, slots=True)
class MadeQuestion:
    """A question made of the characters ``start`` to ``end`` of ``document``: 0-based, end exclusive.

    ``answer_start`` to ``answer_end`` is what of them answers it. ``withheld`` is NOTHING for an answerable one;
    PASSAGE and DOCUMENT ask that these characters, or their document, be kept out of what is searched.
    """

    text: str
    kind: QuestionKind
    withheld: Withheld
    document: str
    start: int
    end: int
    answer_start: int
    answer_end: int

    @property
    def answerable(self) -> bool:
        """Whether its answer is to be found."""
        return self.withheld is Withheld.NOTHING


def make_questions(
    documents: Sequence[Document], count: int, *, split_sentences: SentenceSplitter, seed: int
) -> list[MadeQuestion]:
    """Up to ``count`` questions about ``documents``, each text once; the same for the same documents and seed.

    Half of them are answerable. Documents take turns, so that a long one does not ask for all; fewer come where
    there are not enough fit sentences.
    """
    random = Random(seed)  # noqa: S311 - a sample
    read = (_Source.read(document, split_sentences, random) for document in documents)
    sources = [source for source in read if source is not None]
    if not sources:
        return []
    rarity = _Rarity(sources)
    pool = [(source.document.id, name) for source in sources for name in source.entities]
    made: dict[str, MadeQuestion] = {}
    missed = 0
    for source in islice(_in_turns(sources, random), count * _TRIES):
        if len(made) == count:
            break
        question = source.draw(rarity, random)
        if question is None:
            continue
        way = WAYS[len(made) // 2 % len(WAYS)] if len(made) % 2 else Withheld.NOTHING
        if way is Withheld.SUBJECT:
            swapped = _swapped(question, pool, random)
            missed = 0 if swapped else missed + 1
            if swapped is None and missed < _TRIES:
                continue
            # Where nothing is named, as in scripts without capitals, its passage is held out instead.
            question = swapped or replace(question, withheld=Withheld.PASSAGE)
        else:
            question = replace(question, withheld=way)
        made.setdefault(question.text.casefold(), question)
    return list(made.values())


def mentions(text: str, question: MadeQuestion, answer: str) -> bool:
    """Whether ``text`` seems to answer the question after all: it holds its answer and most of its words.

    A held-out sentence often stands in another document once more, word for word or nearly so.
    """
    held = set(words(text))
    asked = set(content_words(question.text))
    said = set(content_words(answer)) or set(words(answer))
    return len(asked & held) >= 0.6 * len(asked) and len(said & held) >= 0.7 * len(said)


@dataclass(frozen=True, slots=True)
class _Source:
    """A document, its fit sentences as spans, and the entities in them."""

    document: Document
    sentences: tuple[tuple[int, int], ...]
    entities: tuple[str, ...]

    @classmethod
    def read(cls, document: Document, split_sentences: SentenceSplitter, random: Random) -> _Source | None:
        """None where there is no fit sentence. Of a long document a part is read."""
        first = random.randint(0, max(0, len(document.text) - CHARACTERS_READ))
        part = document.text[first : first + CHARACTERS_READ]
        spans = [(first + start, first + end) for start, end in split_sentences(part)]
        if len(part) < len(document.text):
            spans = spans[1:-1]  # cut off at the part's edges
        least, most = SENTENCE_CHARACTERS
        prose = tuple(
            (start, end)
            for start, end in spans
            if least <= _weight(document.text[start:end]) and end - start <= most and _is_prose(document, start, end)
        )
        names = dict.fromkeys(name for start, end in prose for name in entities(document.text[start:end]))
        return cls(document, prose, tuple(names)) if prose else None

    def draw(self, rarity: _Rarity, random: Random) -> MadeQuestion | None:
        """A question of one of the sentences, or of the heading right above it; None where this one gives none."""
        start, end = random.choice(self.sentences)
        heading = self._asking_heading(start)
        if heading is not None and random.random() < 0.5:
            return MadeQuestion(
                heading, QuestionKind.HEADING, Withheld.NOTHING, self.document.id, start, end, start, end
            )
        found = sentence_questions(self.document.text[start:end], rarity=rarity, random=random)
        if not found:
            return None
        chosen: SentenceQuestion = random.choices(
            found, weights=[_WEIGHTS.get(question.kind, _WEIGHT) for question in found]
        )[0]
        spaced = UNSPACED_CHARACTER.search(chosen.text) is None
        in_other_words = chosen.kind in _WEIGHTS and spaced
        return MadeQuestion(
            text=self._in_other_words(chosen.text, (start, end), rarity, random) if in_other_words else chosen.text,
            kind=chosen.kind,
            withheld=Withheld.NOTHING,
            document=self.document.id,
            start=start,
            end=end,
            answer_start=start + chosen.start,
            answer_end=start + chosen.end,
        )

    def _in_other_words(self, text: str, asked: tuple[int, int], rarity: _Rarity, random: Random) -> str:
        """The text with words that the asked sentence need not hold, as a paraphrase has them."""
        start, end = random.choice(self.sentences)
        others = [word for word in content_words(self.document.text[start:end]) if len(word) > 2]
        foreign = random.randint(*_FOREIGN_WORDS) if (start, end) != asked else 0
        added = random.sample(others, k=min(len(others), foreign))
        added += random.sample(rarity.common, k=min(len(rarity.common), random.randint(*_COMMON_WORDS)))
        said = text.split()
        for word in added:
            said.insert(random.randint(0, len(said)), word)
        return " ".join(said)

    def _asking_heading(self, start: int) -> str | None:
        above: Block | None = None
        for block in self.document.blocks:
            if block.start > start:
                break
            above = block if block.kind is BlockKind.HEADING else above
        title = above.title.strip() if above is not None else ""
        return title if title.endswith(("?", "？")) else None


class _Rarity:
    """How rare a word is among the documents: BM25's inverse document frequency (Robertson and Spärck Jones)."""

    def __init__(self, sources: Sequence[_Source]) -> None:
        self._documents = len(sources)
        self._holding = Counter(
            word
            for source in sources
            for word in {word for start, end in source.sentences for word in words(source.document.text[start:end])}
        )
        self.common = [word for word, _ in self._holding.most_common(MOST_COMMON) if not word.isdigit()]

    def __call__(self, word: str) -> float:
        holding = self._holding[word]
        return math.log(1 + (self._documents - holding + 0.5) / (holding + 0.5))


def _in_turns(sources: Sequence[_Source], random: Random) -> Iterator[_Source]:
    """Every source once in a random order, then again in another, for ever."""
    order = list(sources)
    while True:
        random.shuffle(order)
        yield from order


def _swapped(question: MadeQuestion, pool: Sequence[tuple[str, str]], random: Random) -> MadeQuestion | None:
    """The question with a name or number of another document; None where it names nothing that could be replaced."""
    named = entities(f" {question.text}")
    if not named or not pool:
        return None
    old = random.choice(named)
    for _ in range(_TRIES):
        document, new = random.choice(pool)
        alike = new[0].isdigit() == old[0].isdigit() and new.casefold() not in question.text.casefold()
        if document != question.document and alike:
            return replace(question, text=question.text.replace(old, new, 1), withheld=Withheld.SUBJECT)
    return None


def _is_prose(document: Document, start: int, end: int) -> bool:
    """Whether a span is a sentence to ask about: no heading, table or code, and more letters than all else."""
    text = document.text[start:end]
    if text.lstrip().startswith(("#", "|", "```")) or sum(map(str.isalpha, text)) < 0.6 * len(text):
        return False
    unfit = (BlockKind.HEADING, BlockKind.TABLE, BlockKind.CODE)
    return not any(block.kind in unfit and block.start < end and start < block.end for block in document.blocks)


def _weight(text: str) -> int:
    """Characters, those of scripts without spaces threefold: they say as much in a third of the length."""
    return len(text) + 2 * len(UNSPACED_CHARACTER.findall(text))
