"""Records of what was made to measure with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MadeGoldSet:
    """A gold set that was written: where, and how many questions and documents it has; ``answerable`` questions have
    an answer in these documents."""

    folder: str
    questions: int
    answerable: int
    documents: int
    seed: int
