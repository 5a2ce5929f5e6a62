"""Text of sentences that hardly ever repeat, from words of a fixed vocabulary."""

from __future__ import annotations

import itertools
import random

_SYLLABLES = ("ka", "lo", "mi", "ren", "su", "tor", "va", "bel", "di", "fen", "gor", "hu", "jan", "pel")
VOCABULARY = tuple("".join(parts) for parts in itertools.product(_SYLLABLES, repeat=3))


def sentence(generator: random.Random) -> str:
    """Twelve words."""
    return " ".join(generator.choices(VOCABULARY, k=12)).capitalize() + "."


def paragraph(generator: random.Random, *, sentences: int) -> str:
    """So many sentences."""
    return " ".join(sentence(generator) for _ in range(sentences))
