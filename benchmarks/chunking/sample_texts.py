"""Texts of any size and of many kinds, for timing: some of the project's own files, the others made by a fixed seed."""

from __future__ import annotations

import base64
import itertools
import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.speed.generated_text import paragraph, sentence

_REPOSITORY = Path(__file__).resolve().parents[2]
_HAN = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就"
    "分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"
)
_HEBREW = ("שלום", "עולם", "ספר", "מלים", "בית", "דרך")
_ARABIC = ("مرحبا", "كتاب", "الطريق", "كلمة", "بيت", "مدينة")
_EMOJI = ("😀", "👩‍💻", "🇩🇪", "👍🏽", "❤️", "👨‍👩‍👧")
_PUNCTUATION = ".,;:!?()[]{}-–—…\"'"


def prose(size: int, generator: random.Random) -> str:
    """Paragraphs of the handbook in mixed order, without its headings, lists, tables and code."""
    blocks = [block for file in _files("docs", "*.md") for block in file.split("\n\n")]
    plain = [block for block in blocks if block[:1].isalpha()]
    return _filled((generator.choice(plain) + "\n\n" for _ in itertools.count()), size)


def markdown(size: int, generator: random.Random) -> str:  # noqa: ARG001 - one signature for all
    """The handbook, again and again."""
    return _filled(itertools.cycle(_files("docs", "*.md")), size)


def code(size: int, generator: random.Random) -> str:  # noqa: ARG001
    """The project's own Python, again and again."""
    return _filled(itertools.cycle(_files("rag_engine", "**/*.py")), size)


def json_lines(size: int, generator: random.Random) -> str:
    """Records of a number, a name and a sentence."""
    return _filled(
        (
            json.dumps({"id": number, "name": f"record {number}", "text": sentence(generator)}) + "\n"
            for number in itertools.count()
        ),
        size,
    )


def chinese(size: int, generator: random.Random) -> str:
    """Sentences of 5 to 30 characters, in paragraphs of six."""
    ends = itertools.cycle("。，。，。\n")
    return _filled(
        ("".join(generator.choices(_HAN, k=generator.randint(5, 30))) + next(ends) for _ in _endless()), size
    )


def one_sentence(size: int, generator: random.Random) -> str:
    """Words and nothing else, with a full stop behind the last."""
    return _filled((sentence(generator)[:-1].lower() + " " for _ in _endless()), size - 1) + "."


def minified(size: int, generator: random.Random) -> str:
    """JavaScript in one line."""
    return _filled(
        (f"function a{generator.randrange(10**6)}(b,c){{return b+c;}}var d=[1,2,3];" for _ in _endless()), size
    )


def base64_text(size: int, generator: random.Random) -> str:
    """One word."""
    return base64.b64encode(generator.randbytes(size)).decode()[:size]


def emoji(size: int, generator: random.Random) -> str:
    """Families, flags and skin tones, with nothing between."""
    return _filled((generator.choice(_EMOJI) for _ in _endless()), size)


def punctuation(size: int, generator: random.Random) -> str:
    """Marks without a word or a space."""
    return _filled(("".join(generator.choices(_PUNCTUATION, k=100)) for _ in _endless()), size)


def bidirectional(size: int, generator: random.Random) -> str:
    """Hebrew, Arabic and English in each sentence, with marks of direction."""
    return _filled(
        (
            " ".join(["\u200f", *generator.choices(_HEBREW, k=4), "abc 12", *generator.choices(_ARABIC, k=4), "\u200e"])
            + ". "
            for _ in _endless()
        ),
        size,
    )


def table(rows: int, generator: random.Random) -> str:
    """A pipe table of so many rows."""
    lines = [f"| {row} | name {generator.randrange(10**6)} | {generator.random():.4f} |" for row in range(rows)]
    return "\n".join(["| number | name | value |", "|---|---|---|", *lines])


def headings(count: int, generator: random.Random) -> str:
    """Headings of all six levels with nothing below them."""
    return "\n\n".join("#" * generator.randint(1, 6) + f" Heading {number}" for number in range(count))


def generated(size: int, generator: random.Random) -> str:
    """Paragraphs of sentences that hardly ever repeat, under a heading every twenty."""
    return _filled(
        (
            (f"## Part {number}\n\n" if number % 20 == 0 else "") + paragraph(generator, sentences=6) + "\n\n"
            for number in itertools.count()
        ),
        size,
    )


MEGABYTE: dict[str, Callable[[int, random.Random], str]] = {
    "prose": prose,
    "markdown": markdown,
    "code": code,
    "json_lines": json_lines,
    "chinese": chinese,
    "one_sentence": one_sentence,
    "minified": minified,
    "base64": base64_text,
    "emoji": emoji,
    "punctuation": punctuation,
    "bidirectional": bidirectional,
}


def _endless() -> Iterable[int]:
    return itertools.count()


def _files(folder: str, pattern: str) -> list[str]:
    return [file.read_text(encoding="utf-8") for file in sorted((_REPOSITORY / folder).glob(pattern))]


def _filled(pieces: Iterable[str], size: int) -> str:
    """Pieces up to about ``size`` bytes of UTF-8."""
    taken, held = [], 0
    for piece in pieces:
        taken.append(piece)
        held += len(piece.encode())
        if held >= size:
            break
    return "".join(taken)
