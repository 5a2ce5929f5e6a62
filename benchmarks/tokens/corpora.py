"""Texts of many kinds and scripts, cut into stretches as long as prompts are.

A source is one collection or one language of it. What is fitted is always tried on sources that it was not fitted on.
"""

from __future__ import annotations

import base64
import json
import random
import re
import uuid
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[2]
_SHARED = _REPOSITORY.parent / "shared"
_SHORTEST, _LONGEST = 50, 8000  # characters of a stretch
_STRETCHES = 120  # of one source, at most
_MOST_CHARACTERS = 600_000  # of one source
_ENCODED_AS = {"Johab": "johab", "IBM855": "cp855", "IBM866": "cp866", "TIS-620": "tis-620", "CP932": "cp932"}


def stretches() -> dict[str, list[str]]:
    """By source, its stretches; always the same ones. Sources that are not at hand are left out."""
    generator = random.Random(7)
    found: dict[str, list[str]] = defaultdict(list)
    for source, text in (*_gold(), *_spans(), *_formats(), *_encodings(), *_sentences(), *_made(generator)):
        found[source].append(text)
    return {
        source: cut
        for source in sorted(found)
        if (cut := _cut("\n\n".join(found[source])[:_MOST_CHARACTERS], random.Random(source)))
    }


def _cut(text: str, generator: random.Random) -> list[str]:
    """Stretches of lengths between the shortest and the longest, as many short as long ones; none share a character."""
    pieces, at = [], 0
    while at + _SHORTEST <= len(text):
        length = int(_SHORTEST * (_LONGEST / _SHORTEST) ** generator.random())
        pieces.append(text[at : at + length])
        at += length
    pieces = [piece for piece in pieces if len(piece) >= _SHORTEST and piece.strip()]
    return sorted(generator.sample(pieces, min(_STRETCHES, len(pieces))), key=len)


def _gold() -> Iterator[tuple[str, str]]:
    for folder in sorted(path for path in (_SHARED / "gold").glob("*") if path.is_dir()):
        for file in sorted(folder.rglob("*.jsonl")):
            for line in file.read_text(encoding="utf-8").splitlines()[:1500]:
                row = json.loads(line)
                text = row.get("text") or row.get("content")
                if isinstance(text, str):
                    yield folder.name, text


def _spans() -> Iterator[tuple[str, str]]:
    for folder in sorted(path for path in (_SHARED / "spans").glob("*") if path.is_dir()):
        for file in sorted(folder.rglob("*")):
            if file.suffix in (".md", ".txt"):
                yield f"{folder.name}", file.read_text(encoding="utf-8", errors="replace")[:_MOST_CHARACTERS]
            elif file.suffix == ".jsonl":
                for line in file.read_text(encoding="utf-8").splitlines()[:1500]:
                    text = json.loads(line).get("text")
                    if isinstance(text, str):
                        yield folder.name, text


def _formats() -> Iterator[tuple[str, str]]:
    for kind in ("source_code", "json", "csv", "markdown_rst", "html_ok", "html_gold", "email", "text_misc"):
        for file in sorted((_SHARED / "formats" / kind).glob("*")):
            try:
                text = file.read_bytes().decode("utf-8")
            except (UnicodeDecodeError, OSError):
                continue
            if text.isprintable() or "\0" not in text:
                yield f"formats/{kind}", text[:100_000]


def _encodings() -> Iterator[tuple[str, str]]:
    """Blogs and newspapers in many languages; the tags are left in, as a page's source has them."""
    for file in sorted((_SHARED / "formats" / "encodings").glob("chardet__*")):
        _, encoding, _ = file.name.split("__", 2)
        base, _, language = encoding.rpartition("-")
        codec = base if language.isalpha() and language.islower() and base else encoding
        try:
            text = file.read_bytes().decode(_ENCODED_AS.get(codec, codec))
        except (UnicodeDecodeError, LookupError):
            continue
        yield f"blogs/{encoding}", re.sub(r"<[^>]{0,300}>", " ", text)


def _sentences() -> Iterator[tuple[str, str]]:
    rules = _REPOSITORY / "benchmarks" / "chunking" / "golden_rules" / "cases.jsonl"
    for line in rules.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        yield f"sentences/{case['language']}", case["text"]


def _made(generator: random.Random) -> Iterator[tuple[str, str]]:
    """What stands in documents and is no language."""
    for _ in range(300):
        yield "made/base64", base64.b64encode(generator.randbytes(600)).decode()
        yield "made/hex", generator.randbytes(300).hex()
        yield "made/identifiers", " ".join(str(uuid.UUID(int=generator.getrandbits(128))) for _ in range(20))
        numbers = (generator.gauss(0, 10 ** generator.randint(0, 6)) for _ in range(100))
        yield "made/numbers", " ".join(f"{number:.{generator.randint(0, 6)}f}" for number in numbers)
        rows = [{"id": generator.randint(1, 10**9), "at": f"2025-{month:02}-11T10:00:00Z"} for month in range(1, 13)]
        yield "made/records", json.dumps(rows)
        pages = (f"{generator.choice(('a', 'api', 'docs'))}/{generator.randbytes(6).hex()}" for _ in range(12))
        yield "made/addresses", " ".join(f"https://example.org/{page}?q={generator.randint(1, 9999)}" for page in pages)
