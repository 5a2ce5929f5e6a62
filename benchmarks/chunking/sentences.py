"""Sentences of the golden rules in many languages, and MB/s: ours beside the segmenters that are installed.

pip install pysbd syntok blingfire nltk    # in an environment of their own; nltk needs its punkt_tab data too
python -m benchmarks.chunking.sentences [--failures PART]

The cases and where they are from: benchmarks/chunking/golden_rules. A case is right when every sentence is (as
Pragmatic Segmenter counts); F1 is of the ends of sentences within the cases, the last left out, for it is always found.
MB/s is over the cases as paragraphs, whose sentences are short, and over the handbook in docs.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from rag_engine.semantic_chunking import split_sentences

CASES = Path(__file__).parent / "golden_rules" / "cases.jsonl"
HANDBOOK = Path(__file__).parents[2] / "docs"
PYSBD_LANGUAGES = "en hi mr zh es am ar hy bg ur ru pl fa nl da fr my el it ja de kk sk"
DOCUMENT = 20_000  # characters of a document that is timed
REPEATED = 3

Span = tuple[int, int]
Segmenter = Callable[[str, str], list[Span]]  # (text, language) -> spans


@dataclass(frozen=True, slots=True)
class Case:
    """A text of ``language`` and the spans of its sentences."""

    language: str
    source: str
    text: str
    spans: tuple[Span, ...]
    held_out: bool


@dataclass(slots=True)
class Score:
    """Cases that are fully right, and ends of sentences found."""

    cases: int = 0
    right: int = 0
    found: int = 0
    given: int = 0
    wanted: int = 0

    def add(self, spans: Sequence[Span], gold: Sequence[Span]) -> bool:
        """Counts a case, and returns whether it is right."""
        right = list(spans) == list(gold)
        given, wanted = ({end for _, end in each[:-1]} for each in (spans, gold))
        self.cases += 1
        self.right += right
        self.found += len(given & wanted)
        self.given += len(given)
        self.wanted += len(wanted)
        return right

    def to_json(self) -> dict[str, float | int]:
        """F1 is 1 where no end was wanted and none was given."""
        ends = self.given + self.wanted
        return {
            "cases": self.cases,
            "right": round(self.right / self.cases, 3),
            "f1": round(2 * self.found / ends, 3) if ends else 1.0,
        }


def main() -> None:
    """Prints one JSON object: of every segmenter its scores by part, source and language, and MB/s."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chunking.sentences", description=__doc__)
    parser.add_argument("--failures", choices=["seen", "held_out"], help="print our wrong cases of this part instead")
    arguments = parser.parse_args()
    cases = read_cases(CASES)
    if arguments.failures:
        _print_failures([case for case in cases if case.held_out == (arguments.failures == "held_out")])
        return
    segmenters, absent = _segmenters()
    documents = _documents(cases)
    handbook = [(page.read_text(encoding="utf-8"), "en") for page in sorted(HANDBOOK.glob("*.md"))]
    figures = {
        name: {
            "megabytes_per_second": {"cases": _speed(segment, documents), "handbook": _speed(segment, handbook)},
            "scores": _scores(segment, cases),
        }
        for name, segment in segmenters.items()
    }
    print(json.dumps({"segmenters": figures, "not_installed": absent}, indent=2))


def read_cases(path: Path) -> list[Case]:
    """The cases in order; every third of a source is held out, and every one of syntok's."""
    cases: list[Case] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        spans, position = [], 0
        for sentence in record["sentences"]:
            start = record["text"].index(sentence, position)
            position = start + len(sentence)
            spans.append((start, position))
        number = 1 + sum(case.source == record["source"] for case in cases)
        held_out = number % 3 == 0 or record["source"] == "syntok"
        cases.append(Case(record["language"], record["source"], record["text"], tuple(spans), held_out))
    return cases


def trimmed(text: str, spans: Sequence[Span]) -> list[Span]:
    """The spans without the white space around them; empty ones are left out."""
    found = []
    for start, end in spans:
        piece = text[start:end]
        left = start + len(piece) - len(piece.lstrip())
        if piece.strip():
            found.append((left, left + len(piece.strip())))
    return found


def _scores(segment: Segmenter, cases: Sequence[Case]) -> dict[str, dict[str, float | int]]:
    groups: dict[str, Score] = {}
    for case in cases:
        spans = trimmed(case.text, segment(case.text, case.language))
        part = "held_out" if case.held_out else "seen"
        for group in ("all", part, case.source, f"{part} {case.source}", case.language):
            groups.setdefault(group, Score()).add(spans, case.spans)
    return {name: score.to_json() for name, score in groups.items()}


def _documents(cases: Sequence[Case]) -> list[tuple[str, str]]:
    """A document of each language: its cases as paragraphs, again and again."""
    texts: dict[str, list[str]] = {}
    for case in cases:
        texts.setdefault(case.language, []).append(case.text)
    documents = []
    for language, paragraphs in texts.items():
        text = "\n\n".join(paragraphs) + "\n\n"
        documents.append(((text * (1 + DOCUMENT // len(text)))[:DOCUMENT], language))
    return documents


def _speed(segment: Segmenter, documents: Sequence[tuple[str, str]]) -> float:
    """Megabytes (UTF-8) per second of processor time, the best of the repetitions."""
    size = sum(len(text.encode()) for text, _ in documents)
    best = float("inf")
    for _ in range(REPEATED):
        started = time.process_time()
        for text, language in documents:
            segment(text, language)
        best = min(best, time.process_time() - started)
    return round(size / best / 1e6, 3)


def _print_failures(cases: Sequence[Case]) -> None:
    for case in cases:
        spans = split_sentences(case.text)
        if not Score().add(spans, case.spans):
            print(f"{case.language}\n  wanted {_shown(case.text, case.spans)}\n  given  {_shown(case.text, spans)}")


def _shown(text: str, spans: Sequence[Span]) -> str:
    return " ‖ ".join(text[start:end] for start, end in spans)


def _segmenters() -> tuple[dict[str, Segmenter], list[str]]:
    found: dict[str, Segmenter] = {"rag_engine": lambda text, _: split_sentences(text)}
    absent = []
    for name, load in {"pysbd": _pysbd, "syntok": _syntok, "blingfire": _blingfire, "nltk punkt": _punkt}.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # pySBD's patterns are not raw strings
                found[name] = load()
        except ImportError:
            absent.append(name)
        except LookupError:  # nltk without its data
            absent.append(f"{name} (its data punkt_tab)")
    return found, absent


def _pysbd() -> Segmenter:
    """Told each case's language, or English where it has none of its own."""
    module = import_module("pysbd")
    segmenters: dict[str, Any] = {}

    def segment(text: str, language: str) -> list[Span]:
        language = language if language in PYSBD_LANGUAGES.split() else "en"
        if language not in segmenters:
            segmenters[language] = module.Segmenter(language=language, clean=False, char_span=True)
        return [(span.start, span.end) for span in segmenters[language].segment(text)]

    return segment


def _syntok() -> Segmenter:
    module = import_module("syntok.segmenter")

    def segment(text: str, _: str) -> list[Span]:
        sentences = (tokens for paragraph in module.analyze(text) for tokens in paragraph)
        return [(tokens[0].offset, tokens[-1].offset + len(tokens[-1].value)) for tokens in sentences if tokens]

    return segment


def _blingfire() -> Segmenter:
    module = import_module("blingfire")
    return lambda text, _: module.text_to_sentences_and_offsets(text)[1]


def _punkt() -> Segmenter:
    """Told the language where punkt has a model of it, or English."""
    module = import_module("nltk.tokenize.punkt")
    names = {
        "cs": "czech", "da": "danish", "de": "german", "el": "greek", "es": "spanish", "fi": "finnish", "fr": "french",
        "it": "italian", "nb": "norwegian", "nl": "dutch", "pl": "polish", "pt": "portuguese", "ru": "russian",
        "sv": "swedish", "tr": "turkish",
    }  # fmt: skip
    tokenizers: dict[str, Any] = {"english": module.PunktTokenizer("english")}

    def segment(text: str, language: str) -> list[Span]:
        name = names.get(language, "english")
        if name not in tokenizers:
            tokenizers[name] = module.PunktTokenizer(name)
        return list(tokenizers[name].span_tokenize(text))

    return segment


if __name__ == "__main__":
    main()
