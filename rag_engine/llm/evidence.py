"""Sentences of the sources as evidence for a question: what speaks for each, and how far the best can be trusted."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from rag_engine.llm.answer_kinds import holds_kind
from rag_engine.llm.antonyms import opposed, stems
from rag_engine.llm.asked import Asked
from rag_engine.llm.terms import negates, terms
from rag_engine.protocols import SentenceSplitter
from rag_engine.types.generation import NumberedSource

if TYPE_CHECKING:
    from rag_engine.protocols import Vectors

# Both sets of weights come from benchmarks/quality/fit_confidence.py, which says from which questions.
# A sentence's rank: the logit of its being the one that answers, among the sentences of the sources.
RANKING = {
    "cosine": 7.54, "source": 3.95, "sentence": 2.96, "window": 2.73, "kind": 2.11, "pairs": 2.03, "names": 1.04,
    "negation": -1.57, "question": -1.83,
}  # fmt: skip
# The logit of the question's being answered at all.
CONFIDENCE = {
    "cosine": 2.17, "nearest": 2.08, "passage_cosine": 2.43, "window": 0.58, "pairs": -0.33, "names": 1.09,
    "kind": 0.18, "negation": -2.45, "denies": -1.0, "opposed": -1.48,
}  # fmt: skip
CONFIDENCE_OFFSET = -5.08

_ASKING = ("?", "？", "؟")
_HEADING = re.compile(r"#{1,6}[ \t][^\n]*")
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence of a source, and what its words say about a question, each in [0, 1].

    ``start`` and ``end`` are characters of the document. ``source_strength`` is the passage's retrieval score over
    the best passage's. ``in_sentence`` is the share of the question's terms, weighted by their rarity among the
    sources, in the sentence; ``in_window`` the same with its two neighbours, title and headings;
    ``names_in_window`` the share of the question's names and numbers there. ``kind`` says that the sentence holds
    the kind of answer asked for, ``negation_lost`` that the question negates and the sentence does not. ``pairs`` is
    the share of the question's neighbouring terms that are neighbours here as well; ``asks`` says that the sentence is
    a question itself.
    """

    source: NumberedSource
    start: int
    end: int
    text: str
    source_strength: float
    in_sentence: float
    in_window: float
    names_in_window: float
    kind: bool
    negation_lost: bool
    pairs: float
    asks: bool


@dataclass(frozen=True, slots=True)
class RankedSentence:
    """A sentence, its cosine with the question, its logit among the candidates, and its vector, shape (dimension,)."""

    evidence: Evidence
    cosine: float
    logit: float
    vector: Vectors = field(compare=False, repr=False)


def gather(asked: Asked, sources: Sequence[NumberedSource], *, split_sentences: SentenceSplitter) -> list[Evidence]:
    """Every sentence of the sources, each text once, in the sources' order; headings and fenced code are none."""
    weights = _rarity(asked.terms, [_context(source) | set(terms(source.passage.text)) for source in sources])
    strongest = max((source.passage.score for source in sources), default=0.0)
    found: dict[str, Evidence] = {}
    for source in sources:
        passage = source.passage
        spans = split_sentences(passage.text)
        in_order = [terms(passage.text[start:end]) for start, end in spans]
        words = [frozenset(said) for said in in_order]
        context = _context(source)
        code = _fenced(passage.text)
        for position, (start, end) in enumerate(spans):
            text = passage.text[start:end]
            if _HEADING.fullmatch(text) or any(first <= start < last for first, last in code):
                continue  # speaks for the sentences around it, says nothing by itself
            window = context.union(*words[max(0, position - 1) : position + 2])
            evidence = Evidence(
                source=source,
                start=passage.start + start,
                end=passage.start + end,
                text=text,
                source_strength=max(0.0, passage.score / strongest) if strongest > 0 else 0.0,
                in_sentence=_share(words[position], weights),
                in_window=_share(window, weights),
                names_in_window=len(asked.names & window) / len(asked.names) if asked.names else 1.0,
                kind=holds_kind(text, asked.kind, asked=asked.terms),
                negation_lost=asked.negated and not negates(text),
                pairs=len(asked.pairs.intersection(pairwise(in_order[position]))) / max(1, len(asked.pairs)),
                asks=text.endswith(_ASKING),
            )
            # Overlapping chunks and copied documents bring the same sentence twice; the better source keeps it.
            found.setdefault(text, evidence)
    return list(found.values())


def _fenced(text: str) -> list[tuple[int, int]]:
    """Where code between fences stands; an unclosed fence reaches to the end."""
    fences = [fence.start() for fence in _FENCE.finditer(text)]
    edges = [*fences, len(text)] if len(fences) % 2 else fences
    return [(first, last + 3) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def rank_features(evidence: Evidence, *, cosine: float) -> Mapping[str, float]:
    """What a sentence's rank is computed from, under the names of ``RANKING``."""
    return {
        "cosine": cosine,
        "source": evidence.source_strength,
        "sentence": evidence.in_sentence,
        "window": evidence.in_window,
        "kind": float(evidence.kind),
        "pairs": evidence.pairs,
        "names": evidence.names_in_window,
        "negation": float(evidence.negation_lost),
        "question": float(evidence.asks),
    }


def rank_logit(evidence: Evidence, *, cosine: float) -> float:
    """How strongly ``evidence`` is the sentence that answers; comparable among the sentences of one question."""
    features = rank_features(evidence, cosine=cosine)
    return sum(weight * features[name] for name, weight in RANKING.items())


def confidence_features(
    asked: Asked, best: RankedSentence, *, nearest: float, passage_cosine: float
) -> Mapping[str, float]:
    """What the confidence is computed from, under the names of ``CONFIDENCE``.

    ``nearest`` is the best cosine of any candidate, ``passage_cosine`` that of the passage in which ``best`` stands.
    """
    evidence = best.evidence
    return {
        "cosine": best.cosine,
        "nearest": nearest,
        "passage_cosine": passage_cosine,
        "window": evidence.in_window,
        "pairs": evidence.pairs,
        "names": evidence.names_in_window,
        "kind": float(evidence.kind),
        "negation": float(evidence.negation_lost),
        "denies": float(asked.denies),
        "opposed": float(bool(opposed(stems(asked.text), stems(evidence.source.passage.text)))),
    }


def confidence(features: Mapping[str, float]) -> float:
    """Probability, in (0, 1), that the question is answered, were half of all questions answerable."""
    logit = CONFIDENCE_OFFSET + sum(weight * features[name] for name, weight in CONFIDENCE.items())
    return 1 / (1 + math.exp(-logit))


def _context(source: NumberedSource) -> frozenset[str]:
    return frozenset(terms(" ".join((source.passage.title, *source.passage.heading_path))))


def _rarity(asked: Set[str], sources: Sequence[Set[str]]) -> dict[str, float]:
    """BM25's inverse document frequency (Robertson and Spärck Jones) of each term among the sources at hand."""
    weights = {}
    for term in sorted(asked):  # sums must not depend on the order of a set
        holding = sum(term in words for words in sources)
        weights[term] = math.log(1 + (len(sources) - holding + 0.5) / (holding + 0.5))
    return weights


def _share(words: Set[str], weights: Mapping[str, float]) -> float:
    total = math.fsum(weights.values())
    return math.fsum(weight for term, weight in weights.items() if term in words) / total if total else 0.0
