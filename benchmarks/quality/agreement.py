"""What is flagged among the first passages of the questions of a gold set, and how long that takes.

    python -m benchmarks.quality.agreement INDEX GOLD [--questions N] [--passages 8] [--sample 30]

INDEX is the folder of an index of the gold set, or its name below RAG_ENGINE_ROOT, as ``rag eval GOLD`` makes. Prints
one JSON object: how many of the questions have a conflict or duplicates, the distinct pairs by kind, a sample of these
for a person to judge, and the milliseconds that the flags of one search take (median). Whether a flag is right only a
person can say: the sample is drawn with a fixed seed, so that two people judge the same.

``planted`` says how much is found: sentences of these passages are copied with one number changed or a "not" put in,
and the copy stands in another document; with the number changed and a name too, it should not be flagged.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.quality.diversity import index_folder
from rag_engine.config import Settings
from rag_engine.context_retrieval.agreement import with_agreement
from rag_engine.engine import Engine
from rag_engine.evaluation import read_gold_set
from rag_engine.semantic_chunking import split_sentences
from rag_engine.types.retrieval import Passage

SEED, PLANTED = 1, 2000
_NUMBER = re.compile(r"((?:^|\s))(\d{1,4})(?=[\s.])")
_SUBJECT = re.compile(r"(?<=[a-z] )[A-Z][a-z]{3,}")
_VERB = re.compile(r"\b(is|are|was|were|can|will|may|has been)\b")
_NEGATED = re.compile(r"\b(?:not|no|never|without|cannot)\b|n't", re.IGNORECASE)


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", type=index_folder)
    parser.add_argument("gold", type=Path)
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--passages", type=int, default=8)
    parser.add_argument("--sample", type=int, default=30)
    given = parser.parse_args()
    questions = [question.text for question in read_gold_set(given.gold).questions]
    drawn = random.Random(SEED).sample(questions, min(given.questions, len(questions)))
    with Engine.open(given.index, settings=Settings(), create=False) as engine:
        searched = [engine.search(question, k=given.passages) for question in drawn]
    conflicts = {pair for passages in searched for pair in _conflicts(passages)}
    duplicates = {pair for passages in searched for pair in _duplicates(passages)}
    sample = random.Random(SEED).sample(sorted(conflicts), min(given.sample, len(conflicts)))
    print(
        json.dumps(
            {
                "gold": given.gold.name,
                "questions": len(drawn),
                "with_conflicts": sum(any(passage.conflicts for passage in passages) for passages in searched),
                "with_duplicates": sum(any(passage.duplicates for passage in passages) for passages in searched),
                "conflicts": Counter(what for what, _, _ in conflicts),
                "duplicates": len(duplicates),
                "milliseconds": statistics.median(map(_milliseconds, searched)),
                "sample": sample,
                "planted": _planted([passage for passages in searched for passage in passages]),
                "duplicate_sample": random.Random(SEED).sample(sorted(duplicates), min(5, len(duplicates))),
            },
            ensure_ascii=False,
        )
    )


def _conflicts(passages: list[Passage]) -> set[tuple[str, str, str]]:
    """Kind and the two sentences, in alphabetical order."""
    found = set()
    for passage in passages:
        for conflict in passage.conflicts:
            other = passages[conflict.rank - 1]
            own = passage.text[conflict.start - passage.start : conflict.end - passage.start]
            its = other.text[conflict.other_start - other.start : conflict.other_end - other.start]
            found.add((conflict.what.value, *sorted((own, its))))
    return {(what, first, second) for what, first, second in found}


def _duplicates(passages: list[Passage]) -> set[tuple[str, str]]:
    return {
        (passages[first].text, passage.text)
        for passage in passages
        for first in (rank - 1 for rank in passage.duplicates)
        if first < passage.rank - 1
    }


def _planted(passages: list[Passage]) -> dict[str, Any]:
    """Shares of copied sentences that are flagged, by what was changed."""
    texts = {passage.text[start:end] for passage in passages for start, end in split_sentences(passage.text)}
    prose = [text for text in sorted(texts) if 40 <= len(text) <= 300 and text[0].isupper() and text[-1] == "."]
    random.Random(SEED).shuffle(prose)
    changed: dict[str, list[bool]] = {"number": [], "negation": [], "number_of_another_subject": []}
    for text in prose[:PLANTED]:
        number = _NUMBER.sub(lambda match: f"{match[1]}{int(match[2]) + 7}", text, count=1)
        subject = _SUBJECT.sub("Zanzibar", number, count=1)
        negated = _VERB.sub(r"\1 not", text, count=1)
        if number != text:
            changed["number"].append(_flagged(text, number))
        if number not in (text, subject):
            changed["number_of_another_subject"].append(_flagged(text, subject))
        if negated != text and not _NEGATED.search(text):
            changed["negation"].append(_flagged(text, negated))
    return {what: {"sentences": len(each), "flagged": sum(each) / max(1, len(each))} for what, each in changed.items()}


def _flagged(text: str, other: str) -> bool:
    passages = [
        Passage(rank, 1 / rank, f"document-{rank}", "", rank, 0, len(each), each)
        for rank, each in enumerate((text, other), start=1)
    ]
    return bool(with_agreement(passages, split_sentences=split_sentences)[0].conflicts)


def _milliseconds(passages: list[Passage]) -> float:
    started = time.perf_counter()
    with_agreement(passages, split_sentences=split_sentences)
    return 1000 * (time.perf_counter() - started)


if __name__ == "__main__":
    main()
