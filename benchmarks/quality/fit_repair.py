"""Fits how sure a repair must be, from words that are right and unknown; no question and no made-up noise is used.

    python -m benchmarks.quality.fit_repair CORPUS... [--held-out CORPUS...] [--most-changed SHARE]

CORPUS are ``corpus.jsonl`` files. The documents of each are cut into two halves by a hash of their ids. Words of one
half that a search in the other would not find are right and unknown: a repair that changes them is wrong (a few of
them are misprints of the documents, which makes the figure a little too high). Of all settings on a grid that change at
most SHARE of them, that one is printed which mends most of the human misspellings in ``misspellings.tsv``, every other
line of which is held out too. One JSON object: the settings, what they give where they were fitted and on what was
held out, and what those in the code give.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.corpus import read_documents
from rag_engine.embedding import DEFAULT_MODEL, default_cache, find_model, open_embedder
from rag_engine.index.lexical import TantivyIndex
from rag_engine.index.vocabulary import CorpusVocabulary, WordIndex
from rag_engine.index.vocabulary.word_counts import WordCounts
from rag_engine.protocols import LexicalEntry, Vocabulary
from rag_engine.query_optimizer import word_repair
from rag_engine.query_optimizer.repair import LEAST_CONFIDENCE
from rag_engine.query_optimizer.word_repair import Channel, LikelyMeant

MISSPELLINGS = Path(__file__).with_name("misspellings.tsv")
MOST_WORDS = 1_500  # of a corpus, those first by hash
GRID: dict[str, Sequence[float]] = {
    "frequency_power": (0.2, 0.3, 0.4, 0.5),
    "unknown": (0.6, 0.9, 1.2, 1.5, 1.8),
    "unknown_per_letter": (0.2, 0.3, 0.4, 0.5, 0.6),
}


@dataclass(frozen=True, slots=True)
class Case:
    """A word, what it was meant to be where it is misspelt, and all that a corpus offers for it."""

    word: str
    meant: str | None
    considered: LikelyMeant

    def outcome(self, channel: Channel) -> str | None:
        """What a repair would write for it; None where it would leave it alone."""
        best = self.considered.best(channel)
        return best.text if best is not None and best.confidence >= LEAST_CONFIDENCE else None


def cases(corpus: Path) -> tuple[list[Case], list[Case]]:
    """Right and unknown words, and human misspellings, of one corpus."""
    documents = read_documents(corpus)
    halves: tuple[list[str], list[str]] = ([], [])
    for document in documents:
        halves[_hash(document.id) % 2].append(f"{document.title}\n{document.text}")
    words, lexical = WordIndex(), TantivyIndex()
    words.update(halves[0], removed=0, commit=1)
    entries = (LexicalEntry(number, "", text) for number, text in enumerate(halves[0], start=1))
    lexical.update(add=entries, remove=[], commit=1)
    vocabulary = CorpusVocabulary(words, lexical)
    counts = WordCounts()
    for text in halves[1]:
        counts.add(text)
    strange = [one.word for one in counts.words() if len(one.word) >= word_repair.LEAST_LETTERS]
    strange = [word for word in strange if not vocabulary.found(word)]
    strange = sorted(strange, key=_hash)[:MOST_WORDS]
    right = [Case(word, None, LikelyMeant(word, vocabulary)) for word in strange]
    return right, [Case(wrong, meant, LikelyMeant(wrong, vocabulary)) for wrong, meant in _misspelt(vocabulary)]


def _misspelt(vocabulary: Vocabulary) -> Iterator[tuple[str, str]]:
    for line in MISSPELLINGS.read_text(encoding="utf-8").splitlines():
        wrong, meant = line.lower().split("\t")
        if vocabulary.frequency(meant) and not vocabulary.found(wrong):
            yield wrong, meant


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big")


def figures(right: Sequence[Case], wrong: Sequence[Case], channel: Channel) -> dict[str, Any]:
    """Shares of right words that are changed, of misspellings that are mended, and that are made another word."""
    outcomes = [(case, case.outcome(channel)) for case in wrong]
    return {
        "right": len(right),
        "right_changed": round(sum(case.outcome(channel) is not None for case in right) / max(1, len(right)), 4),
        "misspelt": len(wrong),
        "mended": round(sum(meant == case.meant for case, meant in outcomes) / max(1, len(wrong)), 4),
        "made_another": round(
            sum(meant is not None and meant[:4] != (case.meant or "")[:4] for case, meant in outcomes)
            / max(1, len(wrong)),
            4,
        ),
    }


def main() -> None:
    """Prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, nargs="+")
    parser.add_argument("--held-out", type=Path, nargs="*", default=[])
    parser.add_argument("--most-changed", type=float, default=0.085)
    arguments = parser.parse_args()
    pieces = open_embedder(
        find_model(DEFAULT_MODEL), runtime="auto", cache=default_cache(), batch_size=32
    ).tokenizer.vocabulary()
    genuine = frozenset(pieces)
    fitting = [cases(corpus) for corpus in arguments.corpus]
    held_out = {corpus.parent.name: cases(corpus) for corpus in arguments.held_out}
    right = [case for one, _ in fitting for case in one if case.word not in genuine]
    misspelt = [case for _, one in fitting for case in one if case.word not in genuine]
    best: tuple[float, float, Channel] | None = None
    for values in itertools.product(*GRID.values()):
        channel = Channel(**dict(zip(GRID, values, strict=True)))
        given = figures(right, misspelt[::2], channel)
        if given["right_changed"] <= arguments.most_changed:
            found = (given["mended"], -given["right_changed"], channel)
            best = found if best is None or found[:2] > best[:2] else best
    outcome: dict[str, Any] = {}
    settings = {"in the code": Channel()} if best is None else {"fitted": best[2], "in the code": Channel()}
    for name, channel in settings.items():
        outcome[name] = {
            "settings": {key: getattr(channel, key) for key in GRID},
            "fitting": figures(right, misspelt[::2], channel),
            "misspellings held out": figures([], misspelt[1::2], channel),
            **{
                corpus: figures(
                    [case for case in unknown if case.word not in genuine],
                    [case for case in wrong if case.word not in genuine],
                    channel,
                )
                for corpus, (unknown, wrong) in held_out.items()
            },
        }
    print(json.dumps(outcome))


if __name__ == "__main__":
    main()
